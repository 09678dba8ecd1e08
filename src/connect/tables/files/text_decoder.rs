//! The rows of CSV and of JSON lines.

use std::sync::Arc;

use arrow_array::RecordBatch;
use futures::{StreamExt, TryStreamExt};

use super::catalogue::Part;
use super::read::{no_column, text_rows};
use crate::connect::Store;
use crate::connect::tables::batch::BatchBuilder;
use crate::connect::tables::cell::append_text;
use crate::connect::tables::{BatchStream, UnreadRows};
use crate::format::RowStream;
use crate::model::{ColumnMapping, Failure, FileFormat, Row, Value};

struct Text {
    rows: RowStream,
    columns: Arc<Vec<ColumnMapping>>,
    builder: BatchBuilder,
    path: String,
    format: FileFormat,
    is_over: bool,
}

/// Streams the rows of a text file.
pub async fn text(
    store: &Arc<dyn Store>,
    part: &Part,
    columns: Arc<Vec<ColumnMapping>>,
    unread: Option<UnreadRows>,
) -> Result<BatchStream, Failure> {
    let text = Text {
        rows: text_rows(store, part).await?,
        builder: BatchBuilder::new(&columns, unread),
        columns,
        path: part.path.clone(),
        format: part.format,
        is_over: false,
    };
    let batches = futures::stream::unfold(text, |mut text| async move {
        let batch = text.next().await;
        Some((batch.transpose()?, text))
    });
    Ok(batches.boxed())
}

impl Text {
    async fn next(&mut self) -> Result<Option<RecordBatch>, Failure> {
        while !self.is_over {
            let row = self.rows.try_next().await;
            let Some(row) = row.map_err(|failure| self.told(failure))? else {
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

    /// What the matter is, and with which file.
    fn told(&self, failure: Failure) -> Failure {
        failure.context(format_args!("`{}`", self.path))
    }

    fn append(&mut self, row: &Row) -> Result<usize, Failure> {
        let line = row.line.unwrap_or_default();
        self.check_columns(row, line).map_err(|failure| self.told(failure))?;
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
            if appended.is_none() {
                let failure = self.told(bad_value(column, line));
                self.builder.append_unread(index, failure)?;
            }
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

fn bad_value(column: &ColumnMapping, line: u64) -> Failure {
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
}
