use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

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
    /// Connections that came so far.
    connections: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
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

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn serve(&self, listener: TcpListener) {
        let (shared, server) = (Arc::clone(&self.shared), self.server);
        shared.is_broken.store(false, Ordering::SeqCst);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.is_broken.load(Ordering::SeqCst) {
                    return;
                }
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(server).unwrap();
                shared
                    .open
                    .lock()
                    .unwrap()
                    .extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || forward(client, server));
                thread::spawn(move || forward(back.0, back.1));
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

    /// Comes back on the same port.
    pub fn mend(&self) {
        self.serve(TcpListener::bind(self.address).unwrap());
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
