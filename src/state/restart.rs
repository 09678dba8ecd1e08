use std::fs;
use std::io;
use std::path::Path;

use super::files::{remove_folder, sync_parent};
use super::lock::Lock;
use super::watermark::Watermark;
use super::{Holder, StateError, StateFolder};

/// Forgets everything about a job but its journals, so that the next opening begins a new state. Works on a damaged state too.
///
/// Cut off before the database is moved, nothing is forgotten; after it, an opening says that the database is gone until this
/// is done again.
pub fn restart(folder: &StateFolder, holder: &Holder) -> Result<(), StateError> {
    let _lock = Lock::take(folder, holder)?;
    let aside = folder.new_database();
    remove_folder(&aside)?;
    unless_missing(fs::remove_file(folder.marker())).map_err(StateError::io("remove", &folder.marker()))?;
    move_if_there(&folder.database(), &aside)?;
    Watermark::remove(folder)?;
    remove_folder(&folder.segment_folder())?;
    remove_folder(&folder.rejects())?;
    remove_folder(&aside)
}

fn move_if_there(from: &Path, to: &Path) -> Result<(), StateError> {
    unless_missing(fs::rename(from, to)).map_err(StateError::io("remove", from))?;
    sync_parent(from)
}

fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
