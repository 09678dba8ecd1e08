use std::sync::Arc;

use crate::connect::{Ddl, KeyAround, Snapshot, TableMapping};
use crate::engine::ItemEntry;
use crate::engine::attempts::repeat;
use crate::engine::item::{Broken, Past};
use crate::model::{
    Event, Failure, FailureClass, ItemStatus, ItemSummary, RowRange, StageRecord, StageStatus, Timestamp,
};
use crate::resolve::OnBadRow;
use crate::stages::tables::{Bookkeeping, PlannedTable, plan_chunks};

use super::bookkeeping::bookkeeping;
use super::chunk::ChunkWork;
use super::context::TableContext;
use super::place::{Place, place, prepare, swap};

/// Makes a table and loads it: the stages `schema` and `data`. What an interrupted run left of it is loaded again.
///
/// A function of the table, what is already done of it, and the context's permits, stop signal and event sink; it knows of no other item. Returns
/// where the table stands, which may not be durable yet; `None` when there was nothing to do.
pub async fn load_table(
    context: &Arc<TableContext>,
    slot: usize,
    entry: &ItemEntry,
    past: Past,
) -> Result<Option<ItemSummary>, Broken> {
    let before = past.summary.clone();
    let mut summary = before.unwrap_or_else(|| ItemSummary::new(entry.key.clone(), entry.ordinal));
    if summary.stage_status("data") == StageStatus::Done {
        return Ok(None);
    }
    let Some(planned) = context.tables.get(&summary.id()) else {
        return Ok(None);
    };
    summary.status = ItemStatus::InProgress;
    summary.attempts += 1;
    summary.listing_failure = None;
    summary.ended = None;
    summary.started.get_or_insert_with(Timestamp::now);
    let started = Event::ItemStarted {
        slot,
        summary: summary.clone(),
    };
    context.events.send(started).await?;
    let mut table = TableRun {
        context,
        planned,
        summary,
        past,
    };
    match &planned.mapping {
        Ok(mapping) => table.run(mapping).await?,
        Err(problems) => {
            let told: Vec<String> = problems
                .iter()
                .map(|problem| format!("{}: {} ({})", problem.place, problem.message, problem.help))
                .collect();
            let failure = Failure::data("tables.mapping", told.join("; "));
            table.fail("schema", failure);
        }
    }
    let TableRun { mut summary, .. } = table;
    summary.status = end_status(&summary);
    summary.ended = Some(Timestamp::now());
    let finished = Event::ItemFinished {
        slot,
        summary: summary.clone(),
    };
    context.events.send(finished).await?;
    Ok(Some(summary))
}

/// Where a table stands when its slot lets go of it; only the constraints make it completed.
fn end_status(summary: &ItemSummary) -> ItemStatus {
    let is_failed = |record: &StageRecord| record.status == StageStatus::Failed;
    if summary.listing_failure.is_some() || summary.units.failed > 0 || summary.stages.iter().any(is_failed) {
        ItemStatus::Failed
    } else {
        ItemStatus::Pending
    }
}

/// One table on its way, in this run.
pub(super) struct TableRun<'a> {
    pub(super) context: &'a Arc<TableContext>,
    pub(super) planned: &'a PlannedTable,
    pub(super) summary: ItemSummary,
    pub(super) past: Past,
}

impl TableRun<'_> {
    async fn run(&mut self, mapping: &TableMapping) -> Result<(), Broken> {
        let options = &self.context.options;
        if !(options.does("schema") || options.does("data")) {
            return Ok(());
        }
        let engine = self.context.sink.engine();
        let notes = self.context.bookkeeping.as_ref();
        let bookkeeping = notes.map(|table| bookkeeping(table, engine, self.planned, mapping, &self.summary));
        let kept = match self.kept(bookkeeping.as_ref(), mapping).await? {
            Ok(kept) => kept,
            Err(failure) => {
                self.fail("schema", failure);
                return Ok(());
            }
        };
        let ddl = Ddl::new(engine);
        let place = place(self.planned, mapping, &self.context.job, ddl, kept.is_some());
        let mut place = match place {
            Ok(place) => place,
            Err(failure) => {
                self.fail("schema", failure);
                return Ok(());
            }
        };
        if kept.is_none() {
            place.statements.extend(bookkeeping.as_ref().map(Bookkeeping::forget));
        }
        self.begin("schema").await?;
        if let Err(failure) = self.make(mapping, &place).await? {
            self.fail("schema", failure);
            return Ok(());
        }
        self.end("schema");
        self.mention().await?;
        if !options.does("data") || self.context.stop.is_draining() {
            return Ok(());
        }
        self.begin("data").await?;
        let (committed, chunks) = kept.unzip();
        let (chunks, snapshot) = match self.cut(chunks).await {
            Ok(cut) => cut,
            Err(failure) => {
                self.fail("data", failure);
                return Ok(());
            }
        };
        let work = ChunkWork {
            item: self.summary.id(),
            planned: self.planned,
            mapping,
            into: place.into.clone(),
            snapshot: snapshot.as_ref().map(|snapshot| snapshot.name.clone()),
            bookkeeping: bookkeeping.as_ref(),
            takes_place: self.takes_place(mapping, &place, ddl, chunks.len()),
            paces: self.context.permits.item(),
            committed: &committed.unwrap_or_default(),
        };
        let is_whole = self.load(&work, &place, &chunks).await?;
        drop(snapshot);
        if !is_whole {
            return Ok(());
        }
        self.take_its_place(mapping, &place, work.takes_place.is_some()).await?;
        if let (StageStatus::Done, Some(bookkeeping)) = (self.summary.stage_status("data"), &bookkeeping) {
            // Notes that stay belong to a loading that no run will ask for again.
            let forget = [bookkeeping.forget()];
            drop(self.with_retries(|| self.context.sink.execute(&forget)).await);
        }
        Ok(())
    }

    /// The statement by which a table takes its place in the transaction of its rows: where they are one chunk and nothing stands there, no moment
    /// of its own is needed for it. Of rows that were rejected, nothing would be known if the answer to that transaction were lost.
    fn takes_place(&self, mapping: &TableMapping, place: &Place, ddl: Ddl, chunks: usize) -> Option<String> {
        let is_new = place.is_staging && self.planned.existing.is_none();
        let is_simple = chunks == 1
            && self.context.bookkeeping.is_none()
            && self.context.job.work.sink.on_bad_row == OnBadRow::Fail;
        let takes_place = is_new && is_simple && ddl.renames_with_rows();
        takes_place.then(|| ddl.rename(&place.into, &mapping.target))
    }

    /// Makes the place for the rows. Keys around a table that is emptied are noted before they go, to be given back behind the barrier.
    async fn make(&mut self, mapping: &TableMapping, place: &Place) -> Result<Result<(), Failure>, Broken> {
        let sink = &self.context.sink;
        if place.is_emptied {
            let keys = match self.note_keys(mapping, |_| true).await? {
                Ok(keys) => keys,
                Err(failure) => return Ok(Err(failure)),
            };
            for key in keys {
                let take = [key.take];
                match self.with_retries(|| sink.execute(&take)).await {
                    // The table at its other end has taken it.
                    Err(failure) if failure.code == "database.object_not_found" => {}
                    Err(failure) => return Ok(Err(failure)),
                    Ok(()) => {}
                }
            }
        }
        Ok(self
            .with_retries(|| prepare(&**sink, &self.context.schemas, place))
            .await)
    }

    /// Makes it durable which keys are owed to the table and others.
    async fn note_keys(
        &mut self,
        mapping: &TableMapping,
        is_taken: impl Fn(&KeyAround) -> bool,
    ) -> Result<Result<Vec<KeyAround>, Failure>, Broken> {
        let sink = &self.context.sink;
        let mut keys = match self.with_retries(|| sink.keys_around(&mapping.target)).await {
            Ok(keys) => keys,
            Err(failure) => return Ok(Err(failure)),
        };
        keys.retain(is_taken);
        let owed = &mut self.summary.stage("constraints").owed;
        let known = owed.len();
        for key in &keys {
            if !owed.contains(&key.give_back) {
                owed.push(key.give_back.clone());
            }
        }
        if owed.len() > known {
            self.tell().await?;
        }
        Ok(Ok(keys))
    }

    /// The chunks, and a view of the source that they share where the engine can give one and there is more than one to share it. The view may be
    /// younger than the bounds of the chunks: these leave no gap, and are open at their ends.
    async fn cut(&self, known: Option<Vec<RowRange>>) -> Result<(Vec<RowRange>, Option<Snapshot>), Failure> {
        let chunks = match known {
            Some(chunks) => chunks,
            None => self.chunks().await?,
        };
        let snapshot = match chunks.len() {
            0 | 1 => None,
            _ => self.with_retries(|| self.context.source.snapshot()).await?,
        };
        Ok((chunks, snapshot))
    }

    async fn chunks(&self) -> Result<Vec<RowRange>, Failure> {
        let (context, planned) = (self.context, self.planned);
        let policy = &context.job.work.source.chunks;
        self.with_retries(|| plan_chunks(&*context.source, &planned.from, &planned.source, policy))
            .await
    }

    /// All rows are there: what was gathered takes the target's place, unless it `has` with its rows. What that takes away from other tables is noted
    /// first.
    async fn take_its_place(&mut self, mapping: &TableMapping, place: &Place, has: bool) -> Result<(), Broken> {
        let sink = &self.context.sink;
        if place.is_staging
            && !has
            && let Err(failure) = self.note_keys(mapping, |key| !key.is_own).await?
        {
            self.fail("data", failure);
            return Ok(());
        }
        let mut attempts = 0;
        let swapped = match has {
            true => Ok(()),
            false => {
                self.with_retries(|| {
                    attempts += 1;
                    swap(&**sink, place, mapping, attempts > 1)
                })
                .await
            }
        };
        match swapped {
            Ok(()) => self.end("data"),
            Err(failure) => self.fail("data", failure),
        }
        // The stage that follows comes anew.
        let constraints = self.summary.stage("constraints");
        constraints.status = StageStatus::Pending;
        constraints.failure = None;
        // A table that has been replaced may be replaced once more; rows that were added must not be added again.
        if place.is_staging {
            self.mention().await
        } else {
            self.tell().await
        }
    }

    pub(super) async fn with_retries<T, Work>(&self, work: impl FnMut() -> Work) -> Result<T, Failure>
    where
        Work: Future<Output = Result<T, Failure>>,
    {
        let _permit = self.context.permits.leaf(&self.context.doors).await?;
        repeat(&self.context.retry, &self.context.stop, work).await
    }

    async fn begin(&mut self, stage: &str) -> Result<(), Broken> {
        let record = self.summary.stage(stage);
        record.status = StageStatus::InProgress;
        record.started = Some(Timestamp::now());
        record.ended = None;
        record.failure = None;
        self.mention().await
    }

    fn end(&mut self, stage: &str) {
        let record = self.summary.stage(stage);
        record.status = StageStatus::Done;
        record.ended = Some(Timestamp::now());
    }

    /// A stop is no failure: the stage stays as it is.
    fn fail(&mut self, stage: &str, failure: Failure) {
        if failure.class == FailureClass::Cancelled {
            return;
        }
        self.context.note_failure(&failure);
        let record = self.summary.stage(stage);
        record.status = StageStatus::Failed;
        record.ended = Some(Timestamp::now());
        record.failure = Some(failure.clone());
        self.summary.listing_failure = Some(failure);
    }

    /// Tells where the table stands, without waiting: a run that was killed before it is known does the same once more.
    async fn mention(&self) -> Result<(), Broken> {
        let changed = Event::ItemChanged {
            summary: self.summary.clone(),
        };
        Ok(self.context.events.send(changed).await?)
    }

    /// Makes the standing of the table durable.
    async fn tell(&self) -> Result<(), Broken> {
        let changed = Event::ItemChanged {
            summary: self.summary.clone(),
        };
        Ok(self.context.events.send_durable(changed).await?)
    }
}
