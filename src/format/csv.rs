use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use csv_core::ReadRecordResult;
use futures::{Stream, TryStreamExt};

use super::RECORD_BYTES_MAX;
use super::csv_quotes::Quotes;
use super::decode::Decoder;
use super::header::Header;
use crate::model::{ColumnType, Columns, Failure, Row, Value};

/// CSV text in pieces → rows.
pub(super) struct CsvDecoder {
    types: BTreeMap<String, ColumnType>,
    header: Option<Header>,
    core: csv_core::Reader,
    record: Record,
    /// The line that the next byte stands on.
    line: u64,
    /// Tells which fields were quoted; absent where that makes no difference.
    quotes: Option<Quotes>,
    /// Bytes of a byte order mark seen at the start; `None` when that is decided.
    mark: Option<usize>,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The record being read: its fields' text end to end, and where each field ends.
struct Record {
    text: Vec<u8>,
    text_length: usize,
    ends: Vec<usize>,
    ends_length: usize,
    /// The line it begins on; `None` between records.
    line: Option<u64>,
}

impl CsvDecoder {
    pub(super) fn new(types: BTreeMap<String, ColumnType>) -> Self {
        Self {
            types,
            header: None,
            core: csv_core::Reader::new(),
            record: Record {
                text: vec![0; 4 << 10],
                text_length: 0,
                ends: vec![0; 64],
                ends_length: 0,
                line: None,
            },
            line: 1,
            quotes: None,
            mark: Some(0),
        }
    }

    /// Takes a field that is empty without quotes for NULL.
    pub(super) fn with_nulls(mut self) -> Self {
        self.quotes = Some(Quotes::default());
        self
    }

    /// Takes the byte order mark off, also when it comes in pieces.
    fn skip_mark<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Failure> {
        while let (Some(seen), Some(first)) = (self.mark, bytes.first()) {
            if BYTE_ORDER_MARK.get(seen) == Some(first) {
                bytes = &bytes[1..];
                self.mark = Some(seen + 1).filter(|seen| *seen < BYTE_ORDER_MARK.len());
            } else if seen == 0 {
                self.mark = None;
            } else {
                return Err(not_utf8(1));
            }
        }
        Ok(bytes)
    }

    /// Feeds text to the parser until it is used up.
    fn feed(&mut self, mut bytes: &[u8], rows: &mut VecDeque<Row>) -> Result<(), Failure> {
        while !bytes.is_empty() {
            if self.record.line.is_none() {
                bytes = self.skip_blank(bytes);
                if bytes.is_empty() {
                    break;
                }
                self.record.line = Some(self.line);
            }
            let record = &mut self.record;
            let (result, read, written, ended) = self.core.read_record(
                bytes,
                &mut record.text[record.text_length..],
                &mut record.ends[record.ends_length..],
            );
            self.line += count_line_breaks(&bytes[..read]);
            if let Some(quotes) = &mut self.quotes {
                quotes.see(&bytes[..read]);
            }
            bytes = &bytes[read..];
            record.text_length += written;
            record.ends_length += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => break,
                ReadRecordResult::OutputFull => record.grow_text()?,
                ReadRecordResult::OutputEndsFull => record.ends.resize(record.ends.len() * 2, 0),
                ReadRecordResult::Record => self.take_record(rows)?,
            }
        }
        Ok(())
    }

    /// Passes over line breaks between records, so that a record's line is the one it begins on.
    fn skip_blank<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let blank = bytes
            .iter()
            .position(|byte| !matches!(byte, b'\r' | b'\n'))
            .unwrap_or(bytes.len());
        self.line += count_line_breaks(&bytes[..blank]);
        &bytes[blank..]
    }

    fn take_record(&mut self, rows: &mut VecDeque<Row>) -> Result<(), Failure> {
        let line = self.record.line.take().unwrap_or(self.line);
        let fields = self.record.take_fields(line)?;
        let quoted = self.quotes.as_mut().map(Quotes::take);
        let Some(header) = &self.header else {
            self.header = Some(Header::new(fields, &self.types, line)?);
            return Ok(());
        };
        if fields.len() != header.columns.len() {
            return Err(Failure::data(
                "csv.field_count",
                format!(
                    "line {line} has {} fields, the header has {}",
                    fields.len(),
                    header.columns.len()
                ),
            ));
        }
        let values = fields
            .into_iter()
            .enumerate()
            .map(|(index, field)| match &quoted {
                Some(quoted) if field.is_empty() && quoted.get(index) != Some(&true) => Ok(Value::Null),
                _ => header.parse(index, field, line),
            })
            .collect::<Result<Vec<Value>, Failure>>()?;
        let mut row = Row::new(Arc::clone(&header.columns), values);
        row.line = Some(line);
        rows.push_back(row);
        Ok(())
    }
}

impl Decoder for CsvDecoder {
    fn push(&mut self, bytes: &[u8], rows: &mut VecDeque<Row>) -> Result<(), Failure> {
        let bytes = self.skip_mark(bytes)?;
        self.feed(bytes, rows)
    }

    fn finish(&mut self, rows: &mut VecDeque<Row>) -> Result<(), Failure> {
        if self.mark.is_some_and(|seen| seen > 0) {
            return Err(not_utf8(1));
        }
        // A line break ends the last record whether or not the text did so, unless a quote is still open.
        self.feed(b"\n", rows)?;
        if let Some(line) = self.record.line {
            return Err(Failure::data(
                "csv.unclosed_quote",
                format!("line {line}: the record that begins here has a quote that is never closed"),
            ));
        }
        if self.header.is_none() {
            return Err(Failure::data("csv.empty", "it is empty and has no header line"));
        }
        Ok(())
    }
}

impl Record {
    fn grow_text(&mut self) -> Result<(), Failure> {
        if self.text.len() >= RECORD_BYTES_MAX {
            let line = self.line.unwrap_or_default();
            return Err(Failure::data(
                "csv.record_too_long",
                format!("line {line}: the record that begins here is longer than 64 MiB; a quote may not be closed"),
            ));
        }
        self.text.resize(self.text.len() * 2, 0);
        Ok(())
    }

    fn take_fields(&mut self, line: u64) -> Result<Vec<String>, Failure> {
        let mut start = 0;
        let ends = &self.ends[..self.ends_length];
        let fields = ends
            .iter()
            .map(|end| {
                let field = std::str::from_utf8(&self.text[start..*end]);
                start = *end;
                field.map(str::to_owned).map_err(|_| not_utf8(line))
            })
            .collect();
        self.text_length = 0;
        self.ends_length = 0;
        fields
    }
}

fn count_line_breaks(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn not_utf8(line: u64) -> Failure {
    Failure::data(
        "csv.not_utf8",
        format!("line {line}: the record that begins here is not UTF-8 text; convert the file"),
    )
}

/// The names in the header line of a CSV text.
///
/// # Errors
/// As for [`read_csv`](super::read_csv), for what is read of it.
pub async fn csv_header<S>(bytes: S) -> Result<Columns, Failure>
where
    S: Stream<Item = Result<Bytes, Failure>> + Send,
{
    let mut bytes = std::pin::pin!(bytes);
    let (mut decoder, mut rows) = (CsvDecoder::new(BTreeMap::new()), VecDeque::new());
    while let Some(piece) = bytes.try_next().await? {
        let pushed = decoder.push(&piece, &mut rows);
        if let Some(header) = &decoder.header {
            // What is wrong behind it, whoever reads the rows finds.
            return Ok(Columns::clone(&header.columns));
        }
        pushed?;
    }
    decoder.finish(&mut rows)?;
    Ok(decoder
        .header
        .map_or_else(|| Columns::from([]), |header| header.columns))
}

/// Rows → CSV text (RFC 4180 with bare line feeds; NULL is an empty field).
pub struct CsvWriter {
    inner: csv::Writer<Vec<u8>>,
    columns: usize,
}

impl CsvWriter {
    /// Starts a text with its header line.
    pub fn new<'a>(columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        let columns: Vec<&str> = columns.into_iter().collect();
        let mut inner = csv::Writer::from_writer(Vec::new());
        inner
            .write_record(&columns)
            .map_err(|error| Failure::data("csv.write", error.to_string()))?;
        let columns = columns.len();
        Ok(Self { inner, columns })
    }

    /// Adds a record, which must have as many fields as the header.
    pub fn write(&mut self, values: &[Value]) -> Result<(), Failure> {
        if values.len() != self.columns {
            let told = format!("a record has {} fields, the header has {}", values.len(), self.columns);
            return Err(Failure::data("csv.field_count", told));
        }
        self.inner
            .write_record(values.iter().map(Value::to_string))
            .map_err(|error| Failure::data("csv.write", error.to_string()))
    }

    /// The text so far; what is written next continues it, without a header.
    pub fn take(&mut self) -> Result<Vec<u8>, Failure> {
        self.inner
            .flush()
            .map_err(|error| Failure::data("csv.write", error.to_string()))?;
        let next = csv::Writer::from_writer(Vec::new());
        std::mem::replace(&mut self.inner, next)
            .into_inner()
            .map_err(|error| Failure::data("csv.write", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::StreamExt;

    use super::*;
    use crate::format::read_csv;

    async fn read_in_pieces(
        text: &[u8],
        piece: usize,
        types: &BTreeMap<String, ColumnType>,
    ) -> Vec<Result<Row, Failure>> {
        let pieces: Vec<_> = text
            .chunks(piece)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        read_csv(futures::stream::iter(pieces), types).collect().await
    }

    /// Reads it whole and cut into single bytes: both must tell the same.
    async fn read(text: impl AsRef<[u8]>, types: &[(&str, ColumnType)]) -> Vec<Result<Row, Failure>> {
        let types = types.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        let whole = read_in_pieces(text.as_ref(), 1 << 20, &types).await;
        assert_eq!(read_in_pieces(text.as_ref(), 1, &types).await, whole);
        whole
    }

    fn lines(rows: &[Result<Row, Failure>]) -> Vec<Option<u64>> {
        rows.iter().map(|row| row.as_ref().unwrap().line).collect()
    }

    #[tokio::test]
    async fn marks_line_ends_quotes_and_blank_lines_are_understood() {
        let rows = read("\u{feff}a,b\r\n\r\n1,\"x\r\ny, \"\"z\"\"\"\r\n\n\n2,ü", &[]).await;
        assert_eq!(lines(&rows), [Some(3), Some(7)]);
        let first = rows[0].as_ref().unwrap();
        assert_eq!(first.get("a"), Some(&Value::from("1")));
        assert_eq!(first.get("b"), Some(&Value::from("x\r\ny, \"z\"")));
        assert_eq!(rows[1].as_ref().unwrap().get("b"), Some(&Value::from("ü")));
    }

    #[tokio::test]
    async fn each_fault_has_its_code_and_line() {
        let cases: [(&[u8], &str, &str); 9] = [
            (b"", "csv.empty", "header"),
            (b"\n\r\n", "csv.empty", "header"),
            (b"a,\n", "csv.empty_column", "column 2"),
            (b"\na,b,a\n", "csv.duplicate_column", "line 2"),
            (b"a,b\n1,2\n\n3\n", "csv.field_count", "line 4 has 1 fields"),
            (b"a,b\n1,2,3\n", "csv.field_count", "line 2 has 3 fields"),
            (b"a\nx\n\"open\nand more\n", "csv.unclosed_quote", "line 3"),
            (b"a\nx\n\xff\n", "csv.not_utf8", "line 3"),
            (b"\xef\xbba\n", "csv.not_utf8", "line 1"),
        ];
        for (text, code, told) in cases {
            let rows = read(text, &[]).await;
            let failure = rows.last().unwrap().as_ref().unwrap_err();
            assert_eq!(failure.code, code, "{}", String::from_utf8_lossy(text));
            assert!(failure.message.contains(told), "{failure}");
        }
    }

    #[tokio::test]
    async fn typed_columns_are_parsed_and_must_exist() {
        let rows = read("Name,Size\na,12\nb,\nc,x\n", &[("Size", ColumnType::Integer)]).await;
        assert_eq!(rows[0].as_ref().unwrap().get("Size"), Some(&Value::Integer(12)));
        assert_eq!(rows[1].as_ref().unwrap().get("Size"), Some(&Value::Null));
        let failure = rows[2].as_ref().unwrap_err();
        assert_eq!(failure.code, "csv.value");
        assert!(failure.message.contains("line 4, column `Size`"), "{failure}");
        let rows = read("Name\na\n", &[("Size", ColumnType::Integer)]).await;
        let failure = rows[0].as_ref().unwrap_err();
        assert!(
            failure.message.contains("`Size`") && failure.message.contains("Name"),
            "{failure}"
        );
    }

    #[tokio::test]
    async fn wide_and_long_records_fit() {
        let wide: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
        let long = "x".repeat(100_000);
        let text = format!("{}\n{}\n", wide.join(","), vec![long.as_str(); 500].join(","));
        let rows = read_in_pieces(text.as_bytes(), 70_000, &BTreeMap::new()).await;
        let row = rows[0].as_ref().unwrap();
        assert_eq!(row.values.len(), 500);
        assert_eq!(row.values[499].as_text().map(str::len), Some(100_000));
    }

    #[tokio::test]
    async fn what_is_written_reads_back_the_same() {
        let mut writer = CsvWriter::new(["a", "b"]).unwrap();
        let values = [Value::from("x, \"y\"\nz"), Value::Null];
        writer.write(&values).unwrap();
        let mut text = writer.take().unwrap();
        assert_eq!(writer.write(&values[..1]).unwrap_err().code, "csv.field_count");
        writer.write(&[Value::Integer(1), Value::Boolean(true)]).unwrap();
        text.extend(writer.take().unwrap());
        assert_eq!(text, b"a,b\n\"x, \"\"y\"\"\nz\",\n1,true\n");
        let rows = read(&text, &[]).await;
        assert_eq!(rows[0].as_ref().unwrap().values, [values[0].clone(), Value::from("")]);
        assert_eq!(rows.len(), 2);
    }
}
