use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::model::{Account, ItemId, ItemStatus, ItemSummary, StageStatus, Timestamp};

use super::database::Batch;
use super::files::sync_parent;
use super::key::{Key, Kind};
use super::lock::Lock;
use super::marker::Marker;
use super::open::{make_database, put_in_place};
use super::records::{CommitRecord, SegmentTail};
use super::segment::{BlockWalk, Walked};
use super::watermark::Watermark;
use super::{Holder, Identity, JournalEntry, JournalReader, RunRecord, SealedReference, StateError, StateFolder};

/// What a rebuild kept.
#[derive(Debug)]
pub struct Rebuilt {
    /// Where the old database was moved; `None` when there was none.
    pub set_aside: Option<PathBuf>,
    pub items: u64,
    pub pages: u64,
    pub units: Account,
    /// Places of the segments that could not be read: their pages are done again.
    pub damaged: Vec<StateError>,
}

/// Makes a new database from the sealed pages, and runs and vars from the journals. The old database is moved aside to
/// `db.damaged-<time>/`, never deleted. Pages that were not sealed, and items of which none was, are done again; fingerprints of
/// the stages are not known any more.
pub fn rebuild(folder: &StateFolder, identity: &Identity, holder: &Holder) -> Result<Rebuilt, StateError> {
    let _lock = Lock::take(folder, holder)?;
    let marker = match Marker::read(folder, identity) {
        Ok(Some(marker)) => marker,
        Ok(None) | Err(StateError::Damaged { .. }) => Marker::new(identity),
        Err(refusal) => return Err(refusal),
    };
    let mut ledger = Ledger::default();
    for (segment, path) in folder.segments()? {
        ledger.read(segment, BlockWalk::open(&path)?);
    }
    let mut rebuilt = Rebuilt {
        set_aside: None,
        items: 0,
        pages: 0,
        units: Account::default(),
        damaged: std::mem::take(&mut ledger.damaged),
    };
    let mut batch = ledger.into_batch(&mut rebuilt)?;
    put_runs(&mut batch, folder, &mut rebuilt.damaged)?;
    make_database(folder, &marker, batch)?;
    rebuilt.set_aside = set_aside(folder)?;
    Watermark::remove(folder)?;
    put_in_place(folder, &marker)?;
    Ok(rebuilt)
}

/// What the segments say by themselves: of each page and each item the last word.
#[derive(Default)]
struct Ledger {
    pages: BTreeMap<(ItemId, u32), SealedReference>,
    summaries: BTreeMap<ItemId, ItemSummary>,
    tail: SegmentTail,
    damaged: Vec<StateError>,
}

impl Ledger {
    fn read(&mut self, segment: u32, walk: BlockWalk) {
        for walked in walk {
            match walked {
                Walked::Block { offset, length, block } => {
                    let item = block.summary.id();
                    let reference = SealedReference {
                        segment,
                        offset,
                        length,
                        units: u32::try_from(block.account.planned()).unwrap_or(u32::MAX),
                        account: block.account,
                        rows_before: block.rows_before,
                        digest: block.digest,
                    };
                    self.pages.insert((item, block.page), reference);
                    self.summaries.insert(item, block.summary);
                    self.tail = SegmentTail {
                        segment,
                        length: offset + u64::from(length),
                    };
                }
                Walked::Damaged(problem) => self.damaged.push(problem),
                Walked::Torn { .. } => {}
            }
        }
    }

    fn into_batch(self, rebuilt: &mut Rebuilt) -> Result<Batch, StateError> {
        let mut batch = Batch::default();
        for (item, mut summary) in self.summaries {
            let pages: Vec<_> = self.pages.range((item, 0)..=(item, u32::MAX)).collect();
            let whole = (0..)
                .zip(&pages)
                .take_while(|(page, ((_, number), _))| page == number)
                .count();
            summary.units = Account::default();
            for ((_, page), reference) in &pages[..whole] {
                batch.put(Key::sealed(item, *page), reference)?;
                summary.units += reference.account;
            }
            settle(&mut summary, u32::try_from(whole).unwrap_or(u32::MAX));
            batch.put(Key::summary(item), &summary)?;
            rebuilt.items += 1;
            rebuilt.pages += whole as u64;
            rebuilt.units += summary.units;
        }
        let commit = CommitRecord {
            number: 0,
            tail: self.tail,
        };
        batch.put(Key::job(Kind::Commit), &commit)?;
        Ok(batch)
    }
}

/// What is true of an item that has just its first `pages` pages. Pages behind a gap are not kept: the enumeration goes on
/// behind the last page, so a gap would never be filled.
///
/// | pages kept | units | status |
/// |---|---|---|
/// | all, and the list was read to its end | all done or present, and they owe nothing | as it was, completed; a table with stages that are not done is pending |
/// | all, and the list was read to its end | any other | pending |
/// | some | any | pending, the list is read again |
fn settle(summary: &mut ItemSummary, pages: u32) {
    summary.listed = summary.listed && pages == summary.pages;
    summary.pages = pages;
    let effects = &summary.units.effects;
    let owes_nothing = effects.failed + effects.pending + effects.blocked == 0;
    // A page of a table is sealed before the table takes its place and gets its keys.
    let stages_done = summary.stages.iter().all(|stage| stage.status == StageStatus::Done);
    let is_complete =
        stages_done && summary.listed && owes_nothing && summary.units.settled() == summary.units.planned();
    summary.status = if is_complete {
        ItemStatus::Completed
    } else {
        ItemStatus::Pending
    };
}

/// Runs and vars as the journals tell them; a journal that cannot be read is named, and its run forgotten.
fn put_runs(batch: &mut Batch, folder: &StateFolder, damaged: &mut Vec<StateError>) -> Result<(), StateError> {
    let mut runs: BTreeMap<u64, RunRecord> = BTreeMap::new();
    for (_, path) in folder.journals()? {
        let lines = match JournalReader::open(&path) {
            Ok(lines) => lines,
            Err(problem) => {
                damaged.push(problem);
                continue;
            }
        };
        for line in lines {
            match line.map(|line| line.entry) {
                Ok(JournalEntry::RunStarted { run } | JournalEntry::RunEnded { run }) => {
                    runs.insert(run.number, run);
                }
                Ok(_) => {}
                Err(problem) => {
                    damaged.push(problem);
                    break;
                }
            }
        }
    }
    if let Some((_, last)) = runs.last_key_value() {
        batch.put(Key::job(Kind::Vars), &last.vars)?;
    }
    runs.values().try_for_each(|run| batch.put(Key::run(run.number), run))
}

fn set_aside(folder: &StateFolder) -> Result<Option<PathBuf>, StateError> {
    let database = folder.database();
    if !database.exists() {
        return Ok(None);
    }
    let aside = folder.path().join(format!("db.damaged-{}", Timestamp::now().0));
    fs::rename(&database, &aside).map_err(StateError::io("move aside", &database))?;
    sync_parent(&aside)?;
    Ok(Some(aside))
}
