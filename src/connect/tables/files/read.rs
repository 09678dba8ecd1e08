//! The rows of files as batches.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};

use super::budget::Budget;
use super::catalogue::{FileTable, Part};
use super::object_bytes::changed;
use super::parquet_decoder::parquet;
use super::text_decoder::text;
use crate::connect::Store;
use crate::connect::tables::{BatchStream, UnreadRows};
use crate::format::{RowStream, read_csv_nulls, read_jsonl};
use crate::model::{ColumnMapping, Failure, FileFormat, RowRange};

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
pub fn read(
    store: &Arc<dyn Store>,
    budget: &Budget,
    pieces: Vec<Piece>,
    columns: Vec<ColumnMapping>,
    unread: Option<UnreadRows>,
) -> BatchStream {
    let (store, budget, columns) = (Arc::clone(store), budget.clone(), Arc::new(columns));
    let batches = futures::stream::iter(pieces).then(move |piece| {
        let (store, budget, columns) = (Arc::clone(&store), budget.clone(), Arc::clone(&columns));
        let unread = unread.clone();
        async move {
            match piece.part.format {
                FileFormat::Parquet => Ok(parquet(store, budget, piece, columns, unread)),
                FileFormat::Csv | FileFormat::JsonLines => text(&store, &piece.part, columns, unread).await,
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

pub fn no_column(name: &str) -> Failure {
    Failure::data(
        "files.columns",
        format!("it has no column `{name}`, which the table's first file has"),
    )
}

pub async fn text_rows(store: &Arc<dyn Store>, part: &Part) -> Result<RowStream, Failure> {
    let (info, bytes) = store.read(&part.path, None).await?;
    if info.size != part.size || (part.version.is_some() && info.version() != part.version) {
        return Err(changed(&part.path));
    }
    Ok(match part.format {
        FileFormat::Csv => read_csv_nulls(bytes),
        _ => read_jsonl(bytes, &Default::default()),
    })
}
