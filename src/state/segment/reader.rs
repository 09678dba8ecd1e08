use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::model::UnitRecord;
use crate::state::{SealedReference, StateError, StateFolder};

use super::block::{Block, Header};

/// The ledger of one sealed page, verified against its checksums.
pub(in crate::state) fn read_page(
    folder: &StateFolder,
    reference: &SealedReference,
) -> Result<Vec<UnitRecord>, StateError> {
    let path = folder.segment(reference.segment);
    let damaged = |problem| StateError::DamagedSegment {
        path: path.clone(),
        offset: reference.offset,
        problem,
    };
    let bytes = read_range(&path, reference)?.ok_or_else(|| damaged("the file ends too early or is gone"))?;
    let (header, content) = bytes
        .split_first_chunk()
        .ok_or_else(|| damaged("no block fits there"))?;
    let header = Header::decode(header).map_err(damaged)?;
    let records = Block::decode(&header, content)
        .and_then(Block::into_records)
        .map_err(damaged)?;
    if u32::try_from(records.len()) == Ok(reference.units) {
        Ok(records)
    } else {
        Err(damaged("it holds another number of units than was recorded"))
    }
}

/// `None` where the file is too short or missing.
fn read_range(path: &Path, reference: &SealedReference) -> Result<Option<Vec<u8>>, StateError> {
    let read = || -> io::Result<Option<Vec<u8>>> {
        let mut file = File::open(path)?;
        let length = u64::from(reference.length);
        if file.metadata()?.len() < reference.offset.saturating_add(length) {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(reference.offset))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map_err(StateError::io("read", path)),
    }
}

/// What stands at one place of a segment.
pub(in crate::state) enum Walked {
    Block {
        offset: u64,
        length: u32,
        block: Box<Block>,
    },
    /// A block, or bytes between blocks, that cannot be read.
    Damaged(StateError),
    /// Bytes behind the last block, as a commit leaves them that was cut off.
    Torn { offset: u64 },
}

/// Reads a segment by itself, without the database: all its blocks, and what is wrong between them. Holds the file in memory,
/// whose size is bounded (64 MiB and one page).
pub(in crate::state) struct BlockWalk {
    path: PathBuf,
    bytes: Vec<u8>,
    position: usize,
}

impl BlockWalk {
    pub(in crate::state) fn open(path: &Path) -> Result<Self, StateError> {
        Ok(Self {
            path: path.to_owned(),
            bytes: std::fs::read(path).map_err(StateError::io("read", path))?,
            position: 0,
        })
    }

    fn header_at(&self, position: usize) -> Option<Header> {
        let bytes = self.bytes.get(position..)?.first_chunk()?;
        Header::decode(bytes).ok()
    }

    fn damaged(&self, position: usize, problem: &'static str) -> Walked {
        Walked::Damaged(StateError::DamagedSegment {
            path: self.path.clone(),
            offset: position as u64,
            problem,
        })
    }
}

impl Iterator for BlockWalk {
    type Item = Walked;

    fn next(&mut self) -> Option<Walked> {
        let start = self.position;
        if start >= self.bytes.len() {
            return None;
        }
        let header = self.header_at(start);
        let end = header.and_then(|header| start.checked_add(usize::try_from(header.block_length()).ok()?));
        let Some((header, content)) = header.zip(end.and_then(|end| self.bytes.get(start + Header::LENGTH..end)))
        else {
            let behind = (start + 1..self.bytes.len()).find(|position| self.header_at(*position).is_some());
            self.position = behind.unwrap_or(self.bytes.len());
            return Some(match behind {
                Some(_) => self.damaged(start, "no block begins there"),
                None => Walked::Torn { offset: start as u64 },
            });
        };
        self.position = start + Header::LENGTH + content.len();
        Some(match Block::decode(&header, content) {
            Ok(block) => Walked::Block {
                offset: start as u64,
                length: u32::try_from(header.block_length()).unwrap_or(u32::MAX),
                block: Box::new(block),
            },
            Err(problem) => self.damaged(start, problem),
        })
    }
}
