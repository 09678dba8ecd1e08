use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::process;

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
        match file.try_lock() {
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

        drop(lock);
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
