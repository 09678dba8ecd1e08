use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::super::{StateError, StateFolder};

/// Where temporary files are made: on the disk that holds the state, or is to hold it.
#[derive(Clone, Debug)]
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// The state's folder, or the nearest one above it: a command that writes nothing must not make the folder.
    pub fn beside(state: &StateFolder) -> Self {
        let existing = state.path().ancestors().find(|folder| folder.is_dir());
        Self {
            folder: existing.map_or_else(std::env::temp_dir, Path::to_owned),
        }
    }

    /// A file without a name, which goes with the process however that ends. Where the folder cannot be written to, the system's
    /// temporary folder takes it.
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub(super) fn file(&self) -> Result<File, StateError> {
        match tempfile::tempfile_in(&self.folder) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                tempfile::tempfile().map_err(StateError::io("make a temporary file in", &std::env::temp_dir()))
            }
            made => made.map_err(StateError::io("make a temporary file in", &self.folder)),
        }
    }

    pub(super) fn unwritten(&self, error: io::Error) -> StateError {
        StateError::io("write to a temporary file in", &self.folder)(error)
    }

    pub(super) fn unread(&self, error: io::Error) -> StateError {
        StateError::io("read from a temporary file in", &self.folder)(error)
    }
}
