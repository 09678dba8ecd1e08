use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::containers::azurite;
use super::servers::Azurite;

/// The way to a server, which can break and come back on the same port: while it is broken, connections that exist are cut and new ones
/// are refused, as if the server had been killed.
pub struct Proxy {
    address: SocketAddr,
    server: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_broken: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    delay: Mutex<Delay>,
    delay_changed: Condvar,
    loss: Mutex<Option<Loss>>,
    is_frozen: Mutex<bool>,
    thawed: Condvar,
}

/// An answer that never arrives, and with which its connection breaks: the server has done what it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// What the connection has been asked before.
    pub behind: &'static str,
    pub request: &'static str,
    /// What the answer holds; nothing where the server gives one answer to each request.
    pub answer: &'static str,
}

/// How far a connection has come towards the answer that is to be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    #[default]
    Nothing,
    Before,
    Request,
}

/// What happens to the first two writes. The second one waits for the answer to the first, which waits for the second to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Delay {
    #[default]
    None,
    Asked,
    FirstHeld,
    SecondCame,
    FirstAnswered,
}

impl Proxy {
    /// The way to the emulator.
    pub fn start() -> Self {
        let host = azurite().blob_endpoint.trim_start_matches("http://");
        Self::to(host.split('/').next().unwrap().parse().unwrap())
    }

    /// The way to a server.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            server,
            shared: Arc::default(),
        };
        proxy.serve(listener);
        proxy
    }

    /// The account by this way.
    pub fn endpoint(&self) -> String {
        format!("http://{}/{}", self.address, Azurite::ACCOUNT)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    fn serve(&self, listener: TcpListener) {
        let (shared, server) = (Arc::clone(&self.shared), self.server);
        shared.is_broken.store(false, Ordering::SeqCst);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.is_broken.load(Ordering::SeqCst) {
                    return;
                }
                let server = TcpStream::connect(server).unwrap();
                shared
                    .open
                    .lock()
                    .unwrap()
                    .extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (there, here) = (Arc::clone(&shared), Arc::clone(&shared));
                let is_held = Arc::new(AtomicBool::new(false));
                let is_held_too = Arc::clone(&is_held);
                let asked = Arc::new(Mutex::new(Asked::default()));
                let asked_too = Arc::clone(&asked);
                thread::spawn(move || {
                    forward(client, server, |bytes| {
                        there.wait_for_thaw();
                        there.before_request(bytes, &is_held);
                        there.note_request(bytes, &mut asked.lock().unwrap());
                        true
                    });
                });
                thread::spawn(move || {
                    forward(back.0, back.1, |bytes| {
                        here.wait_for_thaw();
                        here.before_answer(&is_held_too);
                        !here.loses(bytes, *asked_too.lock().unwrap())
                    });
                });
            }
        });
    }

    /// Cuts what is open and refuses what comes.
    pub fn break_off(&self) {
        self.shared.is_broken.store(true, Ordering::SeqCst);
        // Wakes the listener, which closes itself.
        drop(TcpStream::connect(self.address));
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets the next write to the server arrive only just before the one after it, as a slow network does.
    pub fn delay_next_write(&self) {
        self.shared.set_delay(Delay::Asked);
    }

    pub fn holds_a_write(&self) -> bool {
        *self.shared.delay.lock().unwrap() == Delay::FirstHeld
    }

    pub fn has_delivered_the_write(&self) -> bool {
        *self.shared.delay.lock().unwrap() == Delay::FirstAnswered
    }

    /// Keeps what is open and what comes, and lets nothing through.
    pub fn freeze(&self) {
        *self.shared.is_frozen.lock().unwrap() = true;
    }

    pub fn thaw(&self) {
        *self.shared.is_frozen.lock().unwrap() = false;
        self.shared.thawed.notify_all();
    }

    /// Loses one answer.
    pub fn lose(&self, loss: Loss) {
        *self.shared.loss.lock().unwrap() = Some(loss);
    }

    pub fn has_lost_it(&self) -> bool {
        self.shared.loss.lock().unwrap().is_none()
    }

    /// Comes back on the same port.
    pub fn mend(&self) {
        self.serve(TcpListener::bind(self.address).unwrap());
    }
}

impl Shared {
    fn set_delay(&self, delay: Delay) {
        *self.delay.lock().unwrap() = delay;
        self.delay_changed.notify_all();
    }

    fn wait_for(&self, wanted: Delay) {
        let delay = self.delay.lock().unwrap();
        drop(self.delay_changed.wait_while(delay, |delay| *delay != wanted).unwrap());
    }

    fn before_request(&self, bytes: &[u8], is_held: &AtomicBool) {
        if !bytes.starts_with(b"PUT ") {
            return;
        }
        let delay = *self.delay.lock().unwrap();
        match delay {
            Delay::Asked => {
                is_held.store(true, Ordering::SeqCst);
                self.set_delay(Delay::FirstHeld);
                self.wait_for(Delay::SecondCame);
            }
            Delay::FirstHeld => {
                self.set_delay(Delay::SecondCame);
                self.wait_for(Delay::FirstAnswered);
            }
            Delay::None | Delay::SecondCame | Delay::FirstAnswered => {}
        }
    }

    fn wait_for_thaw(&self) {
        let is_frozen = self.is_frozen.lock().unwrap();
        drop(self.thawed.wait_while(is_frozen, |is_frozen| *is_frozen).unwrap());
    }

    fn note_request(&self, bytes: &[u8], asked: &mut Asked) {
        let Some(loss) = *self.loss.lock().unwrap() else { return };
        if holds(bytes, loss.behind) {
            *asked = (*asked).max(Asked::Before);
        }
        if *asked == Asked::Before && holds(bytes, loss.request) {
            *asked = Asked::Request;
        }
    }

    fn loses(&self, bytes: &[u8], asked: Asked) -> bool {
        let mut loss = self.loss.lock().unwrap();
        let is_it = asked == Asked::Request && loss.is_some_and(|loss| holds(bytes, loss.answer));
        if is_it {
            *loss = None;
        }
        is_it
    }

    fn before_answer(&self, is_held: &AtomicBool) {
        if is_held.load(Ordering::SeqCst) {
            self.set_delay(Delay::FirstAnswered);
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Until an end, or until `before` does not let something through, which breaks the connection.
fn forward(mut from: TcpStream, mut to: TcpStream, mut before: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length) = from.read(&mut buffer) {
        if length > 0 && !before(&buffer[..length]) {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
