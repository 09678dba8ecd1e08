//! Rows as lines of CSV and JSON.

use arrow_array::RecordBatch;
use serde_json::Value;

use crate::connect::tables::cell_text;
use crate::model::{Carry, ColumnMapping, FileFormat};

/// Writes rows as lines of text.
///
/// In CSV (RFC 4180 with bare line feeds) NULL is an empty field and an empty text is `""`, as PostgreSQL and DuckDB have it; the one column of
/// a table that has no other is `""` for both, since an empty line is no record. In JSON lines each row has all keys, numbers that JSON can hold are numbers, documents that
/// are objects or arrays are nested, and everything else is text.
pub struct TextEncoder {
    format: FileFormat,
    columns: Vec<ColumnMapping>,
    /// Of JSON lines: each key with what stands before its value.
    keys: Vec<String>,
}

impl TextEncoder {
    pub fn new(format: FileFormat, columns: Vec<ColumnMapping>) -> Self {
        let keys = columns.iter().enumerate().map(|(index, column)| {
            let open = if index == 0 { '{' } else { ',' };
            format!("{open}{}:", Value::from(column.target.as_str()))
        });
        Self {
            format,
            keys: keys.collect(),
            columns,
        }
    }

    /// What stands before the first row.
    pub fn begin(&self, out: &mut Vec<u8>) {
        if self.format == FileFormat::Csv {
            for (index, column) in self.columns.iter().enumerate() {
                separate(index, out);
                csv_field(Some(&column.target), out);
            }
            out.push(b'\n');
        }
    }

    pub fn rows(&self, batch: &RecordBatch, out: &mut Vec<u8>) {
        for row in 0..batch.num_rows() {
            let cells = self.columns.iter().zip(batch.columns()).enumerate();
            for (index, (column, values)) in cells {
                let text = cell_text(column.carry, values, row);
                if self.format == FileFormat::Csv {
                    separate(index, out);
                    match text {
                        None if self.columns.len() == 1 => csv_field(Some(""), out),
                        text => csv_field(text.as_deref(), out),
                    }
                } else {
                    out.extend_from_slice(self.keys[index].as_bytes());
                    json_value(column.carry, text, out);
                }
            }
            if self.format != FileFormat::Csv {
                out.extend_from_slice(if self.columns.is_empty() { b"{}" } else { b"}" });
            }
            out.push(b'\n');
        }
    }
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn csv_field(text: Option<&str>, out: &mut Vec<u8>) {
    let Some(text) = text else { return };
    let needs_quotes = text.is_empty()
        || text.starts_with([' ', '\t', '\u{feff}'])
        || text.ends_with([' ', '\t'])
        || text.contains(['"', ',', '\n', '\r']);
    if !needs_quotes {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

fn json_value(carry: Carry, text: Option<String>, out: &mut Vec<u8>) {
    let Some(text) = text else {
        out.extend_from_slice(b"null");
        return;
    };
    let is_plain = match carry {
        Carry::Boolean | Carry::Int16 | Carry::Int32 | Carry::Int64 => true,
        Carry::Float32 | Carry::Float64 => text.parse::<f64>().is_ok_and(f64::is_finite),
        Carry::Json => is_nested(&text),
        _ => false,
    };
    if is_plain && carry == Carry::Json {
        // A document may be spread over lines; spaces between its parts mean nothing, and a text of JSON holds no bare line break.
        out.extend(text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    } else if is_plain {
        out.extend_from_slice(text.as_bytes());
    } else {
        out.extend_from_slice(Value::from(text).to_string().as_bytes());
    }
}

/// Whether a text is a JSON document of parts; a bare text or number would come back as another.
fn is_nested(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: Option<&str>) -> String {
        let mut out = Vec::new();
        csv_field(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn json(carry: Carry, text: &str) -> String {
        let mut out = Vec::new();
        json_value(carry, Some(text.to_owned()), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_field_is_quoted_where_it_has_to_be() {
        assert_eq!(csv(None), "");
        assert_eq!(csv(Some("")), "\"\"");
        assert_eq!(csv(Some("größe 😀")), "größe 😀");
        assert_eq!(csv(Some("a\"b,c\r\n")), "\"a\"\"b,c\r\n\"");
        assert_eq!(csv(Some(" a")), "\" a\"");
    }

    #[test]
    fn numbers_are_numbers_where_json_has_them() {
        assert_eq!(json(Carry::Int64, "-9223372036854775808"), "-9223372036854775808");
        assert_eq!(json(Carry::Float64, "0.1"), "0.1");
        assert_eq!(json(Carry::Float64, "NaN"), "\"NaN\"");
        assert_eq!(json(Carry::Float64, "inf"), "\"inf\"");
        assert_eq!(json(Carry::Decimal, "1.50"), "\"1.50\"");
        assert_eq!(json(Carry::Json, "{\n\"a\": [1]}"), "{\"a\": [1]}");
        assert_eq!(json(Carry::Json, "\"a\""), "\"\\\"a\\\"\"");
        assert_eq!(json(Carry::Json, "{broken"), "\"{broken\"");
        assert_eq!(json(Carry::Text, "a\"\u{1}\n"), "\"a\\\"\\u0001\\n\"");
    }
}
