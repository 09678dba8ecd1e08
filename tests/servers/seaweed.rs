use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use super::guard::Guard;
use super::tool;

/// It is ready after three or four seconds on a quiet machine.
const START_TIMEOUT: Duration = Duration::from_secs(25);
const STARTS_MAX: usize = 4;

/// An S3 server (SeaweedFS) that checks signatures, with its data in a folder of its own.
pub struct Seaweed {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    filer_port: u16,
    guard: Guard,
}

impl Seaweed {
    pub const ACCESS_KEY_ID: &str = "test-access-key";
    pub const SECRET_ACCESS_KEY: &str = "test-secret-access-key";
    /// It takes any.
    pub const REGION: &str = "us-east-1";

    /// Another server may take one of the ports between the look and the start: then it starts anew on others.
    pub fn start() -> Self {
        (0..STARTS_MAX)
            .find_map(|_| Self::try_start())
            .expect("the server gets ready")
    }

    fn try_start() -> Option<Self> {
        // The guard removes it: a server in a static is never dropped.
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let identities = format!(
            r#"{{"identities":[{{"name":"test","credentials":[{{"accessKey":"{}","secretKey":"{}"}}],"actions":["Admin"]}}]}}"#,
            Self::ACCESS_KEY_ID,
            Self::SECRET_ACCESS_KEY
        );
        std::fs::write(folder.join("s3.json"), identities).expect("the folder is writable");
        let [master, volume, filer, s3] = free_ports();
        let mut command = Command::new(tool("seaweedfs/bin/weed"));
        command.current_dir(&folder).args([
            "server",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-dir=.",
            "-filer",
            "-s3",
            "-s3.config=s3.json",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=50",
            // Ports that only one server of a machine could have.
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ]);
        for (service, port) in [("master", master), ("volume", volume), ("filer", filer), ("s3", s3)] {
            command.arg(format!("-{service}.port={port}"));
        }
        let mut guard = Guard::start(&command);
        guard.ignore_output();
        let is_ready = || status(s3, "GET", "/").is_some() && status(filer, "GET", "/").is_some();
        guard.is_ready_within(START_TIMEOUT, is_ready).then(|| Self {
            endpoint: format!("http://127.0.0.1:{s3}"),
            filer_port: filer,
            guard,
        })
    }

    /// A bucket is a folder of the server's own file system, which takes unsigned requests.
    pub fn create_bucket(&self, name: &str) {
        self.guard
            .wait_until(|| status(self.filer_port, "POST", &format!("/buckets/{name}/")) == Some(201));
    }
}

/// Ports that are free, each together with the one ten thousand above it, where the server puts its own protocol.
fn free_ports() -> [u16; 4] {
    let mut held = Vec::new();
    let ports = std::array::from_fn(|_| {
        loop {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            // Both lie below the range from which the system gives ports to outgoing connections.
            let lower = 12_000 + port % 10_000;
            let pair = (
                TcpListener::bind(("127.0.0.1", lower)),
                TcpListener::bind(("127.0.0.1", lower + 10_000)),
            );
            if let (Ok(first), Ok(second)) = pair {
                held.extend([first, second]);
                return lower;
            }
        }
    });
    drop(held);
    ports
}

/// The status that a plain request is answered with, if it is answered.
fn status(port: u16, method: &str, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(answer.get(9..)?).ok()?.parse().ok()
}
