//! The one file that names sled. Everything it is known to do badly is met here: a panic inside it becomes an error, half-written
//! snapshots are removed before it opens, reads and writes take turns, and large values are the caller's to split.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{self, DecodeError};
use super::key::{Key, Prefix};
use super::{StateError, StateFolder};

/// The database's page cache, in bytes; its batches and recovery come on top.
const CACHE_BYTES: u64 = 16 << 20;

/// Beside the flush of every commit, which survives a killed process, this thread's `fsync` is what survives a power cut.
const SYNC_EVERY_MS: u64 = 500;

/// How long to wait for a process that died, or a handle that was dropped, to let go of the database's own lock: it goes a moment
/// after ours, which we hold by then.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
const RELEASE_POLL: Duration = Duration::from_millis(5);

/// Changes that become visible together or not at all. The last one to a key counts.
#[derive(Default)]
pub(super) struct Batch {
    writes: BTreeMap<Key, Option<Vec<u8>>>,
}

impl Batch {
    pub(super) fn put(&mut self, key: Key, record: &impl Serialize) -> Result<(), StateError> {
        let bytes = codec::encode(record).ok_or(StateError::Unencodable)?;
        self.put_bytes(key, bytes);
        Ok(())
    }

    /// For a piece of a record that was encoded as a whole.
    pub(super) fn put_bytes(&mut self, key: Key, bytes: Vec<u8>) {
        self.writes.insert(key, Some(bytes));
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.writes.insert(key, None);
    }
}

pub(super) struct Database {
    /// Taken out only to be dropped under guard.
    tree: Option<sled::Db>,
    /// The state folder, for messages.
    folder: PathBuf,
    /// One access at a time: reads beside a batch are where deadlocks of the library have been reported.
    access: Mutex<()>,
}

impl Database {
    /// Whether there is nothing at `path` that could hold a record. The library would make a new database there, silently.
    pub(super) fn is_missing(path: &Path) -> bool {
        fs::metadata(path.join("db")).map_or(true, |metadata| metadata.len() == 0)
    }

    /// Opens the database at `path`, or makes an empty one. The caller holds the state's lock.
    pub(super) fn open(folder: &StateFolder, path: &Path) -> Result<Self, StateError> {
        remove_unfinished_snapshots(path)?;
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(Some(SYNC_EVERY_MS));
        let give_up = Instant::now() + RELEASE_TIMEOUT;
        loop {
            match guarded(|| config.open()) {
                Ok(Ok(tree)) => {
                    return Ok(Self {
                        tree: Some(tree),
                        folder: folder.path().to_owned(),
                        access: Mutex::new(()),
                    });
                }
                Ok(Err(sled::Error::Io(error))) if is_lock_refusal(&error) => {
                    if Instant::now() >= give_up {
                        return Err(StateError::Locked {
                            folder: folder.path().to_owned(),
                            holder: None,
                        });
                    }
                    thread::sleep(RELEASE_POLL);
                }
                Ok(Err(error)) => return Err(translate(error, folder.path())),
                Err(Panicked) => return Err(damaged(folder.path(), PANICKED)),
            }
        }
    }

    pub(super) fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StateError> {
        let bytes = self.call(|tree| tree.get(key.0))?;
        bytes.map(|bytes| self.decode(&bytes)).transpose()
    }

    pub(super) fn contains(&self, prefix: &Prefix) -> Result<bool, StateError> {
        let first = self.call(|tree| tree.scan_prefix(&prefix.0).next().transpose())?;
        Ok(first.is_some())
    }

    /// The records of a group, in the order of their keys.
    pub(super) fn scan<T: DeserializeOwned>(&self, prefix: &Prefix) -> Result<Vec<(Key, T)>, StateError> {
        let records = self.scan_bytes(prefix)?;
        records
            .into_iter()
            .map(|(key, bytes)| Ok((key, self.decode(&bytes)?)))
            .collect()
    }

    /// The same without decoding: for records that are stored in pieces.
    pub(super) fn scan_bytes(&self, prefix: &Prefix) -> Result<Vec<(Key, Vec<u8>)>, StateError> {
        let records = self.call(|tree| {
            tree.scan_prefix(&prefix.0)
                .map(|record| record.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect::<Result<Vec<_>, _>>()
        })?;
        records
            .into_iter()
            .map(|(key, value)| Ok((self.key(&key)?, value)))
            .collect()
    }

    /// The first key at or behind `from`.
    pub(super) fn key_from(&self, from: Key) -> Result<Option<Key>, StateError> {
        let found = self.call(|tree| tree.range(from.0..).keys().next().transpose())?;
        found.map(|key| self.key(&key)).transpose()
    }

    /// Makes a batch visible, whole. It is durable only after the next [`flush`](Self::flush).
    pub(super) fn apply(&self, batch: Batch) -> Result<(), StateError> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch.writes {
            match value {
                Some(value) => writes.insert(&key.0, value),
                None => writes.remove(&key.0),
            }
        }
        self.call(|tree| tree.apply_batch(writes))
    }

    /// Makes everything applied so far durable.
    pub(super) fn flush(&self) -> Result<(), StateError> {
        self.call(|tree| tree.flush().map(|_| ()))
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, StateError> {
        codec::decode(bytes).map_err(|error: DecodeError| damaged(&self.folder, &error.to_string()))
    }

    fn key(&self, bytes: &[u8]) -> Result<Key, StateError> {
        Key::read(bytes).ok_or_else(|| damaged(&self.folder, "a key has an unknown length"))
    }

    /// Every call of the library goes through here.
    fn call<T>(&self, access: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, StateError> {
        let Some(tree) = &self.tree else {
            return Err(StateError::Closed {
                folder: self.folder.clone(),
            });
        };
        let _turn = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        match guarded(|| access(tree)) {
            Ok(result) => result.map_err(|error| translate(error, &self.folder)),
            Err(Panicked) => Err(damaged(&self.folder, PANICKED)),
        }
    }
}

impl Drop for Database {
    /// Closing flushes, and the library panics where that fails; what had been acknowledged was flushed before.
    fn drop(&mut self) {
        let tree = self.tree.take();
        let _ = guarded(move || drop(tree));
    }
}

struct Panicked;

const PANICKED: &str = "the database library gave up on its files";

thread_local! {
    /// Set while this thread is inside the library: a panic there is an answer, not an accident to print.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`, turning a panic into an error without the usual report on stderr.
fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |report| {
            let thread = thread::current();
            let in_library = thread.name().is_some_and(|name| name.starts_with("sled"));
            if !in_library && !GUARDED.get() {
                usual(report);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    result.map_err(|_| Panicked)
}

/// A process killed while it wrote a snapshot leaves `snap.<position>.generating`, which the library would take for a whole one
/// at the next opening and call it corruption. The log itself is complete without it.
fn remove_unfinished_snapshots(path: &Path) -> Result<(), StateError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StateError::io("list", path)(error)),
    };
    for entry in entries {
        let file = entry.map_err(StateError::io("list", path))?.path();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(&file).map_err(StateError::io("remove", &file))?;
        }
    }
    Ok(())
}

fn is_lock_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}

/// Whether the disk refused, or what is on it is wrong.
fn translate(error: sled::Error, folder: &Path) -> StateError {
    match error {
        sled::Error::Io(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                damaged(folder, "a file of the database ends too early")
            }
            _ => StateError::Io {
                action: "use the database in",
                path: folder.to_owned(),
                source: Arc::new(in_its_words(error)),
            },
        },
        sled::Error::Corruption { .. } => damaged(folder, "the database's checksums do not match"),
        _ => damaged(folder, "the database contradicts itself"),
    }
}

/// An error that the library keeps is told a second time as a dump of its fields; its kind says the same to people.
fn in_its_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Other => error,
        kind if error.raw_os_error().is_none() => io::Error::from(kind),
        _ => error,
    }
}

fn damaged(folder: &Path, problem: &str) -> StateError {
    StateError::Damaged {
        folder: folder.to_owned(),
        problem: problem.to_owned(),
    }
}
