//! What an interrupted run has left of a table.

use crate::connect::TableMapping;
use crate::engine::item::{Broken, records_of};
use crate::model::{Failure, RowRange, UnitRecord};
use crate::resolve::RowMode;
use crate::stages::tables::{Bookkeeping, Committed, TakeUp, take_up, take_up_added};

use super::item::TableRun;
use super::place::stands;

impl TableRun<'_> {
    /// The chunks that an interrupted run has left, and all chunks; `None` when the table is loaded from its beginning.
    pub(super) async fn kept(
        &self,
        bookkeeping: Option<&Bookkeeping>,
        mapping: &TableMapping,
    ) -> Result<Result<Option<(Committed, Vec<RowRange>)>, Failure>, Broken> {
        Ok(match bookkeeping {
            Some(bookkeeping) => self.noted(bookkeeping, mapping).await,
            None if self.context.job.work.sink.mode == RowMode::Append && self.planned.existing.is_some() => {
                let mut records = Vec::new();
                for page in &self.past.pages {
                    records.extend(records_of(&self.past, page).await?);
                }
                self.added(&records).await
            }
            None => Ok(None),
        })
    }

    /// What the sink has noted itself.
    async fn noted(
        &self,
        bookkeeping: &Bookkeeping,
        mapping: &TableMapping,
    ) -> Result<Option<(Committed, Vec<RowRange>)>, Failure> {
        let (context, planned) = (self.context, self.planned);
        let committed = self.with_retries(|| bookkeeping.committed(&*context.sink)).await?;
        if committed.is_empty() {
            return Ok(None);
        }
        let chunks = self.chunks().await?;
        let mode = context.job.work.sink.mode;
        let stands = stands(planned, mapping, mode);
        match take_up(bookkeeping, committed, &chunks, stands, mode, &planned.key)? {
            TakeUp::Anew => Ok(None),
            TakeUp::GoOn(committed) => Ok(Some((committed, chunks))),
        }
    }

    /// What the ledger says that this job has added.
    async fn added(&self, records: &[UnitRecord]) -> Result<Option<(Committed, Vec<RowRange>)>, Failure> {
        if records.is_empty() {
            return Ok(None);
        }
        let chunks = self.chunks().await?;
        let is_quiet = self.context.job.work.source.is_quiet;
        let done = take_up_added(records, &chunks, is_quiet, &self.planned.key)?;
        Ok(done.map(|done| (done, chunks)))
    }
}
