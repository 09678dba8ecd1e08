//! Text formats ↔ rows: CSV and JSON lines, streamed with bounded memory.
//!
//! Knows nothing of where the bytes come from or go to. Every refusal names the line; the caller adds which object it was.

mod csv;
mod csv_quotes;
mod decode;
mod header;
mod jsonl;

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;

use crate::model::{ColumnType, Failure, Row};

pub use csv::{CsvWriter, csv_header};

/// Rows as they arrive; the first error ends the stream.
pub type RowStream = BoxStream<'static, Result<Row, Failure>>;

/// Bytes that one record may take, so that an unclosed quote or a missing line break cannot take all memory.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Reads CSV with a header line (RFC 4180; a byte order mark, CRLF, and blank lines between records are taken as they come).
///
/// Columns in `types` are parsed, all others stay text. [`Row::line`] is the line on which a record begins.
///
/// # Errors
/// Class `data`: `csv.empty`, `csv.empty_column`, `csv.duplicate_column`, `csv.unknown_column` (in `types`), `csv.field_count`,
/// `csv.not_utf8`, `csv.unclosed_quote`, `csv.value`, `csv.record_too_long`; and whatever the bytes themselves end with.
pub fn read_csv<S>(bytes: S, types: &BTreeMap<String, ColumnType>) -> RowStream
where
    S: Stream<Item = Result<Bytes, Failure>> + Send + 'static,
{
    decode::decode(bytes, csv::CsvDecoder::new(types.clone()))
}

/// The same where an empty field is NULL, and `""` an empty text; all other values are text.
///
/// # Errors
/// As for [`read_csv`].
pub fn read_csv_nulls<S>(bytes: S) -> RowStream
where
    S: Stream<Item = Result<Bytes, Failure>> + Send + 'static,
{
    decode::decode(bytes, csv::CsvDecoder::new(BTreeMap::new()).with_nulls())
}

/// Reads JSON lines: one object a line, blank lines skipped.
///
/// A row has the columns of its own line. Strings, integers, numbers and booleans keep their type unless `types` names the
/// column; objects and arrays become their JSON text.
///
/// # Errors
/// Class `data`: `jsonl.syntax`, `jsonl.not_an_object`, `jsonl.duplicate_key`, `jsonl.not_utf8`, `jsonl.value`,
/// `jsonl.record_too_long`; and whatever the bytes themselves end with.
pub fn read_jsonl<S>(bytes: S, types: &BTreeMap<String, ColumnType>) -> RowStream
where
    S: Stream<Item = Result<Bytes, Failure>> + Send + 'static,
{
    decode::decode(bytes, jsonl::JsonlDecoder::new(types.clone()))
}
