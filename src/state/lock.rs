use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::time::Duration;
use std::{process, thread};

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

/// The state's lock, held as long as this lives. The operating system frees it with the process, however that ends, so what
/// an earlier holder left in the file is no obstacle.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Makes the folder if need be, and takes its lock at once or not at all.
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
        match try_patiently(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Locked {
                    folder: folder.path().to_owned(),
                    holder: read_holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(StateError::io("lock", &path)(error)),
        }
        let text = serde_json::to_vec(holder).unwrap_or_default();
        file.set_len(0)
            .and_then(|()| file.write_all(&text))
            .map_err(StateError::io("write", &path))?;
        Ok(Self { file })
    }
}

/// Who holds the state's lock now; `None` when nobody does. Takes nothing away from a process that is about to take the lock: it waits
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
        Err(TryLockError::WouldBlock) => Ok(Some(read_holder(&mut file).unwrap_or_else(|| Holder {
            host: "unknown".to_owned(),
            pid: 0,
            started: Timestamp::now(),
            command: "pipeline".to_owned(),
        }))),
        Err(TryLockError::Error(error)) => Err(StateError::io("look at", &path)(error)),
    }
}

/// Tries for a tenth of a second, so that a `status` that looks at the lock in this very moment is not taken for a run.
fn try_patiently(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            answer => return answer,
        }
    }
    file.try_lock()
}

/// Removes everything that a state holds, under its lock.
pub fn forget(folder: &StateFolder, holder: &Holder) -> Result<(), StateError> {
    let _lock = Lock::take(folder, holder)?;
    let entries = fs::read_dir(folder.path()).map_err(StateError::io("read", folder.path()))?;
    for entry in entries {
        let path = entry.map_err(StateError::io("read", folder.path()))?.path();
        if path == folder.lock() {
            continue;
        }
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(StateError::io("remove", &path))?;
    }
    Ok(())
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
        for part in [
            &holder.host,
            &holder.pid.to_string(),
            &holder.started.to_string(),
            "jobs/a.yaml",
        ] {
            assert!(message.contains(part.as_str()), "{message}");
        }

        assert_eq!(super::holder(&folder).unwrap().as_ref(), Some(&holder));

        drop(lock);
        assert_eq!(super::holder(&folder).unwrap(), None);
        Lock::take(&folder, &holder).unwrap();
    }

    #[test]
    fn what_a_dead_holder_left_in_the_file_is_no_obstacle() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        fs::write(folder.lock(), r#"{"host":"gone","pid":1,"started":0,"command":"x"}"#).unwrap();
        Lock::take(&folder, &Holder::this_process("pipeline run a")).unwrap();
    }
}
