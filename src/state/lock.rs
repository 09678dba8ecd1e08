use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

use super::{StateError, StateFolder};

/// Who works on a state, for the message to everybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub host: String,
    pub pid: u32,
    pub started: Timestamp,
    /// The command as a person would recognise it, without values of secrets: `pipeline run jobs/reupload.yaml`.
    pub command: String,
}

impl Holder {
    /// This process.
    pub fn this_process(command: impl Into<String>) -> Self {
        Self {
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: process::id(),
            started: Timestamp::now(),
            command: command.into(),
        }
    }
}

/// How long a lock may be held without a name in it: by a process that is just starting or ending.
const NAMELESS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a lock may be held with a name in it that is a dead holder's: by a process that only looks ([`holder`]).
const LOOK_TIMEOUT: Duration = Duration::from_millis(100);
const NAMELESS_POLL: Duration = Duration::from_millis(5);

/// The state's lock, held as long as this lives. The operating system frees it with the process, however that ends, so what
/// an earlier holder left in the file is no obstacle.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Makes the folder if need be, and takes its lock; while a named holder has it, not at all.
    pub(super) fn take(folder: &StateFolder, holder: &Holder) -> Result<Self, StateError> {
        fs::create_dir_all(folder.path()).map_err(StateError::io("create the state folder", folder.path()))?;
        let path = folder.lock();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StateError::io("open", &path))?;
        let give_up = Instant::now() + NAMELESS_TIMEOUT;
        let named_until = Instant::now() + LOOK_TIMEOUT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let holder = read_holder(&mut file);
                    let patience = if holder.is_some() { named_until } else { give_up };
                    if Instant::now() >= patience {
                        return Err(StateError::Locked {
                            folder: folder.path().to_owned(),
                            holder,
                        });
                    }
                    thread::sleep(NAMELESS_POLL);
                }
                Err(TryLockError::Error(error)) => return Err(StateError::io("lock", &path)(error)),
            }
        }
        let text = serde_json::to_vec(holder).unwrap_or_default();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&text))
            .map_err(StateError::io("write", &path))?;
        Ok(Self { file })
    }
}

/// Who holds the state's lock now; `None` when nobody does. Takes nothing away from a process that is about to take the lock: that waits
/// longer than this looks.
pub fn holder(folder: &StateFolder) -> Result<Option<Holder>, StateError> {
    let path = folder.lock();
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::io("open", &path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(read_holder(&mut file)),
        Err(TryLockError::Error(error)) => Err(StateError::io("look at", &path)(error)),
    }
}

/// What stood in the way of taking a state's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlocked {
    /// A living process has it; its name is unknown for an instant while it starts.
    Held(Option<Holder>),
    /// Nobody has it, and a holder that was killed had left its name, which is removed now.
    Stale(Holder),
    /// Nobody has it.
    Free,
}

/// Removes the name that a killed holder left in the lock. A lock that is held is never taken away: it ends with its process.
pub fn unlock(folder: &StateFolder) -> Result<Unlocked, StateError> {
    let path = folder.lock();
    let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Unlocked::Free),
        Err(error) => return Err(StateError::io("open", &path)(error)),
    };
    match file.try_lock() {
        Ok(()) => {
            let left = read_holder(&mut file);
            file.set_len(0).map_err(StateError::io("write", &path))?;
            Ok(left.map_or(Unlocked::Free, Unlocked::Stale))
        }
        Err(TryLockError::WouldBlock) => Ok(Unlocked::Held(read_holder(&mut file))),
        Err(TryLockError::Error(error)) => Err(StateError::io("look at", &path)(error)),
    }
}

impl Drop for Lock {
    /// The name in the file is only for as long as the lock is held; a failure to clear it changes nothing.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_the_lock() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path().join("job/local"));
        let holder = Holder::this_process("pipeline run jobs/a.yaml");
        let lock = Lock::take(&folder, &holder).unwrap();

        let refusal = Lock::take(&folder, &Holder::this_process("pipeline run b")).unwrap_err();
        let StateError::Locked { holder: found, .. } = &refusal else {
            panic!("{refusal}")
        };
        assert_eq!(found.as_ref(), Some(&holder));
        let message = refusal.to_string();
        let expected = [
            holder.host,
            holder.pid.to_string(),
            holder.started.to_string(),
            holder.command,
        ];
        for part in expected {
            assert!(message.contains(&part), "{message}");
        }

        assert!(super::holder(&folder).unwrap().is_some());

        drop(lock);
        assert_eq!(super::holder(&folder).unwrap(), None);
        Lock::take(&folder, &Holder::this_process("pipeline run b")).unwrap();
    }

    #[test]
    fn what_a_dead_holder_left_in_the_file_is_no_obstacle() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        fs::write(folder.lock(), r#"{"host":"gone","pid":1,"started":0,"command":"x"}"#).unwrap();
        Lock::take(&folder, &Holder::this_process("pipeline run a")).unwrap();
    }
}
