use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{WORKSPACE, error};
use crate::model::Failure;

/// A process's own folder for unfinished files, on the file system of the root so that finishing is a link or a rename.
///
/// It is held by a locked file in it. A killed process leaves its folder behind without the lock; the next one to write to this
/// root takes that as the sign that nobody needs it, and removes it.
pub(super) struct Workspace {
    folder: PathBuf,
    /// Locked as long as this lives.
    _lock: File,
    next_number: AtomicU64,
}

/// Processes that start in the same nanosecond under the same process id (containers) draw another name, so often at most.
const NAMES_MAX: u32 = 16;

const LOCK: &str = "lock";

impl Workspace {
    pub(super) fn open(root: &Path) -> Result<Self, Failure> {
        let parent = root.join(WORKSPACE);
        let in_root = |error: io::Error| error::failure("write to", &root.to_string_lossy(), &error);
        std::fs::create_dir_all(&parent).map_err(in_root)?;
        remove_abandoned(&parent);
        for number in 0..NAMES_MAX {
            let folder = parent.join(folder_name(number));
            match Self::claim(folder) {
                Ok(workspace) => return Ok(workspace),
                Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::WouldBlock) => {}
                // Another process that left removed the empty parent.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    std::fs::create_dir_all(&parent).map_err(in_root)?;
                }
                Err(error) => return Err(in_root(error)),
            }
        }
        Err(Failure::transient(
            "store.busy",
            format!("no workspace could be made in `{}`; try again", parent.display()),
        ))
    }

    fn claim(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir(&folder)?;
        let lock = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            // A file system without locks: nothing can be told abandoned there, so nothing is removed either.
            Err(TryLockError::Error(_)) => {}
        }
        // Another process may have taken it for abandoned before the lock was had.
        if !folder.join(LOCK).exists() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self {
            folder,
            _lock: lock,
            next_number: AtomicU64::new(0),
        })
    }

    /// A path that nothing in this workspace has had before.
    pub(super) fn next_path(&self) -> PathBuf {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        self.folder.join(number.to_string())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Best effort: what stays is removed by the next process.
        let _ = std::fs::remove_dir_all(&self.folder);
        if let Some(parent) = self.folder.parent() {
            let _ = std::fs::remove_dir(parent);
        }
    }
}

fn folder_name(number: u32) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{number}", std::process::id(), since.as_nanos())
}

/// Removes the workspaces of processes that are gone: those whose lock can be had, and those without one.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let folder = entry.path();
        match File::open(folder.join(LOCK)) {
            Ok(lock) => {
                if lock.try_lock().is_ok() {
                    let _ = std::fs::remove_dir_all(&folder);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => remove_unlocked(&folder),
            Err(_) => {}
        }
    }
}

/// Removes a workspace that was found without a lock: its process was killed before it made one, or while it removed the whole.
///
/// An empty one may be another process's that is about to make its lock; that finds it gone and makes another. One with files but still
/// without a lock is nobody's, because the lock is made before any file.
fn remove_unlocked(folder: &Path) {
    if std::fs::remove_dir(folder).is_err() && !folder.join(LOCK).exists() {
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abandoned_workspace_is_removed_and_a_living_one_is_not() {
        let root = tempfile::tempdir().unwrap();
        let abandoned = root.path().join(WORKSPACE).join("1-1-0");
        std::fs::create_dir_all(&abandoned).unwrap();
        std::fs::write(abandoned.join(LOCK), "").unwrap();
        std::fs::write(abandoned.join("0"), "half a fi").unwrap();

        let first = Workspace::open(root.path()).unwrap();
        assert!(!abandoned.exists());
        let second = Workspace::open(root.path()).unwrap();
        assert!(first.folder.exists());
        assert_ne!(first.next_path(), second.next_path());
        drop((first, second));
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_workspace_whose_process_was_killed_while_making_or_removing_it_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let workspaces = root.path().join(WORKSPACE);
        std::fs::create_dir_all(workspaces.join("1-1-0")).unwrap();
        std::fs::create_dir_all(workspaces.join("2-1-0")).unwrap();
        std::fs::write(workspaces.join("2-1-0").join("0"), "half a fi").unwrap();
        drop(Workspace::open(root.path()).unwrap());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
