use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::StateError;

/// Replaces a file as a whole: readers see the old text or the new one, never a part, also after a power cut.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let temporary = path.with_extension("tmp");
    write_whole(&temporary, bytes).map_err(StateError::io("write", &temporary))?;
    fs::rename(&temporary, path).map_err(StateError::io("replace", path))?;
    sync_parent(path)
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a new or renamed entry of a folder durable. Only Unix needs it, and only there can a folder be opened.
pub(super) fn sync_parent(path: &Path) -> Result<(), StateError> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        File::open(parent)
            .and_then(|folder| folder.sync_all())
            .map_err(StateError::io("sync", parent))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The file's bytes, or `None` where there is no such file.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::io("read", path)(error)),
    }
}

/// Removes a folder and all in it; it need not exist.
pub(super) fn remove_folder(path: &Path) -> Result<(), StateError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StateError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
