use std::fs::{self, File, OpenOptions};
use std::io::Write;

use crate::state::files::sync_parent;
use crate::state::records::SegmentTail;
use crate::state::{SealedReference, StateError, StateFolder};

use super::block::Block;

/// A segment that has reached this size gets no further block.
const SEGMENT_MAX_BYTES: u64 = 64 << 20;

/// Appends blocks to the newest segment. It never changes or removes a byte that is there: what a cut-off commit left behind
/// stays, and a new segment begins after it.
pub(in crate::state) struct SegmentWriter {
    folder: StateFolder,
    tail: SegmentTail,
    /// The segment at the tail, once something was appended to it.
    file: Option<File>,
    segment_max_bytes: u64,
}

impl SegmentWriter {
    /// `tail` is what the database knows; a segment that ends before it has lost sealed pages.
    pub(in crate::state) fn open(folder: &StateFolder, tail: SegmentTail) -> Result<Self, StateError> {
        let segment_folder = folder.segment_folder();
        fs::create_dir_all(&segment_folder).map_err(StateError::io("create", &segment_folder))?;
        sync_parent(&segment_folder)?;
        let mut tail = tail;
        if let Some((newest, path)) = folder.segments()?.pop() {
            let length = fs::metadata(&path).map_err(StateError::io("read", &path))?.len();
            if newest > tail.segment || (newest == tail.segment && length > tail.length) {
                tail = SegmentTail {
                    segment: newest,
                    length: u64::MAX,
                };
            }
        }
        let writer = Self {
            folder: folder.clone(),
            tail,
            file: None,
            segment_max_bytes: SEGMENT_MAX_BYTES,
        };
        writer.check_length(tail)?;
        Ok(writer)
    }

    fn check_length(&self, tail: SegmentTail) -> Result<(), StateError> {
        if tail.segment == 0 || tail.length == u64::MAX {
            return Ok(());
        }
        let path = self.folder.segment(tail.segment);
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if length >= tail.length {
            return Ok(());
        }
        Err(StateError::DamagedSegment {
            path,
            offset: length,
            problem: "the file ends too early or is gone",
        })
    }

    /// Appends one page. Durable after the next [`sync`](Self::sync).
    pub(in crate::state) fn append(&mut self, block: &Block, units: u32) -> Result<SealedReference, StateError> {
        let bytes = block.encode()?;
        if self.tail.segment == 0 || self.tail.length >= self.segment_max_bytes {
            self.sync()?;
            self.file = None;
            self.tail = SegmentTail {
                segment: self.tail.segment + 1,
                length: 0,
            };
        }
        let path = self.folder.segment(self.tail.segment);
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = OpenOptions::new().append(true).create(true).open(&path);
                let file = file.map_err(StateError::io("open", &path))?;
                sync_parent(&path)?;
                none.insert(file)
            }
        };
        file.write_all(&bytes).map_err(StateError::io("write", &path))?;
        let reference = SealedReference {
            segment: self.tail.segment,
            offset: self.tail.length,
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            units,
            account: block.account,
            rows_before: block.rows_before,
            digest: block.digest,
        };
        self.tail.length += bytes.len() as u64;
        Ok(reference)
    }

    /// The next page begins a new segment.
    pub(in crate::state) fn end_segment(&mut self) {
        if self.tail.segment > 0 {
            self.tail.length = u64::MAX;
        }
    }

    pub(in crate::state) fn sync(&self) -> Result<(), StateError> {
        match &self.file {
            Some(file) => file
                .sync_data()
                .map_err(StateError::io("write", &self.folder.segment(self.tail.segment))),
            None => Ok(()),
        }
    }

    /// The end of what has been appended, for the database.
    pub(in crate::state) fn tail(&self) -> SegmentTail {
        self.tail
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BlockWalk, Walked, read_page};
    use super::*;
    use crate::model::{ItemSummary, PageIntent, UnitIntent, UnitRecord};

    fn records(page: u32) -> Vec<UnitRecord> {
        let intent = UnitIntent {
            source: format!("in/{page}"),
            target: format!("out/{page}"),
            size: Some(5),
            existed: false,
            refusal: None,
            effects: Vec::new(),
        };
        PageIntent {
            units: vec![intent],
            ..PageIntent::default()
        }
        .units
        .iter()
        .map(UnitRecord::pending)
        .collect()
    }

    fn block(page: u32) -> Block {
        Block::new(
            &ItemSummary::new("item".to_owned(), 0),
            page,
            0,
            [0; 16],
            &records(page),
        )
    }

    #[test]
    fn pages_are_read_back_from_several_segments() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut writer = SegmentWriter::open(&folder, SegmentTail::default()).unwrap();
        writer.segment_max_bytes = 100;
        let references: Vec<_> = (0..5).map(|page| writer.append(&block(page), 1).unwrap()).collect();
        writer.sync().unwrap();

        assert!(folder.segments().unwrap().len() > 1);
        for (page, reference) in (0..).zip(&references) {
            assert_eq!(read_page(&folder, reference).unwrap(), records(page));
        }
        drop(writer);
        fs::remove_file(folder.segment(references[0].segment)).unwrap();
        let lost = read_page(&folder, &references[0]).unwrap_err();
        assert!(matches!(lost, StateError::DamagedSegment { .. }), "{lost}");
    }

    #[test]
    fn a_torn_end_is_left_alone_and_a_new_segment_begins() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut writer = SegmentWriter::open(&folder, SegmentTail::default()).unwrap();
        let first = writer.append(&block(0), 1).unwrap();
        let tail = writer.tail();
        writer.append(&block(1), 1).unwrap();
        drop(writer);
        let path = folder.segment(1);
        let torn = fs::metadata(&path).unwrap().len() - 7;
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(torn)
            .unwrap();

        let mut writer = SegmentWriter::open(&folder, tail).unwrap();
        let second = writer.append(&block(1), 1).unwrap();
        assert_eq!((second.segment, second.offset), (2, 0));
        assert_eq!(read_page(&folder, &first).unwrap(), records(0));
        assert_eq!(read_page(&folder, &second).unwrap(), records(1));
        let walked: Vec<Walked> = BlockWalk::open(&path).unwrap().collect();
        assert!(matches!(walked[..], [Walked::Block { .. }, Walked::Torn { .. }]));
    }

    #[test]
    fn a_segment_that_lost_sealed_pages_is_refused() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut writer = SegmentWriter::open(&folder, SegmentTail::default()).unwrap();
        writer.append(&block(0), 1).unwrap();
        let tail = writer.tail();
        fs::write(folder.segment(1), b"").unwrap();
        assert!(matches!(
            SegmentWriter::open(&folder, tail),
            Err(StateError::DamagedSegment { offset: 0, .. })
        ));
    }

    #[test]
    fn a_walk_goes_on_behind_a_damaged_block() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut writer = SegmentWriter::open(&folder, SegmentTail::default()).unwrap();
        let references: Vec<_> = (0..3).map(|page| writer.append(&block(page), 1).unwrap()).collect();
        let path = folder.segment(1);
        let mut bytes = fs::read(&path).unwrap();
        let header_of_second = usize::try_from(references[1].offset).unwrap();
        bytes[header_of_second] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let walked: Vec<Walked> = BlockWalk::open(&path).unwrap().collect();
        assert!(matches!(
            walked[..],
            [Walked::Block { .. }, Walked::Damaged(_), Walked::Block { .. }]
        ));
        assert!(read_page(&folder, &references[1]).is_err());
    }
}
