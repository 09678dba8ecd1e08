use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};

use super::files::read_if_there;
use super::{StateError, StateFolder};

/// How many commits were acknowledged, kept outside the database: a database file that lost its end, or an older copy of it,
/// opens without an error and simply knows less. Written after every flush, so the database may be ahead of it and never behind.
///
/// Eight bytes of count and four of their CRC32C, big-endian, overwritten in place: that survives a killed process whole. After
/// a power cut an older count may be found, which only asks for less, and a broken one counts as none.
pub(super) struct Watermark {
    folder: StateFolder,
    file: File,
}

impl Watermark {
    pub(super) fn open(folder: &StateFolder) -> Result<Self, StateError> {
        let path = folder.watermark();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        Ok(Self {
            folder: folder.clone(),
            file: file.map_err(StateError::io("open", &path))?,
        })
    }

    pub(super) fn raise(&mut self, commits: u64) -> Result<(), StateError> {
        let count = commits.to_be_bytes();
        let checksum = crc32c::crc32c(&count).to_be_bytes();
        self.file
            .rewind()
            .and_then(|()| self.file.write_all(&[&count[..], &checksum].concat()))
            .map_err(StateError::io("write", &self.folder.watermark()))
    }

    /// The commits that the database must know; 0 where nothing can be said.
    pub(super) fn read(folder: &StateFolder) -> Result<u64, StateError> {
        let bytes = read_if_there(&folder.watermark())?.unwrap_or_default();
        let found = bytes.split_first_chunk::<8>().filter(|(count, checksum)| {
            let expected = crc32c::crc32c(*count).to_be_bytes();
            checksum.starts_with(&expected)
        });
        Ok(found.map_or(0, |(count, _)| u64::from_be_bytes(*count)))
    }

    /// For a database that begins to count anew.
    pub(super) fn remove(folder: &StateFolder) -> Result<(), StateError> {
        let path = folder.watermark();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StateError::io("remove", &path)(error)),
            _ => Ok(()),
        }
    }
}
