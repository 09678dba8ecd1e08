use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::columns::PlannedColumns;
use super::frame::{Frame, NO_ITEM};
use super::{MAGIC, PlanFileError, VERSION};
use crate::model::{ItemId, PlanHeader, PlannedItem, PlannedListing, PlannedUnit};

/// Units of one frame: what writing and reading hold at once.
const FRAME_UNITS_MAX: usize = 10_000;

/// Writes a plan item by item. What stands under its name is replaced by [`PlanFileWriter::finish`] alone, and as a whole.
#[derive(Debug)]
pub struct PlanFileWriter {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    /// The item whose units come in.
    item: Option<PlannedItem>,
    items: u64,
    units: u64,
}

impl PlanFileWriter {
    pub fn create(path: &Path, header: &PlanHeader) -> Result<Self, PlanFileError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let temporary = path.with_file_name(name);
        let created = File::create(&temporary).and_then(|file| {
            let mut file = BufWriter::new(file);
            file.write_all(&MAGIC)?;
            file.write_all(&[VERSION])?;
            Frame::Header(Box::new(header.clone())).write(NO_ITEM, &mut file)?;
            Ok(file)
        });
        Ok(Self {
            file: created.map_err(failed(path))?,
            path: path.to_owned(),
            temporary,
            item: None,
            items: 0,
            units: 0,
        })
    }

    /// Begins the next item.
    pub fn begin(&mut self, key: &str, listing: PlannedListing) -> Result<(), PlanFileError> {
        self.end_item()?;
        self.items += 1;
        self.item = Some(PlannedItem {
            key: key.to_owned(),
            listing,
            units: Vec::new(),
        });
        Ok(())
    }

    /// Says how far the item that was begun is known.
    pub fn listed(&mut self, listing: PlannedListing) {
        if let Some(item) = &mut self.item {
            item.listing = listing;
        }
    }

    /// Adds a unit to the item that was begun last.
    pub fn add(&mut self, unit: PlannedUnit) -> Result<(), PlanFileError> {
        let Some(item) = &mut self.item else { return Ok(()) };
        self.units += 1;
        item.units.push(unit);
        if item.units.len() < FRAME_UNITS_MAX {
            return Ok(());
        }
        let full = PlannedItem {
            key: item.key.clone(),
            listing: item.listing,
            units: std::mem::take(&mut item.units),
        };
        self.write(full)
    }

    /// Makes the file whole and durable, and puts it under its name.
    pub fn finish(mut self) -> Result<u64, PlanFileError> {
        self.end_item()?;
        let (items, units) = (self.items, self.units);
        let finished = Frame::End { items, units }
            .write(NO_ITEM, &mut self.file)
            .and_then(|()| self.file.flush())
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.temporary, &self.path));
        finished.map_err(failed(&self.path))?;
        Ok(units)
    }

    fn end_item(&mut self) -> Result<(), PlanFileError> {
        match self.item.take() {
            Some(item) => self.write(item),
            None => Ok(()),
        }
    }

    fn write(&mut self, item: PlannedItem) -> Result<(), PlanFileError> {
        let id = ItemId::of(&item.key);
        let units = Box::new(PlannedColumns::of(&item.units));
        let PlannedItem { key, listing, .. } = item;
        let frame = Frame::Item { key, listing, units };
        frame.write(id, &mut self.file).map_err(failed(&self.path))
    }
}

/// A plan that was not finished leaves nothing behind.
impl Drop for PlanFileWriter {
    fn drop(&mut self) {
        // After `finish` there is nothing of this name.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> PlanFileError {
    move |source| PlanFileError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    }
}
