//! What an interrupted run has left of a table.

use crate::connect::{TableMapping, TableStore};
use crate::engine::item::{Broken, records_of};
use crate::model::{Failure, RowRange, UnitRecord};
use crate::resolve::{RowMode, TableJob};
use crate::stages::tables::{Bookkeeping, Committed, PlannedTable, TakeUp, plan_chunks, take_up, take_up_added};

use super::item::TableRun;
use super::place::stands;

/// The chunks that an interrupted run has left, and all chunks; `None` when the table is loaded from its beginning.
pub(super) type Kept = Option<(Committed, Vec<RowRange>)>;

/// A table that may have been begun. The run that takes it up and the plan that tells of it ask the same of it; nothing is written.
pub(super) struct Begun<'a> {
    pub job: &'a TableJob,
    pub source: &'a dyn TableStore,
    pub sink: &'a dyn TableStore,
    pub planned: &'a PlannedTable,
    pub mapping: &'a TableMapping,
    /// Where chunks are noted at the sink.
    pub bookkeeping: Option<&'a Bookkeeping>,
}

impl Begun<'_> {
    /// Whether only the ledger knows which rows are this job's.
    pub fn is_told_by_ledger(&self) -> bool {
        let is_added = self.job.work.sink.mode == RowMode::Append && self.planned.existing.is_some();
        self.bookkeeping.is_none() && is_added
    }

    /// `records` are the ledger's, where it is the one that knows.
    ///
    /// # Errors
    /// `tables.partial`, `tables.not_quiet`, and what source and sink answer.
    pub async fn kept(&self, records: &[UnitRecord]) -> Result<Kept, Failure> {
        match self.bookkeeping {
            Some(bookkeeping) => self.noted(bookkeeping).await,
            None if records.is_empty() => Ok(None),
            None => {
                let chunks = self.chunks().await?;
                let is_quiet = self.job.work.source.is_quiet;
                let done = take_up_added(records, &chunks, is_quiet, &self.planned.key)?;
                Ok(done.map(|done| (done, chunks)))
            }
        }
    }

    /// What the sink has noted itself.
    async fn noted(&self, bookkeeping: &Bookkeeping) -> Result<Kept, Failure> {
        let committed = bookkeeping.committed(self.sink).await?;
        if committed.is_empty() {
            return Ok(None);
        }
        let chunks = self.chunks().await?;
        let mode = self.job.work.sink.mode;
        let stands = stands(self.planned, self.mapping, mode);
        match take_up(bookkeeping, committed, &chunks, stands, mode, &self.planned.key)? {
            TakeUp::Anew => Ok(None),
            TakeUp::GoOn(committed) => Ok(Some((committed, chunks))),
        }
    }

    async fn chunks(&self) -> Result<Vec<RowRange>, Failure> {
        let policy = &self.job.work.source.chunks;
        plan_chunks(self.source, &self.planned.from, &self.planned.source, policy).await
    }
}

impl TableRun<'_> {
    pub(super) async fn kept(
        &self,
        bookkeeping: Option<&Bookkeeping>,
        mapping: &TableMapping,
    ) -> Result<Result<Kept, Failure>, Broken> {
        let begun = Begun {
            job: &self.context.job,
            source: &*self.context.source,
            sink: &*self.context.sink,
            planned: self.planned,
            mapping,
            bookkeeping,
        };
        let mut records = Vec::new();
        if begun.is_told_by_ledger() {
            for page in &self.past.pages {
                records.extend(records_of(&self.past, page).await?);
            }
        }
        if records.is_empty() && bookkeeping.is_none() {
            return Ok(Ok(None));
        }
        Ok(self.with_retries(|| begun.kept(&records)).await)
    }
}
