use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::super::StateError;
use super::Scratch;

/// Bytes of names that are compressed together, and held in memory.
const BLOCK_BYTES: usize = 1 << 20;

/// The fastest: the names of a bucket shrink to a fifth with it, and are read again only for the few that are shown.
const COMPRESSION_LEVEL: i32 = 1;

/// Names in the order in which they came, on disk once they are many, each found again by its number.
#[derive(Debug)]
pub struct NameLog {
    scratch: Scratch,
    block_bytes: usize,
    /// The newest names, each behind its length.
    plain: Vec<u8>,
    /// The number of the first name in `plain`.
    first: u64,
    count: u64,
    blocks: Vec<Block>,
    file: Option<File>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    first: u64,
    offset: u64,
    /// Bytes on disk.
    length: usize,
    /// Bytes when decompressed.
    plain: usize,
}

impl NameLog {
    pub fn new(scratch: Scratch) -> Self {
        Self::bounded(scratch, BLOCK_BYTES)
    }

    fn bounded(scratch: Scratch, block_bytes: usize) -> Self {
        Self {
            scratch,
            block_bytes,
            plain: Vec::new(),
            first: 0,
            count: 0,
            blocks: Vec::new(),
            file: None,
        }
    }

    /// Takes a name in, and tells its number.
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub fn push(&mut self, name: &str) -> Result<u64, StateError> {
        self.plain.extend_from_slice(&(name.len() as u64).to_le_bytes());
        self.plain.extend_from_slice(name.as_bytes());
        let number = self.count;
        self.count += 1;
        if self.plain.len() >= self.block_bytes {
            self.write_block()?;
        }
        Ok(number)
    }

    fn write_block(&mut self) -> Result<(), StateError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.scratch.file()?),
        };
        let (offset, length) = append(file, &self.plain).map_err(|error| self.scratch.unwritten(error))?;
        self.blocks.push(Block {
            first: self.first,
            offset,
            length,
            plain: self.plain.len(),
        });
        self.plain.clear();
        self.first = self.count;
        Ok(())
    }

    /// The names that have these numbers.
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub fn names(&mut self, numbers: &BTreeSet<u64>) -> Result<BTreeMap<u64, String>, StateError> {
        let mut found = BTreeMap::new();
        let blocks = std::mem::take(&mut self.blocks);
        for (index, block) in blocks.iter().enumerate() {
            let end = blocks.get(index + 1).map_or(self.first, |next| next.first);
            if numbers.range(block.first..end).next().is_some() {
                let plain = self.read_block(*block);
                let plain = plain.map_err(|error| self.scratch.unread(error))?;
                pick(&plain, block.first, numbers, &mut found);
            }
        }
        self.blocks = blocks;
        pick(&self.plain, self.first, numbers, &mut found);
        Ok(found)
    }

    fn read_block(&mut self, block: Block) -> io::Result<Vec<u8>> {
        let Some(file) = &mut self.file else {
            return Ok(Vec::new());
        };
        let mut packed = vec![0; block.length];
        file.seek(SeekFrom::Start(block.offset))?;
        file.read_exact(&mut packed)?;
        zstd::bulk::decompress(&packed, block.plain)
    }
}

/// Where it lies, and how long it is there.
fn append(file: &mut File, plain: &[u8]) -> io::Result<(u64, usize)> {
    let packed = zstd::bulk::compress(plain, COMPRESSION_LEVEL)?;
    let offset = file.seek(SeekFrom::End(0))?;
    file.write_all(&packed)?;
    Ok((offset, packed.len()))
}

/// Takes the wanted names out of a block whose first name has the number `first`.
fn pick(mut plain: &[u8], first: u64, numbers: &BTreeSet<u64>, found: &mut BTreeMap<u64, String>) {
    let mut number = first;
    while let Some((length, rest)) = plain.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (name, rest) = rest.split_at(length.min(rest.len()));
        if numbers.contains(&number) {
            found.insert(number, String::from_utf8_lossy(name).into_owned());
        }
        number += 1;
        plain = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::StateFolder;
    use super::*;

    #[test]
    fn names_are_found_again_in_memory_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::beside(&StateFolder::new(folder.path().join("not/there")));
        let mut log = NameLog::bounded(scratch, 64);
        for number in 0..100 {
            assert_eq!(log.push(&format!("näme {number}")).unwrap(), number);
        }
        assert!(log.blocks.len() > 5 && !log.plain.is_empty());
        let wanted = BTreeSet::from([0, 41, 99, 100]);
        let found = log.names(&wanted).unwrap();
        let expected: Vec<String> = [0, 41, 99].map(|number| format!("näme {number}")).into();
        assert_eq!(found.into_values().collect::<Vec<_>>(), expected);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "the file has no name, and the folder of the state was not made"
        );
    }
}
