use std::sync::atomic::Ordering;

use crate::connect::{OUTCOME_UNKNOWN, RowsFrom, SNAPSHOT_LOST, TableMapping};
use crate::engine::attempts::{Delays, wait};
use crate::engine::permits::ItemPaces;
use crate::model::{Event, Failure, FailureClass, ItemId, RowCount, RowRange, TableName, UnitResult, UnitStatus};
use crate::resolve::{OnBadRow, RowMode};
use crate::stages::tables::{
    Bookkeeping, Committed, LoadRequest, Loaded, PlannedTable, Rejects, chunk_name, load, rejects_path,
};

use super::context::TableContext;

/// What all chunks of one table share.
pub struct ChunkWork<'a> {
    pub item: ItemId,
    pub planned: &'a PlannedTable,
    pub mapping: &'a TableMapping,
    pub into: TableName,
    pub snapshot: Option<String>,
    /// Where chunks are noted at the sink.
    pub bookkeeping: Option<&'a Bookkeeping>,
    /// The statement by which the table takes its place in the transaction of its rows, where they are one chunk and nothing stands there.
    pub takes_place: Option<String>,
    /// The speeds of the table.
    pub paces: ItemPaces,
    /// Chunks that are there already.
    pub committed: &'a Committed,
}

/// One chunk.
pub struct Chunk<'a> {
    pub page: u32,
    pub unit: u32,
    /// Its number within the table, from 1.
    pub part: u64,
    pub range: &'a RowRange,
}

/// Works on a chunk until its rows are there or it has failed for good. `None` when a stop gives it up: nothing of it is at the sink then.
pub async fn work_on(context: &TableContext, work: &ChunkWork<'_>, chunk: Chunk<'_>) -> Option<UnitResult> {
    let identity = match work.bookkeeping {
        Some(bookkeeping) => bookkeeping.identity(chunk.range),
        None => chunk_name(&work.planned.key, chunk.range),
    };
    if let Some(rows) = work.committed.get(&identity) {
        return Some(done(chunk.unit, 0, already(*rows)));
    }
    let mut delays = Delays::new(&context.retry);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let failure = match attempt(context, work, &chunk).await {
            Ok(loaded) => {
                context.breaker.success();
                return Some(done(chunk.unit, attempts, loaded));
            }
            Err(failure) => failure,
        };
        if failure.class == FailureClass::Cancelled {
            return None;
        }
        if failure.code == OUTCOME_UNKNOWN {
            match outcome(context, work, &identity).await {
                Outcome::There(rows) => return Some(done(chunk.unit, attempts, already(rows))),
                Outcome::Repeatable => {}
                Outcome::Unknown => {
                    context.note_failure(&failure);
                    return Some(failed(chunk.unit, attempts, failure));
                }
            }
        }
        // The next run has another view; in this one there is none to wait for.
        let delay = (failure.code != SNAPSHOT_LOST)
            .then(|| delays.after(&failure))
            .flatten();
        let Some(delay) = delay else {
            context.note_failure(&failure);
            return Some(failed(chunk.unit, attempts, failure));
        };
        let retried = Event::UnitRetried {
            item: work.item,
            page: chunk.page,
            unit: chunk.unit,
            failure,
        };
        if context.events.send(retried).await.is_err() || !wait(delay, &context.stop).await {
            return None;
        }
    }
}

/// What can be said of a chunk whose commit was not answered.
enum Outcome {
    There(RowCount),
    /// It is not there, or may be written once more over itself.
    Repeatable,
    /// Written once more it could be there twice.
    Unknown,
}

/// | what tells | |
/// |---|---|
/// | the sink has noted it | there |
/// | the sink notes chunks, and not this one; or does not answer, and would refuse a second note | repeatable |
/// | the table takes its place with its rows, and has | there |
/// | the table takes its place with its rows, and has not | repeatable |
/// | rows replace others by their key | repeatable |
/// | nothing | unknown |
async fn outcome(context: &TableContext, work: &ChunkWork<'_>, identity: &str) -> Outcome {
    if work.takes_place.is_some() {
        return place_taken(context, work).await.unwrap_or(Outcome::Unknown);
    }
    let Some(bookkeeping) = work.bookkeeping else {
        return match context.job.work.sink.mode {
            RowMode::Upsert => Outcome::Repeatable,
            RowMode::Replace | RowMode::Truncate | RowMode::Append => Outcome::Unknown,
        };
    };
    let noted = bookkeeping.committed(&*context.sink).await;
    let noted = noted.ok().and_then(|noted| noted.get(identity).copied());
    noted.map_or(Outcome::Repeatable, Outcome::There)
}

/// Whether the table stands in its place, with how many rows, or where they were gathered.
async fn place_taken(context: &TableContext, work: &ChunkWork<'_>) -> Result<Outcome, Failure> {
    let tables = context.sink.tables().await?;
    let stands = |name: &TableName| tables.iter().any(|table| table.name == *name);
    let target = &work.mapping.target;
    match (stands(&work.into), stands(target)) {
        (true, _) => return Ok(Outcome::Repeatable),
        (false, false) => return Ok(Outcome::Unknown),
        (false, true) => {}
    }
    let rows = RowsFrom::Table(target.clone());
    Ok(Outcome::There(RowCount {
        written: context.sink.count(&rows, &RowRange::Whole).await?,
        rejected: 0,
    }))
}

/// A chunk that is there.
fn already(rows: RowCount) -> Loaded {
    Loaded {
        rows: rows.written,
        rejected: rows.rejected,
        bytes: 0,
    }
}

async fn attempt(context: &TableContext, work: &ChunkWork<'_>, chunk: &Chunk<'_>) -> Result<Loaded, Failure> {
    context.permits.unit_turn(&work.paces).await;
    let _permit = context.permits.leaf(&context.doors).await?;
    let rejects = match context.job.work.sink.on_bad_row {
        OnBadRow::Fail => None,
        OnBadRow::Reject => Some(rejects(context, work, chunk)),
    };
    let upsert_key = match (context.job.work.sink.mode, &work.mapping.primary_key) {
        (RowMode::Upsert, Some(key)) => key.columns.clone(),
        _ => Vec::new(),
    };
    let request = LoadRequest {
        source: &*context.source,
        sink: &*context.sink,
        from: &work.planned.from,
        mapping: work.mapping,
        range: chunk.range,
        into: &work.into,
        upsert_key: &upsert_key,
        snapshot: work.snapshot.as_deref(),
        batch: context.job.work.sink.batch.unwrap_or(usize::MAX),
        bookkeeping: work.bookkeeping,
        takes_place: work.takes_place.as_deref(),
        part: chunk.part,
        rejects: rejects.as_ref(),
        byte_paces: &context.permits.file(&work.paces).bytes,
        rows_read: &context.meters.rows,
    };
    context.meters.in_flight.fetch_add(1, Ordering::Relaxed);
    let loaded = tokio::select! {
        biased;
        // What is dropped in the middle of its transaction leaves nothing.
        () = context.stop.abort_token().cancelled() => Err(Failure::cancelled()),
        loaded = load(&request) => loaded,
    };
    context.meters.in_flight.fetch_sub(1, Ordering::Relaxed);
    if let Ok(loaded) = &loaded {
        context.meters.bytes.fetch_add(loaded.bytes, Ordering::Relaxed);
    }
    loaded
}

/// Each chunk has a file of its own, which a further attempt writes anew.
fn rejects(context: &TableContext, work: &ChunkWork<'_>, chunk: &Chunk<'_>) -> Rejects {
    let key = work.mapping.primary_key.as_ref().map(|key| key.columns.clone());
    Rejects::new(
        rejects_path(&context.rejects, work.item, chunk.page, chunk.unit),
        work.planned.key.clone(),
        chunk.range.to_string(),
        work.mapping.columns.clone(),
        key.unwrap_or_default(),
    )
}

fn done(unit: u32, attempts: u32, loaded: Loaded) -> UnitResult {
    UnitResult {
        unit,
        status: UnitStatus::Done,
        size: Some(loaded.bytes),
        rows: RowCount {
            written: loaded.rows,
            rejected: loaded.rejected,
        },
        hash: None,
        attempts,
        failure: None,
        effects: Vec::new(),
    }
}

fn failed(unit: u32, attempts: u32, failure: Failure) -> UnitResult {
    UnitResult {
        unit,
        status: UnitStatus::Failed,
        size: None,
        rows: RowCount::default(),
        hash: None,
        attempts,
        failure: Some(failure),
        effects: Vec::new(),
    }
}
