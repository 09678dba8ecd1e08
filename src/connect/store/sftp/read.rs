use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags};

use super::super::meaning::Action;
use super::super::{ByteStream, ObjectInfo, exact};
use super::session::{OpenFile, Session};
use super::{absent, error, info, is_file};
use crate::model::Failure;

/// What every server sends in one answer (draft-ietf-secsh-filexfer-02, section 3).
const PIECE_BYTES: u64 = 32 << 10;
/// Requests under way for one file: a megabyte, so that a distant server is not waited for after each piece.
const PIECES_AHEAD: usize = 32;

/// Opens a file; its length and time are compared after its last byte with those at opening, so that a file somebody writes to is a
/// failure and not a mixture.
pub(super) async fn open(
    session: Arc<Session>,
    name: &str,
    path: &str,
    range: Option<Range<u64>>,
) -> Result<(ObjectInfo, ByteStream), Failure> {
    let failed = |error: Error| error::failure(Action::Read, name, &error);
    let file = match session.open_file(path, OpenFlags::READ).await {
        Ok(file) => file,
        Err(error) if error::is_unspecific(&error) && session.lies_below_file(path).await => return Err(absent(name)),
        Err(error) => return Err(failed(error)),
    };
    let before = session.sftp().fstat(file.handle()).await.map_err(failed)?.attrs;
    if !is_file(&before) {
        return Err(absent(name));
    }
    let info = info(name, &before)?;
    let range = range.unwrap_or(0..info.size);
    if range.end > info.size || range.start > range.end {
        return Err(exact::too_short(name, info.size, range.end));
    }
    let expected = range.end - range.start;
    let source = Arc::new(Source {
        file,
        before,
        name: name.to_owned(),
    });
    let starts = (range.start..range.end).step_by(PIECE_BYTES as usize);
    let last = Arc::clone(&source);
    let pieces = futures::stream::iter(starts)
        .map(move |start| Arc::clone(&source).read(start..range.end.min(start + PIECE_BYTES)))
        .buffered(PIECES_AHEAD)
        .map_ok(Bytes::from)
        .chain(
            futures::stream::once(last.check_unchanged()).try_filter(|bytes| futures::future::ready(!bytes.is_empty())),
        );
    Ok((info, exact::exact(pieces, name, expected)))
}

struct Source {
    file: OpenFile,
    before: FileAttributes,
    name: String,
}

impl Source {
    /// A server may answer with less than was asked for.
    async fn read(self: Arc<Self>, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        let mut piece: Vec<u8> = Vec::with_capacity((range.end - range.start) as usize);
        loop {
            let start = range.start + piece.len() as u64;
            let Some(missing) = range.end.checked_sub(start).filter(|missing| *missing > 0) else {
                return Ok(piece);
            };
            let length = u32::try_from(missing).unwrap_or(u32::MAX);
            let read = self.file.session.sftp().read(self.file.handle(), start, length).await;
            match read {
                Ok(data) if data.data.is_empty() || data.data.len() as u64 > missing => {
                    return Err(exact::changed(&self.name));
                }
                Ok(data) => piece.extend_from_slice(&data.data),
                Err(error) if error::is_end(&error) => return Err(exact::changed(&self.name)),
                Err(error) => return Err(error::failure(Action::Read, &self.name, &error)),
            }
        }
    }

    /// Gives no bytes.
    async fn check_unchanged(self: Arc<Self>) -> Result<Bytes, Failure> {
        let after = self.file.session.sftp().fstat(self.file.handle()).await;
        let after = after
            .map_err(|error| error::failure(Action::Read, &self.name, &error))?
            .attrs;
        if (after.size, after.mtime) == (self.before.size, self.before.mtime) {
            return Ok(Bytes::new());
        }
        Err(exact::changed(&self.name))
    }
}
