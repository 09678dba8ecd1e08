use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::super::{ByteStream, ObjectInfo, exact};
use super::{error, info};
use crate::model::Failure;

/// Up to this many bytes are read in the hand-over that opens the file.
const WHOLE_READ_BYTES_MAX: u64 = 1 << 20;

/// Bytes of one piece of a larger file. Less than what has pages of its own (`native/arenas.c`), which would be new ones for each piece.
const PIECE_BYTES: usize = 248 << 10;

/// Pieces read ahead of the consumer.
const PIECES_AHEAD: usize = 4;

/// Opens a file, and reads it at once when it is small.
///
/// The file's length and time are compared after its last byte with those at opening, so that a file somebody writes to is a
/// failure and not a mixture.
pub(super) fn open(path: &Path, name: String, range: Option<Range<u64>>) -> Result<(ObjectInfo, ByteStream), Failure> {
    let mut file = File::open(path).map_err(|error| {
        if error::is_absent(&error) {
            absent(&name)
        } else {
            error::failure("read", &name, &error)
        }
    })?;
    let before = file.metadata().map_err(|error| error::failure("read", &name, &error))?;
    if before.is_dir() {
        return Err(absent(&name));
    }
    let info = info(name, &before);
    let range = range.unwrap_or(0..info.size);
    if range.end > info.size || range.start > range.end {
        return Err(exact::too_short(&info.name, info.size, range.end));
    }
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start))
            .map_err(|error| error::failure("read", &info.name, &error))?;
    }
    let source = Source {
        file,
        before,
        name: info.name.clone(),
        remaining: range.end - range.start,
    };
    let body = if source.remaining <= WHOLE_READ_BYTES_MAX {
        source.read_whole()?
    } else {
        source.read_ahead()
    };
    Ok((info, body))
}

fn absent(name: &str) -> Failure {
    error::failure("read", name, &std::io::ErrorKind::NotFound.into())
}

struct Source {
    file: File,
    before: Metadata,
    name: String,
    remaining: u64,
}

impl Source {
    fn read_whole(mut self) -> Result<ByteStream, Failure> {
        let mut pieces = Vec::with_capacity(1);
        while let Some(piece) = self.read_piece(WHOLE_READ_BYTES_MAX as usize)? {
            pieces.push(Ok(piece));
        }
        Ok(futures::stream::iter(pieces).boxed())
    }

    /// Reads in a thread of its own that waits for the consumer; it ends when the consumer is dropped.
    fn read_ahead(mut self) -> ByteStream {
        let (name, expected) = (self.name.clone(), self.remaining);
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        tokio::task::spawn_blocking(move || {
            loop {
                let piece = self.read_piece(PIECE_BYTES).transpose();
                let Some(piece) = piece else { return };
                let failed = piece.is_err();
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
        let pieces = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        exact::exact(pieces, &name, expected)
    }

    /// The next bytes, or `None` behind the last; the check for changes stands before that `None`.
    fn read_piece(&mut self, bytes_max: usize) -> Result<Option<Bytes>, Failure> {
        let length = usize::try_from(self.remaining).map_or(bytes_max, |remaining| remaining.min(bytes_max));
        if length == 0 {
            return self.check_unchanged().map(|()| None);
        }
        let mut piece = Vec::with_capacity(length);
        let read = Read::by_ref(&mut self.file)
            .take(length as u64)
            .read_to_end(&mut piece)
            .map_err(|error| error::failure("read", &self.name, &error))?;
        if read < length {
            return Err(exact::changed(&self.name));
        }
        self.remaining -= read as u64;
        Ok(Some(Bytes::from(piece)))
    }

    fn check_unchanged(&self) -> Result<(), Failure> {
        let after = self
            .file
            .metadata()
            .map_err(|error| error::failure("read", &self.name, &error))?;
        let same_time = match (self.before.modified(), after.modified()) {
            (Ok(before), Ok(after)) => before == after,
            _ => true,
        };
        if after.len() == self.before.len() && same_time {
            return Ok(());
        }
        Err(exact::changed(&self.name))
    }
}
