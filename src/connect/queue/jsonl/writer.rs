use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use super::error;
use crate::model::Failure;

/// Messages committed together.
const BATCH_MAX: usize = 1024;

/// A line to be appended, and where its sender waits.
pub(super) struct Append {
    pub line: Vec<u8>,
    pub done: oneshot::Sender<Result<(), Failure>>,
}

/// Starts the one writer of a file: a thread, so that no runtime waits for it when it ends. It ends when its queue is dropped.
pub(super) fn start(path: PathBuf, waiting: mpsc::Receiver<Append>) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("jsonl-queue".to_owned());
    thread.spawn(move || run(&path, waiting)).map(drop)
}

/// A commit starts as soon as the last one has ended, with all that came meanwhile.
fn run(path: &Path, mut waiting: mpsc::Receiver<Append>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        // One whose sender has given up would be written for nobody, and once more when it is sent again.
        batch.retain(|append| !append.done.is_closed());
        let result = append(path, &batch);
        for Append { done, .. } in batch.drain(..) {
            let answer = match &result {
                Ok(()) => Ok(()),
                Err(failure) => Err(failure.clone()),
            };
            // A sender that no longer waits has given up.
            let _ = done.send(answer);
        }
    }
}

fn append(path: &Path, batch: &[Append]) -> Result<(), Failure> {
    if batch.is_empty() {
        return Ok(());
    }
    let failed = |error: io::Error| error::failure("append to", path, &error);
    // Opened for each commit: a consumer may have moved the file away, and a write that failed half-way is looked at like any other.
    let (mut file, is_new) = open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(error::not_a_file(path));
    }
    let mut bytes = Vec::with_capacity(batch.iter().map(|append| append.line.len()).sum::<usize>() + 1);
    if is_torn(&mut file, metadata.len()).map_err(failed)? {
        bytes.push(b'\n');
    }
    batch.iter().for_each(|append| bytes.extend_from_slice(&append.line));
    file.write_all(&bytes).map_err(failed)?;
    file.sync_data().map_err(failed)?;
    if is_new {
        sync_folder(path).map_err(failed)?;
    }
    Ok(())
}

/// The file, and whether it was not there before.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            options.create(true).open(path).map(|file| (file, true))
        }
        opened => opened.map(|file| (file, false)),
    }
}

/// Whether the last line has no end: a writer was killed, or the disk was full. What it holds is no message; a line break keeps it
/// away from the next one.
fn is_torn(file: &mut File, size: u64) -> io::Result<bool> {
    if size == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(size - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Makes a new file's name as durable as its bytes.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Elsewhere a folder cannot be synced, and its file system sees to it.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
