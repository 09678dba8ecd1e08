use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use futures::TryStreamExt;

use crate::connect::{
    Paces, RawStream, ReadRequest, RowsFrom, RowsRequest, TableMapping, TableStore, TableWriter, UnreadRows,
};
use crate::model::{Failure, FailureClass, RowCount, RowRange, TableName};

use super::bookkeeping::Bookkeeping;
use super::rejects::Rejects;

/// One chunk's way.
pub struct LoadRequest<'a> {
    pub source: &'a dyn TableStore,
    pub sink: &'a dyn TableStore,
    pub from: &'a RowsFrom,
    pub mapping: &'a TableMapping,
    pub range: &'a RowRange,
    /// The table that the rows go into: the target, or the one in which they are gathered.
    pub into: &'a TableName,
    pub upsert_key: &'a [String],
    /// Rows that the sink gets at once, at most.
    pub batch: usize,
    /// A consistent view of the source that several readers share.
    pub snapshot: Option<&'a str>,
    /// Where the chunk is noted at the sink, together with its rows.
    pub bookkeeping: Option<&'a Bookkeeping>,
    /// The statement by which the table takes its place, where these rows are all that it has.
    pub takes_place: Option<&'a str>,
    /// Which chunk of its table it is, from 1.
    pub part: u64,
    /// Where rows go that the source cannot carry or the sink refuses; absent, such a row fails the chunk.
    pub rejects: Option<&'a Rejects>,
    /// The bandwidth that the concurrency tree leaves to the chunk.
    pub byte_paces: &'a Paces,
    /// Counts rows as they are read.
    pub rows_read: &'a AtomicU64,
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows that are at the sink.
    pub rows: u64,
    pub rejected: u64,
    /// Bytes that they had in memory, or on the wire where they went as they are.
    pub bytes: u64,
}

/// Moves the rows of one chunk in one transaction of the sink: all of them are there afterwards, or none.
///
/// With a place for rejects, a chunk of which the source cannot carry a value, or the sink refuses one, is read once more. The source sets the rows aside
/// that it cannot carry, and each batch of the others is written apart; one that is refused again is cut in halves until the bad rows stand alone.
///
/// # Errors
/// What source and sink answer; nothing of the chunk is left at the sink then.
pub async fn load(request: &LoadRequest<'_>) -> Result<Loaded, Failure> {
    match pass(request, false).await {
        Err(failure) if is_rows_fault(&failure) && request.rejects.is_some() => pass(request, true).await,
        loaded => loaded,
    }
}

/// Whether the rows themselves are what does not go over.
fn is_rows_fault(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Data | FailureClass::Conflict)
}

async fn pass(request: &LoadRequest<'_>, is_careful: bool) -> Result<Loaded, Failure> {
    let aside = is_careful.then(UnreadRows::default);
    let read = ReadRequest {
        from: request.from.clone(),
        columns: request.mapping.columns.clone(),
        range: request.range.clone(),
        snapshot: request.snapshot.map(str::to_owned),
        unread: aside.clone(),
    };
    // What the sink refuses of a stream that nobody decodes, it refuses as a whole: the careful pass needs rows.
    if !is_careful
        && request.source.engine() == request.sink.engine()
        && let Some(rows) = request.source.read_raw(&read).await.map_err(at_source)?
    {
        return as_they_are(request, rows).await;
    }
    let mut batches = request.source.read(read).await.map_err(at_source)?;
    let mut writer = begin(request).await?;
    let mut loaded = Loaded::default();
    let mut read = 0;
    while let Some(batch) = batches.try_next().await.map_err(at_source)? {
        let rows = batch.num_rows() as u64;
        read += rows;
        let bytes = batch.get_array_memory_size() as u64;
        loaded.bytes += bytes;
        request.byte_paces.take(bytes).await;
        for batch in pieces(&batch, request.batch) {
            match request.rejects {
                Some(rejects) if is_careful => {
                    let refused = write_apart(&mut *writer, batch, rejects).await?;
                    loaded.rejected += refused;
                }
                _ => writer.write(batch).await?,
            }
        }
        request.rows_read.fetch_add(rows, Ordering::Relaxed);
        set_aside(request, aside.as_ref(), &mut loaded, &mut read)?;
    }
    set_aside(request, aside.as_ref(), &mut loaded, &mut read)?;
    end(request, writer, loaded, read).await
}

/// Both ends may be of one kind, and a message then tells of either.
fn at_source(failure: Failure) -> Failure {
    failure.context("at the source")
}

/// Writes down what the source has set aside up to now.
fn set_aside(
    request: &LoadRequest<'_>,
    aside: Option<&UnreadRows>,
    loaded: &mut Loaded,
    read: &mut u64,
) -> Result<(), Failure> {
    let (Some(rejects), Some(aside)) = (request.rejects, aside) else {
        return Ok(());
    };
    let rows = aside.take();
    for row in &rows {
        rejects.write(&row.row, &row.columns, &row.failure)?;
    }
    let rows = rows.len() as u64;
    *read += rows;
    loaded.rejected += rows;
    request.rows_read.fetch_add(rows, Ordering::Relaxed);
    Ok(())
}

/// Hands rows on in the form that both databases share.
async fn as_they_are(request: &LoadRequest<'_>, mut rows: RawStream) -> Result<Loaded, Failure> {
    let mut writer = begin(request).await?;
    let mut loaded = Loaded::default();
    let mut read = 0;
    while let Some(piece) = rows.try_next().await.map_err(at_source)? {
        read += piece.rows;
        let bytes = piece.bytes.len() as u64;
        loaded.bytes += bytes;
        request.byte_paces.take(bytes).await;
        request.rows_read.fetch_add(piece.rows, Ordering::Relaxed);
        writer.write_raw(piece).await?;
    }
    end(request, writer, loaded, read).await
}

async fn begin(request: &LoadRequest<'_>) -> Result<Box<dyn TableWriter>, Failure> {
    let write = RowsRequest {
        table: request.into.clone(),
        columns: request.mapping.columns.clone(),
        upsert_key: request.upsert_key.to_vec(),
        part: request.part,
    };
    request.sink.write(write).await
}

/// Commits the chunk, of which so many rows were read.
async fn end(
    request: &LoadRequest<'_>,
    writer: Box<dyn TableWriter>,
    mut loaded: Loaded,
    read: u64,
) -> Result<Loaded, Failure> {
    let last = request.bookkeeping.map(|bookkeeping| {
        let rows = RowCount {
            written: read - loaded.rejected,
            rejected: loaded.rejected,
        };
        bookkeeping.note(request.range, rows)
    });
    let last = last.or_else(|| request.takes_place.map(str::to_owned));
    // On the disk before the chunk is committed: behind that no run reads it again.
    if let Some(rejects) = request.rejects {
        rejects.close()?;
    }
    loaded.rows = writer.finish(last).await?;
    Ok(loaded)
}

/// A batch in pieces of at most so many rows, without copying a value.
fn pieces(batch: &RecordBatch, rows_max: usize) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    (0..rows)
        .step_by(rows_max.max(1))
        .map(move |from| batch.slice(from, rows_max.min(rows - from)))
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
                rejects.write(&batch, &[], &failure)?;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, Int32Array};

    use super::*;

    #[test]
    fn a_batch_is_cut_without_a_gap() {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values(0..7));
        let batch = RecordBatch::try_from_iter([("n", values)]).unwrap();
        let cut = |rows_max| -> Vec<Vec<i32>> {
            let values = |piece: RecordBatch| piece.column(0).as_primitive::<Int32Type>().values().to_vec();
            pieces(&batch, rows_max).map(values).collect()
        };
        assert_eq!(cut(3), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
        assert_eq!(cut(usize::MAX), [vec![0, 1, 2, 3, 4, 5, 6]]);
    }
}
