use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use super::loopback::Loopback;
use super::watched::Watched;

/// How a blob answers when its bytes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Sound,
    /// The bytes come when the gate is opened.
    Held,
    /// The connection ends in the middle of the body.
    CutShort,
    /// An error, with this status.
    Status(u16),
    /// So many times 503 with a delay of a second to keep, then sound.
    Busy(u32),
}

/// A blob server of Azure's kind that holds bytes back until it is told, so that a test can look at a run from outside at a
/// moment of its choice.
pub struct Gate {
    server: Loopback,
    shared: Arc<Watched<Inside>>,
}

#[derive(Default)]
struct Inside {
    blobs: HashMap<String, (Vec<u8>, Behaviour)>,
    is_open: bool,
    held: usize,
    most_held: usize,
    /// Paths whose bytes were asked for, in the order of the questions.
    reads: Vec<String>,
}

impl Gate {
    pub fn start() -> Self {
        let shared = Arc::new(Watched::default());
        let served = Arc::clone(&shared);
        Self {
            server: Loopback::start(move |stream| answer(stream, &served)),
            shared,
        }
    }

    /// A connection of the kind `azblob` to this server, its SAS token in the file `sas` beside the connections.
    pub fn connection(&self) -> String {
        self.connection_with("limit = 10000")
    }

    /// The same with more keys, as TOML.
    pub fn connection_with(&self, keys: &str) -> String {
        let endpoint = self.endpoint();
        format!(
            r#"azblob = {{ account = "account", container = "box", endpoint = "{endpoint}", sas_token = "${{file:sas}}", {keys} }}"#
        )
    }

    /// `http://127.0.0.1:PORT/account`
    pub fn endpoint(&self) -> String {
        self.server.account()
    }

    pub fn put(&self, path: &str, bytes: Vec<u8>, behaviour: Behaviour) {
        self.shared.lock().blobs.insert(path.to_owned(), (bytes, behaviour));
    }

    /// Lets everything through that is held, now and later.
    pub fn open(&self) {
        self.shared.change(|inside| inside.is_open = true);
    }

    /// Waits until so many requests are held at once.
    #[track_caller]
    pub fn wait_until_held(&self, count: usize) {
        self.shared.wait_until(count, |inside| inside.held);
    }

    /// The most requests that were ever held at once.
    pub fn most_held(&self) -> usize {
        self.shared.lock().most_held
    }

    /// Paths whose bytes were asked for so far.
    pub fn reads(&self) -> Vec<String> {
        self.shared.lock().reads.clone()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

fn answer(mut stream: &TcpStream, shared: &Watched<Inside>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut range = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some((_, bounds)) = line.split_once("range: bytes=") {
            range = bounds
                .split_once('-')
                .map(|(start, end)| (start.to_owned(), end.to_owned()));
        }
    }
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let path = path.trim_start_matches("/account/box/").to_owned();
    let found = shared.lock().blobs.get(&path).cloned();
    let Some((bytes, behaviour)) = found else {
        return write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nx-ms-error-code: BlobNotFound\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    };
    let is_read = method == "GET";
    if is_read {
        shared.lock().reads.push(path.clone());
    }
    match behaviour {
        Behaviour::Status(status) if is_read => {
            return write!(
                stream,
                "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Behaviour::Busy(times) if is_read && times > 0 => {
            shared.lock().blobs.insert(path, (bytes, Behaviour::Busy(times - 1)));
            return write!(
                stream,
                "HTTP/1.1 503 No\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Behaviour::Held if is_read => hold(shared),
        _ => {}
    }
    let size = bytes.len();
    let (status, start, end) = match range {
        Some((start, end)) => {
            let start: usize = start.parse().unwrap_or(0);
            let end = end.parse::<usize>().map_or(size, |last| (last + 1).min(size));
            ("206 Partial Content", start, end)
        }
        None => ("200 OK", 0, size),
    };
    let length = end - start;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"0x1\"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
         x-ms-blob-type: BlockBlob\r\nContent-Range: bytes {start}-{}/{size}\r\nConnection: close\r\n\r\n",
        end.saturating_sub(1)
    )?;
    if is_read {
        let sent = if behaviour == Behaviour::CutShort {
            length / 2
        } else {
            length
        };
        stream.write_all(&bytes[start..start + sent])?;
    }
    Ok(())
}

fn hold(shared: &Watched<Inside>) {
    shared.change(|inside| {
        inside.held += 1;
        inside.most_held = inside.most_held.max(inside.held);
    });
    shared.wait_while(|inside| !inside.is_open);
    shared.lock().held -= 1;
}
