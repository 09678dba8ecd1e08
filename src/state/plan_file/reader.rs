use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::frame::{Frame, FrameHead, NO_ITEM, Unread};
use super::{MAGIC, PlanFileError, VERSION};
use crate::model::{ItemId, ItemKey, PlanHeader, PlannedItem};

/// A plan that was read from end to end once, and is whole. Holds where each item stands: 40 bytes an item.
#[derive(Debug)]
pub struct PlanFile {
    path: PathBuf,
    header: PlanHeader,
    places: HashMap<ItemId, Place>,
    file: Mutex<File>,
}

/// An item's frames stand one behind the other.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    frames: u32,
}

impl PlanFile {
    /// Reads the whole file once, so that a damaged one is known before anything is done. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, PlanFileError> {
        let file = File::open(path).map_err(io_error(path))?;
        let mut reader = BufReader::with_capacity(1 << 18, &file);
        check_start(path, &mut reader)?;
        let damaged = |problem| PlanFileError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let mut content = Vec::new();
        let mut next = |reader: &mut BufReader<&File>| match FrameHead::read(reader, &mut content) {
            Ok(head) if head.item == NO_ITEM => match Frame::decode(&content) {
                Ok(frame) => Ok((head, Some(frame))),
                Err(problem) => Err(damaged(problem)),
            },
            Ok(head) => Ok((head, None)),
            Err(Unread::Ended) => Err(damaged("it ends too early")),
            Err(Unread::Damaged(problem)) => Err(damaged(problem)),
            Err(Unread::Io(error)) => Err(io_error(path)(error)),
        };
        let (head, first) = next(&mut reader)?;
        let Some(Frame::Header(header)) = first else {
            return Err(damaged("it does not say what it is a plan of"));
        };
        let mut offset = START_LENGTH + head.frame_length();
        let mut places: HashMap<ItemId, Place> = HashMap::new();
        let items = loop {
            let (head, frame) = next(&mut reader)?;
            match frame {
                None => {
                    let place = places.entry(head.item).or_insert(Place { offset, frames: 0 });
                    place.frames += 1;
                }
                Some(Frame::End { items, .. }) => break items,
                Some(_) => return Err(damaged("a part of it is not where it belongs")),
            }
            offset += head.frame_length();
        };
        if items != places.len() as u64 {
            return Err(damaged("it counts other items than it has"));
        }
        Ok(Self {
            path: path.to_owned(),
            header: *header,
            places,
            file: Mutex::new(file),
        })
    }

    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives `visit` the parts of an item, each with its units. False when the plan has no such item. Blocks on the disk.
    pub fn read_item(&self, item: ItemId, mut visit: impl FnMut(PlannedItem)) -> Result<bool, PlanFileError> {
        let Some(place) = self.places.get(&item) else {
            return Ok(false);
        };
        // A panic while the lock was held leaves a file that is read from a named place.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place.offset)).map_err(io_error(&self.path))?;
        let mut content = Vec::new();
        for _ in 0..place.frames {
            let read = match FrameHead::read(&mut *file, &mut content) {
                Ok(_) => decode_item(&content),
                Err(Unread::Io(error)) => return Err(io_error(&self.path)(error)),
                Err(Unread::Damaged(problem)) => Err(problem),
                Err(Unread::Ended) => Err("it ends too early"),
            };
            visit(read.map_err(|problem| PlanFileError::Damaged {
                path: self.path.clone(),
                problem,
            })?);
        }
        Ok(true)
    }

    /// The keys of up to `shown` items of the plan that `is_known` does not have, and how many there are.
    pub fn unknown_items(
        &self,
        shown: usize,
        is_known: impl Fn(ItemId) -> bool,
    ) -> Result<(Vec<ItemKey>, u64), PlanFileError> {
        let mut unknown: Vec<(u64, ItemId)> = self
            .places
            .iter()
            .filter(|(id, _)| !is_known(**id))
            .map(|(id, place)| (place.offset, *id))
            .collect();
        unknown.sort_unstable_by_key(|(offset, _)| *offset);
        let mut keys = Vec::new();
        for (_, id) in unknown.iter().take(shown) {
            let mut key = None;
            self.read_item(*id, |part| key = Some(part.key))?;
            keys.extend(key);
        }
        Ok((keys, unknown.len() as u64))
    }
}

/// Magic and version.
const START_LENGTH: u64 = 5;

fn check_start(path: &Path, reader: &mut impl Read) -> Result<(), PlanFileError> {
    let mut start = [0; START_LENGTH as usize];
    match reader.read_exact(&mut start) {
        Ok(()) if start[..4] == MAGIC => {}
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(io_error(path)(error)),
        _ => return Err(PlanFileError::Foreign { path: path.to_owned() }),
    }
    match start[4] {
        VERSION => Ok(()),
        0 => Err(PlanFileError::Damaged {
            path: path.to_owned(),
            problem: "its format is unknown",
        }),
        found => Err(PlanFileError::Newer {
            path: path.to_owned(),
            found,
            known: VERSION,
        }),
    }
}

fn decode_item(content: &[u8]) -> Result<PlannedItem, &'static str> {
    let Frame::Item { key, listing, units } = Frame::decode(content)? else {
        return Err("a part of it is not where it belongs");
    };
    let units = units.into_units().ok_or("its columns contradict each other")?;
    Ok(PlannedItem { key, listing, units })
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> PlanFileError {
    move |source| PlanFileError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    }
}
