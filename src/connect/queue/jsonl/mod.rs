//! Messages appended to a file, one JSON object to a line: for trials, and for consumers that read files.

mod error;
mod line;
mod writer;

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use self::writer::Append;
use super::{Message, Queue};
use crate::model::Failure;

/// Messages waiting for the writer; senders beyond them wait as well.
const WAITING_MAX: usize = 4096;

/// A file of messages. Many senders share one writer, which commits all that have come meanwhile with one write and one sync.
pub(in crate::connect) struct JsonlQueue {
    path: PathBuf,
    timeout: Duration,
    appends: mpsc::Sender<Append>,
}

impl JsonlQueue {
    /// Starts the writer; the file is opened, or created with its folder, when the first message comes.
    ///
    /// # Errors
    /// `queue.io` when the system gives no thread.
    pub fn open(path: PathBuf, timeout: Duration) -> Result<Self, Failure> {
        let (appends, waiting) = mpsc::channel(WAITING_MAX);
        writer::start(path.clone(), waiting).map_err(|error| error::failure("append to", &path, &error))?;
        Ok(Self { path, timeout, appends })
    }

    async fn append(&self, message: Message<'_>) -> Result<(), Failure> {
        let line = line::render(message)?;
        let (done, answer) = oneshot::channel();
        let sent = async {
            self.appends.send(Append { line, done }).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(self.timeout, sent).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(error::ended(&self.path)),
            Err(_) => Err(error::timeout(&self.path)),
        }
    }
}

impl Queue for JsonlQueue {
    fn send<'a>(&'a self, message: Message<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        self.append(message).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        let path = self.path.clone();
        async move {
            let looked = tokio::task::spawn_blocking(move || probe(&path)).await;
            looked.unwrap_or_else(|_| Err(error::ended(&self.path)))
        }
        .boxed()
    }
}

/// Whether the file can be written, or made in the nearest folder that is there.
fn probe(path: &Path) -> Result<(), Failure> {
    let failed = |error| Err(error::failure("append to", path, &error));
    match OpenOptions::new().read(true).append(true).open(path) {
        Ok(file) => match file.metadata() {
            Ok(metadata) if metadata.is_file() => return Ok(()),
            Ok(_) => return Err(error::not_a_file(path)),
            Err(error) => return failed(error),
        },
        Err(error) if error.kind() != ErrorKind::NotFound => return failed(error),
        Err(_) => {}
    }
    let folders = path.ancestors().skip(1);
    match folders.map(std::fs::metadata).find(|found| !is_absent(found)) {
        Some(Ok(folder)) if !folder.is_dir() => failed(ErrorKind::NotADirectory.into()),
        Some(Ok(folder)) if folder.permissions().readonly() => failed(ErrorKind::PermissionDenied.into()),
        Some(Err(error)) => failed(error),
        Some(Ok(_)) | None => Ok(()),
    }
}

fn is_absent(found: &std::io::Result<std::fs::Metadata>) -> bool {
    found.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}
