//! The rows of Parquet files: row groups, decoded by a thread that may wait.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow_select::concat::concat;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokio::sync::mpsc;

use super::blocking;
use super::budget::Budget;
use super::catalogue::footer;
use super::object_bytes::ObjectBytes;
use super::read::{Piece, no_column};
use super::values::to_carry;
use crate::connect::Store;
use crate::connect::tables::BatchStream;
use crate::connect::tables::batch::{BYTES_MAX, ROWS_MAX, data_type, schema};
use crate::connect::tables::streamed::{Batch, streamed};
use crate::connect::tables::unread::{UnreadRows, UnreadValues};
use crate::model::{ColumnMapping, Failure};

/// Batches that are read ahead: they are large.
const GROUPS_AHEAD: usize = 1;

/// Streams row groups from a thread that may wait, which ends when the stream is dropped.
pub fn parquet(
    store: Arc<dyn Store>,
    budget: Budget,
    piece: Piece,
    columns: Arc<Vec<ColumnMapping>>,
    unread: Option<UnreadRows>,
) -> BatchStream {
    let part = &piece.part;
    let object = ObjectBytes::new(store, part.path.clone(), part.size, part.version, columns.len());
    streamed(GROUPS_AHEAD, |sender| async move {
        let turn = budget.decoder().await?;
        blocking(move || {
            // The thread may go on for a while behind a stream that is dropped.
            let _turn = turn;
            stream_groups(&object, &piece, &columns, unread.as_ref(), &sender)
        })
        .await
    })
}

fn stream_groups(
    object: &ObjectBytes,
    piece: &Piece,
    columns: &[ColumnMapping],
    unread: Option<&UnreadRows>,
    sender: &mpsc::Sender<Batch>,
) -> Result<(), Failure> {
    let path = &piece.part.path;
    let metadata = footer(object).map_err(|error| object.failure(&error))?;
    let is_wanted = |name: &String| columns.iter().any(|column| column.source == *name);
    let fields = metadata.schema().fields();
    let roots = (0..fields.len()).filter(|root| is_wanted(fields[*root].name()));
    let roots = ProjectionMask::roots(metadata.parquet_schema(), roots.collect::<Vec<_>>());
    let groups = piece.blocks.clone().filter_map(|group| usize::try_from(group).ok());
    let groups: Vec<usize> = groups.collect();
    let rows = batch_rows(&metadata, &groups);
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(object.clone(), metadata)
        .with_projection(roots)
        .with_row_groups(groups)
        .with_batch_size(rows)
        .build()
        .map_err(|error| object.failure(&error))?;
    for batch in batches {
        let batch = batch.map_err(|error| object.failure(&error))?;
        if sender
            .blocking_send(Ok(carried(&batch, columns, unread, path)?))
            .is_err()
        {
            return Ok(());
        }
    }
    Ok(())
}

/// How many rows have about as many bytes as a batch may have.
fn batch_rows(metadata: &parquet::arrow::arrow_reader::ArrowReaderMetadata, groups: &[usize]) -> usize {
    let (mut rows, mut bytes) = (0, 0);
    for group in groups
        .iter()
        .filter_map(|group| metadata.metadata().row_groups().get(*group))
    {
        rows += group.num_rows();
        bytes += group.total_byte_size();
    }
    let in_row = usize::try_from(bytes / rows.max(1)).unwrap_or(BYTES_MAX).max(1);
    (BYTES_MAX / in_row).clamp(1, ROWS_MAX)
}

fn carried(batch: &RecordBatch, columns: &[ColumnMapping], aside: Option<&UnreadRows>, path: &str) -> Batch {
    let told = |failure: Failure| failure.context(format_args!("`{path}`"));
    let mut arrays = Vec::with_capacity(columns.len());
    let mut unread = UnreadValues::default();
    for (place, column) in columns.iter().enumerate() {
        let values = batch
            .column_by_name(&column.source)
            .ok_or_else(|| told(no_column(&column.source)))?;
        arrays.push(match to_carry(column, values) {
            Ok(carried) => carried,
            Err(failure) if aside.is_none() => return Err(told(failure)),
            Err(_) => carried_apart(column, values, |row, failure| {
                unread.note(row, place, told(failure));
            })?,
        });
    }
    let batch = RecordBatch::try_new(schema(columns), arrays)
        .map_err(|error| Failure::permanent("rows.shape", format!("a batch does not fit its columns: {error}")))?;
    match aside {
        Some(aside) if !unread.is_empty() => aside.sift(&batch, unread),
        _ => Ok(batch),
    }
}

/// The values of a column as they are to be carried, with NULL in the place of those that cannot be: what cannot be carried is cut in halves until
/// these stand alone.
fn carried_apart(
    column: &ColumnMapping,
    values: &ArrayRef,
    mut note: impl FnMut(usize, Failure),
) -> Result<ArrayRef, Failure> {
    let mut carried: Vec<ArrayRef> = Vec::new();
    let whole = 0..values.len();
    let mut waiting = vec![whole];
    while let Some(rows) = waiting.pop() {
        match to_carry(column, &values.slice(rows.start, rows.len())) {
            Ok(values) => carried.push(values),
            Err(failure) if rows.len() <= 1 => {
                note(rows.start, failure);
                carried.push(new_null_array(&data_type(column.carry), 1));
            }
            Err(_) => {
                let middle = rows.start + rows.len() / 2;
                waiting.push(middle..rows.end);
                waiting.push(rows.start..middle);
            }
        }
    }
    let carried: Vec<&dyn Array> = carried.iter().map(AsRef::as_ref).collect();
    concat(&carried).map_err(|error| Failure::permanent("rows.shape", format!("a column cannot be carried: {error}")))
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::TimestampMicrosecondType;
    use arrow_array::{Int64Array, TimestampMillisecondArray};

    use super::*;
    use crate::model::Carry;

    #[test]
    fn rows_of_parquet_that_cannot_be_carried_are_set_aside() {
        let column = |name: &str, native: &str, carry| ColumnMapping {
            source: name.to_owned(),
            source_native: native.to_owned(),
            carry,
            target: name.to_owned(),
            target_native: native.to_owned(),
            is_nullable: true,
            is_identity: false,
            losses: Vec::new(),
        };
        let columns = [
            column("id", "int64", Carry::Int64),
            column("at", "timestamp", Carry::Timestamp),
        ];
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=4));
        let moments = [Some(1), Some(i64::MAX), None, Some(2)];
        let moments: ArrayRef = Arc::new(TimestampMillisecondArray::from_iter(moments));
        let batch = RecordBatch::try_from_iter([("id", ids), ("at", moments)]).unwrap();
        let failure = carried(&batch, &columns, None, "t.parquet").unwrap_err();
        assert_eq!(failure.code, "rows.value");
        let aside = UnreadRows::default();
        let kept = carried(&batch, &columns, Some(&aside), "t.parquet").unwrap();
        let at = kept.column(1).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(at.iter().collect::<Vec<_>>(), [Some(1_000), None, Some(2_000)]);
        let [unread] = &aside.take()[..] else {
            panic!("one row is set aside")
        };
        assert_eq!(unread.columns, [1]);
        assert_eq!(
            unread.failure.message, failure.message,
            "it is told the same way, with its file"
        );
        assert!(failure.message.contains("`t.parquet`"), "{failure}");
    }
}
