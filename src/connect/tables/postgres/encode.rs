use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};

use super::decode::{EPOCH_DAYS, EPOCH_US};
use crate::connect::tables::cell_text;
use crate::connect::tables::decimal::encode_numeric;
use crate::model::{Carry, ColumnMapping, Failure};

/// The form in which rows go up by COPY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Every column has a binary form that is known here.
    Binary,
    /// The server reads each value as it reads a literal: for types that only it knows.
    Text,
}

impl Form {
    pub(super) fn of(columns: &[ColumnMapping]) -> Self {
        let is_known = columns
            .iter()
            .all(|column| is_binary(column.carry, base(&column.target_native)));
        if is_known { Self::Binary } else { Self::Text }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Text => "text",
        }
    }

    /// What the stream begins with.
    pub(super) fn header(self) -> &'static [u8] {
        match self {
            Self::Binary => b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0",
            Self::Text => b"",
        }
    }

    /// What the stream ends with.
    pub(super) fn trailer(self) -> &'static [u8] {
        match self {
            Self::Binary => &[0xff, 0xff],
            Self::Text => b"",
        }
    }

    /// Appends one row.
    pub(super) fn row(
        self,
        columns: &[ColumnMapping],
        batch: &RecordBatch,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        match self {
            Self::Binary => binary_row(columns, batch, row, out),
            Self::Text => {
                text_row(columns, batch, row, out);
                Ok(())
            }
        }
    }
}

/// A type without its arguments: `timestamp(3) without time zone` → `timestamp without time zone`.
pub(super) fn base(native: &str) -> &str {
    match native {
        // Of an array the arguments are those of its elements.
        native if native.ends_with("[]") => native,
        native if native.starts_with("character varying") => "text",
        native if native.starts_with("character(") || native == "character" => "text",
        native if native.starts_with("numeric") => "numeric",
        native
            if native.starts_with("time") && native.ends_with("with time zone") && native.starts_with("timestamp") =>
        {
            "timestamptz"
        }
        native if native.starts_with("timestamp") => "timestamp",
        native if native.starts_with("time") && !native.ends_with("with time zone") => "time",
        native => native,
    }
}

fn is_binary(carry: Carry, base: &str) -> bool {
    matches!(
        (carry, base),
        (Carry::Boolean, "boolean")
            | (Carry::Int16, "smallint" | "integer" | "bigint")
            | (Carry::Int32, "integer" | "bigint")
            | (Carry::Int64, "bigint")
            | (Carry::Float32, "real" | "double precision")
            | (Carry::Float64, "double precision")
            | (Carry::Decimal, "numeric")
            | (Carry::Text | Carry::Json, "text")
            | (Carry::Json, "json" | "jsonb")
            | (Carry::Bytes, "bytea")
            | (Carry::Date, "date")
            | (Carry::Time, "time")
            | (Carry::Timestamp, "timestamp")
            | (Carry::Instant, "timestamptz")
            | (Carry::Uuid, "uuid")
    )
}

fn binary_row(columns: &[ColumnMapping], batch: &RecordBatch, row: usize, out: &mut Vec<u8>) -> Result<(), Failure> {
    let count = i16::try_from(columns.len()).unwrap_or(i16::MAX);
    out.extend(count.to_be_bytes());
    for (column, values) in columns.iter().zip(batch.columns()) {
        if values.is_null(row) {
            out.extend((-1_i32).to_be_bytes());
            continue;
        }
        let at = out.len();
        out.extend([0; 4]);
        binary_value(column, values, row, out).ok_or_else(|| {
            Failure::data(
                "rows.value",
                format!("`{}` has a value that is no {}", column.source, column.target_native),
            )
        })?;
        let length = i32::try_from(out.len() - at - 4).map_err(|_| {
            Failure::data(
                "rows.too_big",
                format!("`{}` has a value of more than 2 GiB", column.source),
            )
        })?;
        out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn binary_value(column: &ColumnMapping, values: &dyn Array, row: usize, out: &mut Vec<u8>) -> Option<()> {
    match column.carry {
        Carry::Boolean => out.push(values.as_boolean().value(row).into()),
        Carry::Int16 => integer(
            values.as_primitive::<Int16Type>().value(row).into(),
            &column.target_native,
            out,
        ),
        Carry::Int32 => integer(
            values.as_primitive::<Int32Type>().value(row).into(),
            &column.target_native,
            out,
        ),
        Carry::Int64 => integer(
            values.as_primitive::<Int64Type>().value(row),
            &column.target_native,
            out,
        ),
        Carry::Float32 => {
            let value = values.as_primitive::<Float32Type>().value(row);
            if column.target_native == "real" {
                out.extend(value.to_be_bytes());
            } else {
                out.extend(f64::from(value).to_be_bytes());
            }
        }
        Carry::Float64 => out.extend(values.as_primitive::<Float64Type>().value(row).to_be_bytes()),
        Carry::Decimal => encode_numeric(values.as_string::<i32>().value(row), out)?,
        Carry::Text | Carry::Json => {
            if column.target_native == "jsonb" {
                // The version of its binary form.
                out.push(1);
            }
            out.extend(values.as_string::<i32>().value(row).as_bytes());
        }
        Carry::Bytes => out.extend(values.as_binary::<i32>().value(row)),
        Carry::Date => {
            let days = match values.as_primitive::<Date32Type>().value(row) {
                extreme @ (i32::MAX | i32::MIN) => extreme,
                days => days.checked_sub(EPOCH_DAYS)?,
            };
            out.extend(days.to_be_bytes());
        }
        Carry::Time => out.extend(values.as_primitive::<Time64MicrosecondType>().value(row).to_be_bytes()),
        Carry::Timestamp | Carry::Instant => {
            let us = match values.as_primitive::<TimestampMicrosecondType>().value(row) {
                extreme @ (i64::MAX | i64::MIN) => extreme,
                us => us.checked_sub(EPOCH_US)?,
            };
            out.extend(us.to_be_bytes());
        }
        Carry::Uuid => out.extend(values.as_fixed_size_binary().value(row)),
    }
    Some(())
}

/// A whole number in the width of its column, which is never narrower than the value's own.
fn integer(value: i64, native: &str, out: &mut Vec<u8>) {
    let bytes = value.to_be_bytes();
    let width = match native {
        "smallint" => 2,
        "integer" => 4,
        _ => 8,
    };
    out.extend(&bytes[8 - width..]);
}

fn text_row(columns: &[ColumnMapping], batch: &RecordBatch, row: usize, out: &mut Vec<u8>) {
    for (index, (column, values)) in columns.iter().zip(batch.columns()).enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        if values.is_null(row) {
            out.extend(b"\\N");
        } else {
            escape(&text_value(column.carry, values, row), out);
        }
    }
    out.push(b'\n');
}

/// A value as PostgreSQL reads it.
fn text_value(carry: Carry, values: &dyn Array, row: usize) -> String {
    let text = cell_text(carry, values, row).unwrap_or_default();
    match carry {
        Carry::Boolean => if text == "true" { "t" } else { "f" }.to_owned(),
        Carry::Bytes => format!("\\x{text}"),
        Carry::Date | Carry::Timestamp | Carry::Instant => era(&text),
        _ => text,
    }
}

/// PostgreSQL writes the years before 1 as `0044-03-15 BC`, and knows no year 0.
fn era(text: &str) -> String {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    match digits.split_once('-') {
        Some((year, rest)) if is_negative || year == "0000" => {
            let before: i64 = year.parse().unwrap_or_default();
            format!("{:04}-{rest} BC", before + 1)
        }
        // The two infinities have no year.
        _ => text.to_owned(),
    }
}

fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tables::batch::{BatchBuilder, ColumnBuilder};

    fn column(carry: Carry, native: &str) -> ColumnMapping {
        ColumnMapping {
            source: "c".to_owned(),
            source_native: native.to_owned(),
            carry,
            target: "c".to_owned(),
            target_native: native.to_owned(),
            is_nullable: true,
            is_identity: false,
            losses: Vec::new(),
        }
    }

    /// One value, as a row of the text form.
    fn written(carry: Carry, fill: impl FnOnce(&mut ColumnBuilder)) -> String {
        let columns = [column(carry, "x")];
        let mut builder = BatchBuilder::new(&columns, None);
        fill(&mut builder.columns[0]);
        builder.end_row(1);
        let mut out = Vec::new();
        Form::Text
            .row(&columns, &builder.finish().unwrap(), 0, &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    fn date(days: i32) -> String {
        written(Carry::Date, |values| {
            let ColumnBuilder::Date(values) = values else {
                panic!("{values:?}")
            };
            values.append_value(days);
        })
    }

    fn text(text: &str) -> String {
        written(Carry::Text, |values| {
            let ColumnBuilder::Text(values) = values else {
                panic!("{values:?}")
            };
            values.append_value(text);
        })
    }

    #[test]
    fn a_text_never_ends_its_field_or_row() {
        assert_eq!(text("a\tb\nc\rd\\e"), "a\\tb\\nc\\rd\\\\e\n");
        assert_eq!(text("\\N"), "\\\\N\n", "a text that looks like NULL");
        assert_eq!(text("\\."), "\\\\.\n", "a text that looks like the end");
        assert_eq!(text(""), "\n");
        assert_eq!(written(Carry::Text, ColumnBuilder::append_null), "\\N\n");
    }

    #[test]
    fn dates_before_year_1_and_after_9999_are_written_as_postgres_reads_them() {
        let days = |year, month, day| i32::try_from(crate::connect::tables::civil::days_of(year, month, day)).unwrap();
        assert_eq!(date(days(2024, 2, 29)), "2024-02-29\n");
        assert_eq!(date(days(0, 12, 31)), "0001-12-31 BC\n");
        assert_eq!(date(days(-43, 3, 15)), "0044-03-15 BC\n");
        assert_eq!(date(days(12_024, 1, 2)), "12024-01-02\n");
        assert_eq!(
            (date(i32::MAX), date(i32::MIN)),
            ("infinity\n".to_owned(), "-infinity\n".to_owned())
        );
    }

    #[test]
    fn booleans_and_bytes_are_written_as_literals() {
        let flag = written(Carry::Boolean, |values| {
            let ColumnBuilder::Boolean(values) = values else {
                panic!("{values:?}")
            };
            values.append_value(true);
        });
        assert_eq!(flag, "t\n");
        let bytes = written(Carry::Bytes, |values| {
            let ColumnBuilder::Bytes(values) = values else {
                panic!("{values:?}")
            };
            values.append_value([0, 0xff]);
        });
        assert_eq!(bytes, "\\\\x00ff\n");
    }

    #[test]
    fn a_type_without_a_known_binary_form_makes_rows_text() {
        let form = |carry, native| Form::of(&[column(Carry::Int64, "bigint"), column(carry, native)]);
        assert_eq!(form(Carry::Text, "character varying(7)"), Form::Binary);
        assert_eq!(form(Carry::Instant, "timestamp(3) with time zone"), Form::Binary);
        assert_eq!(form(Carry::Text, "interval"), Form::Text);
        assert_eq!(form(Carry::Text, "time with time zone"), Form::Text);
        assert_eq!(form(Carry::Int64, "integer"), Form::Text, "narrower than the value");
    }
}
