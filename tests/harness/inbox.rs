use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::process::HUNG_AFTER;

/// A queue of Azure's kind that takes, holds or refuses messages as it is told, so that a test can look at a run from outside while its
/// messages are under way.
pub struct Inbox {
    endpoint: String,
    shared: Arc<Shared>,
}

/// A message as the queue got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Of the request's header: the same at each repetition.
    pub id: String,
    pub body: String,
}

#[derive(Default)]
struct Shared {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    /// The status of every answer that is no success.
    refusal: Option<u16>,
    holds: bool,
    held: usize,
    received: Vec<Received>,
    is_over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}/account", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if served.lock().is_over {
                    return;
                }
                let served = Arc::clone(&served);
                // A client that hangs up in the middle is no affair of ours.
                std::thread::spawn(move || answer(&stream, &served).ok());
            }
        });
        Self { endpoint, shared }
    }

    /// A connection of the kind `azqueue` to this server, its SAS token in the file `sas` beside the connections.
    pub fn connection(&self) -> String {
        let endpoint = &self.endpoint;
        format!(
            r#"azqueue = {{ queue = "told", endpoint = "{endpoint}", sas_token = "${{file:sas}}", encoding = "text" }}"#
        )
    }

    /// From now on every answer has this status.
    pub fn refuse(&self, status: u16) {
        self.shared.lock().refusal = Some(status);
    }

    /// From now on messages are taken.
    pub fn accept(&self) {
        self.shared.lock().refusal = None;
    }

    /// From now on no message is answered.
    pub fn hold(&self) {
        self.shared.lock().holds = true;
    }

    /// Answers everything that is held, and holds no more.
    pub fn release(&self) {
        self.shared.lock().holds = false;
        self.shared.changed.notify_all();
    }

    /// Waits until so many messages are held at once.
    #[track_caller]
    pub fn wait_until_held(&self, count: usize) {
        let changed = &self.shared.changed;
        let waited = changed.wait_timeout_while(self.shared.lock(), HUNG_AFTER, |inside| inside.held < count);
        let (inside, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "{} of {count} messages came", inside.held);
    }

    /// The messages that were taken, in their order, repetitions included.
    pub fn received(&self) -> Vec<Received> {
        self.shared.lock().received.clone()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.release();
        // Wakes the thread that listens.
        let address = self.endpoint.trim_start_matches("http://").trim_end_matches("/account");
        drop(TcpStream::connect(address));
    }
}

fn answer(mut stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut id) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "x-ms-client-request-id" => id = value.trim().to_owned(),
                _ => {}
            }
        }
    }
    let mut request = vec![0; length];
    reader.read_exact(&mut request)?;
    hold(shared);
    let refusal = shared.lock().refusal;
    if let Some(status) = refusal {
        return write!(
            stream,
            "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let request = String::from_utf8_lossy(&request);
    let text = request.split_once("<MessageText>").map_or("", |(_, rest)| rest);
    let body = text.split("</MessageText>").next().unwrap_or_default().to_owned();
    shared.lock().received.push(Received { id, body });
    write!(
        stream,
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

fn hold(shared: &Shared) {
    let mut inside = shared.lock();
    inside.held += 1;
    shared.changed.notify_all();
    let waited = shared
        .changed
        .wait_while(inside, |inside| inside.holds && !inside.is_over);
    waited.unwrap_or_else(PoisonError::into_inner).held -= 1;
}
