use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use super::super::StateError;
use super::Scratch;

/// What is sorted: by the first number, then the second, then the third.
pub type SortRecord = [u64; 3];

const RECORD_BYTES: usize = size_of::<SortRecord>();

/// Records held in memory: 24 MiB.
const RECORDS_MAX: usize = 1 << 20;

/// Bytes that all runs together are read ahead by, and the fewest that one is.
const MERGE_BYTES: usize = 16 << 20;
const READ_BYTES_MIN: usize = 16 << 10;

/// Sorts records in memory while they are few; otherwise in sorted runs on disk, which are merged.
#[derive(Debug)]
pub struct Sorter {
    scratch: Scratch,
    records_max: usize,
    records: Vec<SortRecord>,
    /// The runs, one behind the other.
    file: Option<File>,
    /// Where each lies, in bytes.
    runs: Vec<Range<u64>>,
}

impl Sorter {
    pub fn new(scratch: Scratch) -> Self {
        Self::bounded(scratch, RECORDS_MAX)
    }

    /// The same with another bound on the records in memory.
    pub fn bounded(scratch: Scratch, records_max: usize) -> Self {
        Self {
            scratch,
            records_max,
            records: Vec::new(),
            file: None,
            runs: Vec::new(),
        }
    }

    /// # Errors
    /// [`StateError::Io`]
    pub fn push(&mut self, record: SortRecord) -> Result<(), StateError> {
        self.records.push(record);
        if self.records.len() >= self.records_max {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), StateError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.scratch.file()?),
        };
        self.records.sort_unstable();
        let start = self.runs.last().map_or(0, |run| run.end);
        write_run(file, start, &self.records).map_err(|error| self.scratch.unwritten(error))?;
        self.runs
            .push(start..start + (self.records.len() * RECORD_BYTES) as u64);
        self.records.clear();
        Ok(())
    }

    /// Gives `visit` every record in order.
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub fn finish(mut self, mut visit: impl FnMut(SortRecord)) -> Result<(), StateError> {
        if self.runs.is_empty() {
            self.records.sort_unstable();
            self.records.into_iter().for_each(visit);
            return Ok(());
        }
        self.spill()?;
        // What the merge needs takes the room of what was sorted.
        self.records = Vec::new();
        let Some(file) = &mut self.file else { return Ok(()) };
        merge(file, &self.runs, &mut visit).map_err(|error| self.scratch.unread(error))
    }
}

fn write_run(file: &mut File, start: u64, records: &[SortRecord]) -> io::Result<()> {
    file.seek(SeekFrom::Start(start))?;
    let mut writer = BufWriter::with_capacity(1 << 18, file);
    for record in records {
        for number in record {
            writer.write_all(&number.to_le_bytes())?;
        }
    }
    writer.flush()
}

fn merge(file: &mut File, runs: &[Range<u64>], visit: &mut impl FnMut(SortRecord)) -> io::Result<()> {
    let ahead = (MERGE_BYTES / runs.len().max(1)).max(READ_BYTES_MIN);
    // Whole records, so that none lies on a border.
    let ahead = ahead - ahead % RECORD_BYTES;
    let mut readers: Vec<RunReader> = runs.iter().cloned().map(RunReader::new).collect();
    let mut heads = BinaryHeap::new();
    for (index, reader) in readers.iter_mut().enumerate() {
        heads.extend(reader.next(file, ahead)?.map(|record| Reverse((record, index))));
    }
    while let Some(Reverse((record, index))) = heads.pop() {
        visit(record);
        heads.extend(readers[index].next(file, ahead)?.map(|record| Reverse((record, index))));
    }
    Ok(())
}

/// Reads one run, a piece at a time.
struct RunReader {
    /// What is not read yet, in bytes of the file.
    left: Range<u64>,
    piece: Vec<u8>,
    at: usize,
}

impl RunReader {
    fn new(left: Range<u64>) -> Self {
        let piece = Vec::new();
        Self { left, piece, at: 0 }
    }

    fn next(&mut self, file: &mut File, ahead: usize) -> io::Result<Option<SortRecord>> {
        if self.at == self.piece.len() {
            let bytes = (self.left.end - self.left.start).min(ahead as u64);
            self.piece.resize(usize::try_from(bytes).unwrap_or(ahead), 0);
            self.at = 0;
            file.seek(SeekFrom::Start(self.left.start))?;
            file.read_exact(&mut self.piece)?;
            self.left.start += bytes;
        }
        let mut numbers = self.piece[self.at..].chunks_exact(8).map(|bytes| {
            let mut number = [0; 8];
            number.copy_from_slice(bytes);
            u64::from_le_bytes(number)
        });
        let (Some(first), Some(second), Some(third)) = (numbers.next(), numbers.next(), numbers.next()) else {
            return Ok(None);
        };
        self.at += RECORD_BYTES;
        Ok(Some([first, second, third]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::StateFolder;
    use super::*;

    #[test]
    fn what_went_over_the_disk_is_in_the_same_order() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::beside(&StateFolder::new(folder.path()));
        // More bytes a run than are read at once.
        let (records, records_max) = (20_000_u64, 1_500);
        let mut sorter = Sorter::bounded(scratch, records_max);
        let mut expected = Vec::new();
        for number in 0..records {
            let record = [number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 4_096, number, number / 2];
            expected.push(record);
            sorter.push(record).unwrap();
        }
        assert_eq!(sorter.runs.len(), 13);
        expected.sort_unstable();
        let mut sorted = Vec::new();
        sorter.finish(|record| sorted.push(record)).unwrap();
        assert!(sorted == expected);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "no file has a name"
        );
    }
}
