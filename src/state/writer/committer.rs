use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::{ItemId, ItemSummary, PageIntent, UnitRecord, UnitResult};
use crate::state::codec;
use crate::state::database::{Batch, Database};
use crate::state::key::{Key, Kind, Prefix};
use crate::state::records::CommitRecord;
use crate::state::segment::{Block, SegmentWriter};
use crate::state::state::{Shared, read_intent};
use crate::state::watermark::Watermark;
use crate::state::{Change, JobRecord, SealedReference, StateError};

/// The largest value of the database: a larger record is stored in pieces, because the database keeps values above half a
/// megabyte in files of their own and rewrites neighbours together.
const PIECE_BYTES: usize = 64 << 10;

/// Results in one record, for the same reason.
const DELTA_RESULTS: usize = 512;

type PageKey = (ItemId, u32);

/// Turns groups of changes into one atomic batch and at most one append to the segments each.
pub(super) struct Committer {
    shared: Arc<Shared>,
    segments: SegmentWriter,
    watermark: Watermark,
    /// The latest commit, of this process or an earlier one.
    last: CommitRecord,
    /// Of pages that are open and have been touched: a few for each item slot.
    open_pages: HashMap<PageKey, OpenPage>,
}

/// What the database holds of an open page, so that sealing it can remove exactly that.
#[derive(Clone, Copy)]
struct OpenPage {
    pieces: u32,
    deltas: u32,
    rows_before: u64,
    digest: [u8; 16],
}

/// One group on its way to the disk.
#[derive(Default)]
struct Group {
    batch: Batch,
    /// Of pages that stay open, in the order of arrival.
    results: BTreeMap<PageKey, Vec<UnitResult>>,
    /// Pages sealed in this group, which the database does not know yet.
    sealed: HashMap<PageKey, SealedReference>,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, StateError> {
        let last: CommitRecord = shared.opened.database.get(Key::job(Kind::Commit))?.unwrap_or_default();
        Ok(Self {
            segments: SegmentWriter::open(&shared.folder, last.tail)?,
            watermark: Watermark::open(&shared.folder)?,
            last,
            shared,
            open_pages: HashMap::new(),
        })
    }

    /// Makes a group durable: segments first, then the batch that refers to them, whole or not at all.
    pub(super) fn commit(&mut self, changes: Vec<Change>) -> Result<(), StateError> {
        let mut group = Group::default();
        for change in changes {
            self.take(&mut group, change)?;
        }
        for (page, results) in std::mem::take(&mut group.results) {
            self.put_results(&mut group, page, &results)?;
        }
        if !group.sealed.is_empty() {
            self.segments.sync()?;
            self.last.tail = self.segments.tail();
        }
        self.last.number += 1;
        group.batch.put(Key::job(Kind::Commit), &self.last)?;
        self.database().apply(group.batch)?;
        self.database().flush()?;
        self.watermark.raise(self.last.number)
    }

    fn take(&mut self, group: &mut Group, change: Change) -> Result<(), StateError> {
        match change {
            Change::Item(summary) => group.batch.put(Key::summary(summary.id()), &summary),
            Change::OpenPage {
                item,
                page,
                intent,
                summary,
            } => self.open(group, (item, page), &intent, &summary),
            Change::Results { item, page, results } => {
                self.opened(group, (item, page), "a result")?;
                group.results.entry((item, page)).or_default().extend(results);
                Ok(())
            }
            Change::ReopenPage {
                item,
                page,
                intent,
                summary,
                records: _,
            } => self.reopen(group, (item, page), &intent, &summary),
            Change::SealPage {
                item,
                page,
                records,
                summary,
            } => self.seal(group, (item, page), &records, &summary),
            Change::Job(JobRecord::Vars(vars)) => group.batch.put(Key::job(Kind::Vars), &vars),
            Change::Job(JobRecord::Fingerprints(prints)) => group.batch.put(Key::job(Kind::Fingerprints), &prints),
            Change::BeginSegment => {
                self.segments.end_segment();
                Ok(())
            }
            Change::Job(JobRecord::Run(run)) => group.batch.put(Key::run(run.number), &run),
        }
    }

    fn open(
        &mut self,
        group: &mut Group,
        page: PageKey,
        intent: &PageIntent,
        summary: &ItemSummary,
    ) -> Result<(), StateError> {
        self.remove(group, page)?;
        group.batch.remove(Key::sealed(page.0, page.1));
        group.sealed.remove(&page);
        self.put_intent(group, page, intent, 0)?;
        group.batch.put(Key::summary(page.0), summary)
    }

    /// Results that a killed run left behind stay: the sealed ledger and they are together what the page holds.
    fn reopen(
        &mut self,
        group: &mut Group,
        page: PageKey,
        intent: &PageIntent,
        summary: &ItemSummary,
    ) -> Result<(), StateError> {
        let before = self.find(group, page)?;
        if before.is_none() && self.find_sealed(group, page)?.is_none() {
            return Err(not_opened(page, "a reopening"));
        }
        for piece in 0..before.map_or(0, |open| open.pieces) {
            group.batch.remove(Key::intent(page.0, page.1, piece));
        }
        self.put_intent(group, page, intent, before.map_or(0, |open| open.deltas))?;
        group.batch.put(Key::summary(page.0), summary)
    }

    fn seal(
        &mut self,
        group: &mut Group,
        page: PageKey,
        records: &[UnitRecord],
        summary: &ItemSummary,
    ) -> Result<(), StateError> {
        let (rows_before, digest) = match (self.find(group, page)?, self.find_sealed(group, page)?) {
            (Some(open), _) => (open.rows_before, open.digest),
            (None, Some(sealed)) => (sealed.rows_before, sealed.digest),
            (None, None) => return Err(not_opened(page, "a seal")),
        };
        let block = Block::new(summary, page.1, rows_before, digest, records);
        let units = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let reference = self.segments.append(&block, units)?;
        self.remove(group, page)?;
        group.batch.put(Key::sealed(page.0, page.1), &reference)?;
        group.sealed.insert(page, reference);
        group.batch.put(Key::summary(page.0), summary)
    }

    /// Takes away everything of a page but its sealed reference.
    fn remove(&mut self, group: &mut Group, page: PageKey) -> Result<(), StateError> {
        group.results.remove(&page);
        if let Some(open) = self.find(group, page)? {
            for piece in 0..open.pieces {
                group.batch.remove(Key::intent(page.0, page.1, piece));
            }
            for delta in 0..open.deltas {
                group.batch.remove(Key::delta(page.0, page.1, delta));
            }
            self.open_pages.remove(&page);
        }
        Ok(())
    }

    fn put_intent(
        &mut self,
        group: &mut Group,
        page: PageKey,
        intent: &PageIntent,
        deltas: u32,
    ) -> Result<(), StateError> {
        let bytes = codec::encode(intent).ok_or(StateError::Unencodable)?;
        let mut pieces = 0;
        for piece in bytes.chunks(PIECE_BYTES) {
            group
                .batch
                .put_bytes(Key::intent(page.0, page.1, pieces), piece.to_vec());
            pieces += 1;
        }
        let open = OpenPage {
            pieces,
            deltas,
            rows_before: intent.rows_before,
            digest: intent.digest,
        };
        self.open_pages.insert(page, open);
        Ok(())
    }

    fn put_results(&mut self, group: &mut Group, page: PageKey, results: &[UnitResult]) -> Result<(), StateError> {
        let mut open = self.opened(group, page, "a result")?;
        for delta in results.chunks(DELTA_RESULTS) {
            group.batch.put(Key::delta(page.0, page.1, open.deltas), &delta)?;
            open.deltas += 1;
        }
        self.open_pages.insert(page, open);
        Ok(())
    }

    fn opened(&mut self, group: &Group, page: PageKey, what: &'static str) -> Result<OpenPage, StateError> {
        self.find(group, page)?.ok_or_else(|| not_opened(page, what))
    }

    /// The open page, from memory or as an earlier run left it.
    fn find(&mut self, group: &Group, page: PageKey) -> Result<Option<OpenPage>, StateError> {
        if let Some(open) = self.open_pages.get(&page) {
            return Ok(Some(*open));
        }
        if group.sealed.contains_key(&page) {
            return Ok(None);
        }
        let Some(intent) = read_intent(self.database(), page.0, page.1)? else {
            return Ok(None);
        };
        let pieces = self
            .database()
            .scan_bytes(&Prefix::page(page.0, Kind::Intent, page.1))?;
        let deltas = self.database().scan_bytes(&Prefix::page(page.0, Kind::Delta, page.1))?;
        let open = OpenPage {
            pieces: pieces.last().map_or(0, |(key, _)| key.sequence() + 1),
            deltas: deltas.last().map_or(0, |(key, _)| key.sequence() + 1),
            rows_before: intent.rows_before,
            digest: intent.digest,
        };
        self.open_pages.insert(page, open);
        Ok(Some(open))
    }

    fn find_sealed(&self, group: &Group, page: PageKey) -> Result<Option<SealedReference>, StateError> {
        match group.sealed.get(&page) {
            Some(reference) => Ok(Some(*reference)),
            None => self.database().get(Key::sealed(page.0, page.1)),
        }
    }

    fn database(&self) -> &Database {
        &self.shared.opened.database
    }
}

fn not_opened((item, page): PageKey, what: &'static str) -> StateError {
    StateError::NotOpened { item, page, what }
}
