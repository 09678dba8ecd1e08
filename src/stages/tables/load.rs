use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use futures::TryStreamExt;

use crate::connect::{ChunkMark, ReadRequest, RowsFrom, RowsRequest, SqlDatabase, TableMapping, TableWriter};
use crate::model::{Failure, FailureClass, RowRange, TableName};

use super::rejects::Rejects;

/// One chunk's way.
pub struct LoadRequest<'a> {
    pub source: &'a dyn SqlDatabase,
    pub sink: &'a dyn SqlDatabase,
    pub from: &'a RowsFrom,
    pub mapping: &'a TableMapping,
    pub range: &'a RowRange,
    /// The table that the rows go into: the target, or the one in which they are gathered.
    pub into: &'a TableName,
    pub upsert_key: &'a [String],
    /// A consistent view of the source that several readers share.
    pub snapshot: Option<&'a str>,
    pub mark: Option<ChunkMark>,
    /// Which chunk of its table it is, from 1.
    pub part: u64,
    /// Where rows go that the sink refuses; absent, such a row fails the chunk.
    pub rejects: Option<&'a Rejects>,
    /// Counts rows as they are read.
    pub rows_read: &'a AtomicU64,
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows that are at the sink.
    pub rows: u64,
    pub rejected: u64,
    /// Bytes that they had in memory.
    pub bytes: u64,
}

/// Moves the rows of one chunk in one transaction of the sink: all of them are there afterwards, or none.
///
/// With a place for rejects, a chunk that the sink refuses is read once more and each batch is written apart; one that is refused again is cut in
/// halves until the bad rows stand alone.
///
/// # Errors
/// What source and sink answer; nothing of the chunk is left at the sink then.
pub async fn load(request: &LoadRequest<'_>) -> Result<Loaded, Failure> {
    match pass(request, false).await {
        Err(failure) if is_rows_fault(&failure) && request.rejects.is_some() => pass(request, true).await,
        loaded => loaded,
    }
}

/// Whether the rows themselves are what the sink does not take.
fn is_rows_fault(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Data | FailureClass::Conflict)
}

async fn pass(request: &LoadRequest<'_>, is_careful: bool) -> Result<Loaded, Failure> {
    let write = RowsRequest {
        table: request.into.clone(),
        columns: request.mapping.columns.clone(),
        upsert_key: request.upsert_key.to_vec(),
        mark: request.mark.clone(),
        part: request.part,
    };
    let read = ReadRequest {
        from: request.from.clone(),
        columns: request.mapping.columns.clone(),
        range: request.range.clone(),
        snapshot: request.snapshot.map(str::to_owned),
    };
    let mut batches = request.source.read(read).await?;
    let mut writer = request.sink.write(write).await?;
    let mut loaded = Loaded::default();
    while let Some(batch) = batches.try_next().await? {
        let rows = batch.num_rows() as u64;
        loaded.bytes += batch.get_array_memory_size() as u64;
        match request.rejects {
            Some(rejects) if is_careful => {
                let refused = write_apart(&mut *writer, batch, rejects).await?;
                loaded.rejected += refused;
            }
            _ => writer.write(batch).await?,
        }
        request.rows_read.fetch_add(rows, Ordering::Relaxed);
    }
    loaded.rows = writer.finish().await?;
    if let Some(rejects) = request.rejects {
        rejects.close()?;
    }
    Ok(loaded)
}

/// Writes a batch; what the sink refuses is cut in halves until the bad rows stand alone. Gives their number.
async fn write_apart(writer: &mut dyn TableWriter, batch: RecordBatch, rejects: &Rejects) -> Result<u64, Failure> {
    let mut refused = 0;
    let mut waiting = vec![batch];
    while let Some(batch) = waiting.pop() {
        match writer.write_apart(batch.clone()).await {
            Ok(()) => {}
            Err(failure) if !is_rows_fault(&failure) => return Err(failure),
            Err(failure) if batch.num_rows() <= 1 => {
                rejects.write(&batch, &failure)?;
                refused += 1;
            }
            Err(_) => {
                let half = batch.num_rows() / 2;
                waiting.push(batch.slice(half, batch.num_rows() - half));
                waiting.push(batch.slice(0, half));
            }
        }
    }
    Ok(refused)
}
