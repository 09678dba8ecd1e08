use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A server on a free port: each connection is answered in a thread of its own, until the server is dropped.
pub struct Loopback {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Loopback {
    pub fn start(answer: impl Fn(&TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let is_over = Arc::new(AtomicBool::new(false));
        let (ends, answer) = (Arc::clone(&is_over), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::Acquire) {
                    return;
                }
                let answer = Arc::clone(&answer);
                // A client that hangs up in the middle is no affair of ours.
                std::thread::spawn(move || answer(&stream).ok());
            }
        });
        Self { address, is_over }
    }

    /// The address of the storage account that it plays: `http://127.0.0.1:PORT/account`
    pub fn account(&self) -> String {
        format!("http://{}/account", self.address)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // Wakes the thread that listens.
        drop(TcpStream::connect(self.address));
    }
}
