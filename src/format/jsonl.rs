use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, MapAccess, Visitor};

use super::RECORD_BYTES_MAX;
use super::decode::Decoder;
use crate::model::{ColumnType, Columns, Failure, Row, Value};

/// JSON lines in pieces → rows.
pub(super) struct JsonlDecoder {
    types: BTreeMap<String, ColumnType>,
    /// The columns of the row before; shared as long as they stay the same.
    columns: Columns,
    /// The start of a line whose end has not come yet.
    pending: Vec<u8>,
    line: u64,
}

impl JsonlDecoder {
    pub(super) fn new(types: BTreeMap<String, ColumnType>) -> Self {
        Self {
            types,
            columns: Columns::from([]),
            pending: Vec::new(),
            line: 0,
        }
    }

    fn take_line(&mut self, bytes: &[u8], rows: &mut VecDeque<Row>) -> Result<(), Failure> {
        self.line += 1;
        let line = self.line;
        let bytes = if line == 1 {
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
        } else {
            bytes
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Failure::data("jsonl.not_utf8", format!("line {line} is not UTF-8 text")))?
            .trim();
        if text.is_empty() {
            return Ok(());
        }
        let Pairs(pairs) = parse(text, line)?;
        let mut seen = HashSet::new();
        if let Some((twice, _)) = pairs.iter().find(|(key, _)| !seen.insert(key.as_str())) {
            return Err(Failure::data(
                "jsonl.duplicate_key",
                format!("line {line} has the key `{twice}` twice"),
            ));
        }
        if !pairs.iter().map(|(key, _)| key).eq(self.columns.iter()) {
            self.columns = pairs.iter().map(|(key, _)| key.clone()).collect();
        }
        let values = pairs
            .into_iter()
            .map(|(key, value)| self.convert(&key, value))
            .collect::<Result<Vec<Value>, Failure>>()?;
        let mut row = Row::new(Arc::clone(&self.columns), values);
        row.line = Some(line);
        rows.push_back(row);
        Ok(())
    }

    fn convert(&self, key: &str, value: serde_json::Value) -> Result<Value, Failure> {
        let value = match value {
            serde_json::Value::Null => return Ok(Value::Null),
            serde_json::Value::Bool(value) => Value::Boolean(value),
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Value::Integer(integer),
                // An integer beyond 64 bits would lose digits as a float: it stays what was written.
                (None, Some(float)) if number.is_f64() => Value::Number(float),
                _ => Value::Text(number.to_string()),
            },
            nested => Value::Text(nested.to_string()),
        };
        match self.types.get(key) {
            None => Ok(value),
            Some(column_type) => column_type.parse(value.to_string()).map_err(|told| {
                let line = self.line;
                Failure::data("jsonl.value", format!("line {line}, key `{key}`: {told}"))
            }),
        }
    }
}

impl Decoder for JsonlDecoder {
    fn push(&mut self, bytes: &[u8], rows: &mut VecDeque<Row>) -> Result<(), Failure> {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                self.pending.extend_from_slice(piece);
            } else if self.pending.is_empty() {
                self.take_line(piece, rows)?;
            } else {
                let mut line = std::mem::take(&mut self.pending);
                line.extend_from_slice(piece);
                self.take_line(&line, rows)?;
            }
        }
        if self.pending.len() > RECORD_BYTES_MAX {
            let line = self.line + 1;
            return Err(Failure::data(
                "jsonl.record_too_long",
                format!("line {line} is longer than 64 MiB; JSON lines have one object a line"),
            ));
        }
        Ok(())
    }

    fn finish(&mut self, rows: &mut VecDeque<Row>) -> Result<(), Failure> {
        let line = std::mem::take(&mut self.pending);
        self.take_line(&line, rows)
    }
}

/// An object's members in their order, duplicates and all.
struct Pairs(Vec<(String, serde_json::Value)>);

fn parse(text: &str, line: u64) -> Result<Pairs, Failure> {
    if !text.starts_with('{') {
        return Err(Failure::data(
            "jsonl.not_an_object",
            format!("line {line} is not a JSON object; JSON lines have one object a line"),
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let pairs = deserializer.deserialize_map(PairsVisitor);
    pairs
        .and_then(|pairs| deserializer.end().map(|()| pairs))
        .map_err(|error| {
            // Its own line number counts within this line and would mislead.
            let told = error.to_string();
            let told = told.split(" at line ").next().unwrap_or_default();
            Failure::data(
                "jsonl.syntax",
                format!("line {line}, column {}: {told}", error.column()),
            )
        })
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::StreamExt;

    use super::*;
    use crate::format::read_jsonl;

    async fn read(text: &[u8], types: &[(&str, ColumnType)]) -> Vec<Result<Row, Failure>> {
        let types = types.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        let mut answers = Vec::new();
        for piece in [1, 1 << 20] {
            let pieces: Vec<_> = text
                .chunks(piece)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            answers.push(
                read_jsonl(futures::stream::iter(pieces), &types)
                    .collect::<Vec<_>>()
                    .await,
            );
        }
        assert_eq!(answers[0], answers[1]);
        answers.remove(0)
    }

    #[tokio::test]
    async fn values_keep_their_type_and_nested_ones_become_text() {
        let text = "{\"s\":\"x\",\"i\":-1,\"f\":1.5,\"b\":true,\"n\":null,\"o\":{\"k\":[1]},\"big\":18446744073709551615}\r\n\n{\"z\":1}";
        let rows = read(text.as_bytes(), &[]).await;
        let first = rows[0].as_ref().unwrap();
        let expected = [
            ("s", Value::from("x")),
            ("i", Value::Integer(-1)),
            ("f", Value::Number(1.5)),
            ("b", Value::Boolean(true)),
            ("n", Value::Null),
            ("o", Value::from("{\"k\":[1]}")),
            ("big", Value::from("18446744073709551615")),
        ];
        for (key, value) in expected {
            assert_eq!(first.get(key), Some(&value), "{key}");
        }
        let second = rows[1].as_ref().unwrap();
        assert_eq!((second.line, second.columns.len()), (Some(3), 1));
    }

    #[tokio::test]
    async fn equal_columns_are_shared() {
        let rows = read(b"{\"a\":1}\n{\"a\":2}\n", &[("a", ColumnType::Text)]).await;
        let [first, second] = [&rows[0], &rows[1]].map(|row| row.as_ref().unwrap());
        assert!(Arc::ptr_eq(&first.columns, &second.columns));
        assert_eq!(second.get("a"), Some(&Value::from("2")));
    }

    #[tokio::test]
    async fn each_fault_has_its_code_and_line() {
        let cases: [(&[u8], &str, &str); 6] = [
            (b"{}\n{\"a\":}\n", "jsonl.syntax", "line 2, column 6"),
            (b"{}\n{} x\n", "jsonl.syntax", "line 2"),
            (b"[1]\n", "jsonl.not_an_object", "line 1"),
            (b"{\"a\":1,\"a\":2}\n", "jsonl.duplicate_key", "`a`"),
            (b"{}\n\xff\n", "jsonl.not_utf8", "line 2"),
            (b"{\"Size\":\"x\"}\n", "jsonl.value", "key `Size`"),
        ];
        for (text, code, told) in cases {
            let rows = read(text, &[("Size", ColumnType::Integer)]).await;
            let failure = rows.last().unwrap().as_ref().unwrap_err();
            assert_eq!(failure.code, code, "{}", String::from_utf8_lossy(text));
            assert!(failure.message.contains(told), "{failure}");
        }
    }
}
