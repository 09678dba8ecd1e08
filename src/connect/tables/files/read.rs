//! The rows of files as batches.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokio::sync::mpsc;

use super::blocking;
use super::budget::Budget;
use super::catalogue::{FileTable, Part, footer};
use super::object_bytes::{ObjectBytes, changed};
use super::values::to_carry;
use crate::connect::Store;
use crate::connect::tables::BatchStream;
use crate::connect::tables::batch::{BYTES_MAX, BatchBuilder, ROWS_MAX, schema};
use crate::connect::tables::cell::append_text;
use crate::connect::tables::streamed::{Batch, streamed};
use crate::format::{RowStream, read_csv_nulls, read_jsonl};
use crate::model::{ColumnMapping, Failure, FileFormat, Row, RowRange, Value};

/// Batches of a Parquet file that are read ahead: they are large.
const GROUPS_AHEAD: usize = 1;

/// What is read of one file.
pub struct Piece {
    pub part: Part,
    /// Its blocks.
    pub blocks: Range<u64>,
}

/// The files, and their blocks, that a range means.
///
/// # Errors
/// `tables.no_key`: files are not cut by keys.
pub fn pieces(table: &FileTable, range: &RowRange) -> Result<Vec<Piece>, Failure> {
    let (from, below) = match range {
        RowRange::Whole => (0, None),
        RowRange::Blocks { from, below } => (*from, *below),
        RowRange::Key { column, .. } => return Err(no_key(column)),
    };
    let below = below.unwrap_or(u64::MAX);
    let mut first = 0;
    let mut pieces = Vec::new();
    for part in &table.parts {
        let end = first + part.blocks();
        let blocks = from.max(first)..below.min(end);
        if !blocks.is_empty() {
            pieces.push(Piece {
                part: part.clone(),
                blocks: blocks.start - first..blocks.end - first,
            });
        }
        first = end;
    }
    Ok(pieces)
}

pub fn no_key(column: &str) -> Failure {
    Failure::permanent(
        "tables.no_key",
        format!("files cannot be cut by the key `{column}`; take `chunks` out"),
    )
}

/// The rows of all pieces, one after the other.
pub fn read(store: &Arc<dyn Store>, budget: &Budget, pieces: Vec<Piece>, columns: Vec<ColumnMapping>) -> BatchStream {
    let (store, budget, columns) = (Arc::clone(store), budget.clone(), Arc::new(columns));
    let batches = futures::stream::iter(pieces).then(move |piece| {
        let (store, budget, columns) = (Arc::clone(&store), budget.clone(), Arc::clone(&columns));
        async move {
            match piece.part.format {
                FileFormat::Parquet => Ok(parquet(store, budget, piece, columns)),
                FileFormat::Csv | FileFormat::JsonLines => text(&store, &piece.part, columns).await,
            }
        }
    });
    batches.try_flatten().boxed()
}

/// Counts rows: from what a Parquet file says of itself, else by reading.
pub async fn count(store: &Arc<dyn Store>, pieces: Vec<Piece>) -> Result<u64, Failure> {
    let mut rows = 0;
    for piece in pieces {
        let range = usize::try_from(piece.blocks.start)
            .ok()
            .zip(usize::try_from(piece.blocks.end).ok());
        let known = piece.part.groups.as_ref().zip(range);
        rows += match known.and_then(|(groups, (from, to))| groups.get(from..to)) {
            Some(groups) => groups.iter().sum(),
            None => {
                let path = piece.part.path.clone();
                let (mut all, mut counted) = (text_rows(store, &piece.part).await?, 0);
                while let Some(_row) = all
                    .try_next()
                    .await
                    .map_err(|failure| failure.context(format_args!("`{path}`")))?
                {
                    counted += 1;
                }
                counted
            }
        };
    }
    Ok(rows)
}

/// Streams row groups from a thread that may wait, which ends when the stream is dropped.
fn parquet(store: Arc<dyn Store>, budget: Budget, piece: Piece, columns: Arc<Vec<ColumnMapping>>) -> BatchStream {
    let part = &piece.part;
    let object = ObjectBytes::new(store, part.path.clone(), part.size, part.version, columns.len());
    streamed(GROUPS_AHEAD, |sender| async move {
        let turn = budget.decoder().await?;
        blocking(move || {
            // The thread may go on for a while behind a stream that is dropped.
            let _turn = turn;
            stream_groups(&object, &piece, &columns, &sender)
        })
        .await
    })
}

fn stream_groups(
    object: &ObjectBytes,
    piece: &Piece,
    columns: &[ColumnMapping],
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
        let carried = carried(&batch, columns).map_err(|failure| failure.context(format_args!("`{path}`")));
        if sender.blocking_send(Ok(carried?)).is_err() {
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

fn carried(batch: &RecordBatch, columns: &[ColumnMapping]) -> Batch {
    let mut arrays = Vec::with_capacity(columns.len());
    for column in columns {
        let values = batch
            .column_by_name(&column.source)
            .ok_or_else(|| no_column(&column.source))?;
        arrays.push(to_carry(column, values)?);
    }
    RecordBatch::try_new(schema(columns), arrays)
        .map_err(|error| Failure::permanent("rows.shape", format!("a batch does not fit its columns: {error}")))
}

fn no_column(name: &str) -> Failure {
    Failure::data(
        "files.columns",
        format!("it has no column `{name}`, which the table's first file has"),
    )
}

async fn text_rows(store: &Arc<dyn Store>, part: &Part) -> Result<RowStream, Failure> {
    let (info, bytes) = store.read(&part.path, None).await?;
    if info.size != part.size || (part.version.is_some() && info.version() != part.version) {
        return Err(changed(&part.path));
    }
    Ok(match part.format {
        FileFormat::Csv => read_csv_nulls(bytes),
        _ => read_jsonl(bytes, &Default::default()),
    })
}

struct Text {
    rows: RowStream,
    columns: Arc<Vec<ColumnMapping>>,
    builder: BatchBuilder,
    path: String,
    format: FileFormat,
    is_over: bool,
}

/// Streams the rows of a text file.
async fn text(store: &Arc<dyn Store>, part: &Part, columns: Arc<Vec<ColumnMapping>>) -> Result<BatchStream, Failure> {
    let text = Text {
        rows: text_rows(store, part).await?,
        builder: BatchBuilder::new(&columns),
        columns,
        path: part.path.clone(),
        format: part.format,
        is_over: false,
    };
    let batches = futures::stream::unfold(text, |mut text| async move {
        let batch = text.next().await;
        let batch = batch.map_err(|failure| failure.context(format_args!("`{}`", text.path)));
        Some((batch.transpose()?, text))
    });
    Ok(batches.boxed())
}

impl Text {
    async fn next(&mut self) -> Result<Option<RecordBatch>, Failure> {
        while !self.is_over {
            let Some(row) = self.rows.try_next().await? else {
                self.is_over = true;
                break;
            };
            let bytes = self.append(&row)?;
            if self.builder.end_row(bytes) {
                return self.builder.finish().map(Some);
            }
        }
        if self.builder.is_empty() {
            return Ok(None);
        }
        self.builder.finish().map(Some)
    }

    fn append(&mut self, row: &Row) -> Result<usize, Failure> {
        let line = row.line.unwrap_or_default();
        self.check_columns(row, line)?;
        let mut bytes = 0;
        for (index, column) in self.columns.iter().enumerate() {
            let same_place = row.columns.get(index).filter(|name| **name == column.source);
            let value = match same_place {
                Some(_) => row.values.get(index),
                None => row.get(&column.source),
            };
            let builder = &mut self.builder.columns[index];
            let appended = match value {
                None | Some(Value::Null) => {
                    builder.append_null();
                    Some(())
                }
                Some(Value::Text(text)) => {
                    bytes += text.len();
                    append_text(builder, text)
                }
                Some(other) => {
                    bytes += size_of::<i64>();
                    append_text(builder, &other.to_string())
                }
            };
            appended.ok_or_else(|| {
                let ColumnMapping {
                    source, source_native, ..
                } = column;
                Failure::data(
                    "rows.value",
                    format!(
                        "line {line}: `{source}` holds a value that is no {source_native}; correct the file, or give the column another type in \
                         `source.tables.types`"
                    ),
                )
            })?;
        }
        Ok(bytes)
    }

    /// A column that nobody takes would be lost without a word.
    fn check_columns(&self, row: &Row, line: u64) -> Result<(), Failure> {
        let is_known = |name: &String| self.columns.iter().any(|column| column.source == *name);
        let all_in_place = row.columns.len() <= self.columns.len()
            && row
                .columns
                .iter()
                .zip(self.columns.iter())
                .all(|(name, column)| *name == column.source);
        if !all_in_place && let Some(unknown) = row.columns.iter().find(|name| !is_known(name)) {
            let (message, help) = match self.format {
                FileFormat::JsonLines => (
                    format!(
                        "line {line} has the key `{unknown}`, which none of the first {} lines has",
                        super::infer::ROWS_SEEN
                    ),
                    "give a line at the beginning that key, with null",
                ),
                _ => (
                    format!("its header has the column `{unknown}`, which the table's first file has not"),
                    "files of one table have the same columns",
                ),
            };
            return Err(Failure::data("files.columns", format!("{message}; {help}")));
        }
        if self.format == FileFormat::Csv && row.columns.len() < self.columns.len() {
            let missing = self.columns.iter().find(|column| !row.columns.contains(&column.source));
            return Err(no_column(missing.map_or("", |column| &column.source)));
        }
        Ok(())
    }
}
