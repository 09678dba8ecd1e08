use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use super::loopback::Loopback;
use super::watched::Watched;

/// A queue of Azure's kind that takes, holds or refuses messages as it is told, so that a test can look at a run from outside while its
/// messages are under way.
pub struct Inbox {
    server: Loopback,
    shared: Arc<Watched<Inside>>,
}

/// A message as the queue got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Of the request's header: the same at each repetition.
    pub id: String,
    pub body: String,
}

#[derive(Default)]
struct Inside {
    /// The status of every answer that is no success.
    refusal: Option<u16>,
    holds: bool,
    held: usize,
    received: Vec<Received>,
}

impl Inbox {
    pub fn start() -> Self {
        let shared = Arc::new(Watched::default());
        let served = Arc::clone(&shared);
        Self {
            server: Loopback::start(move |stream| answer(stream, &served)),
            shared,
        }
    }

    /// A connection of the kind `azqueue` to this server, its SAS token in the file `sas` beside the connections.
    pub fn connection(&self) -> String {
        let endpoint = self.server.account();
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
        self.shared.change(|inside| inside.holds = false);
    }

    /// Waits until so many messages are held at once.
    #[track_caller]
    pub fn wait_until_held(&self, count: usize) {
        self.shared.wait_until(count, |inside| inside.held);
    }

    /// The messages that were taken, in their order, repetitions included.
    pub fn received(&self) -> Vec<Received> {
        self.shared.lock().received.clone()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.release();
    }
}

fn answer(mut stream: &TcpStream, shared: &Watched<Inside>) -> std::io::Result<()> {
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

fn hold(shared: &Watched<Inside>) {
    shared.change(|inside| inside.held += 1);
    shared.wait_while(|inside| inside.holds);
    shared.lock().held -= 1;
}
