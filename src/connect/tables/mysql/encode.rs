use arrow_array::{Array, RecordBatch};

use crate::connect::tables::cell_text;
use crate::model::{Carry, ColumnMapping, Engine, Failure};

/// The columns of a `load data` as its statement names them: bytes come as hexadecimal digits, by way of a variable.
pub(super) fn load_columns(columns: &[ColumnMapping]) -> String {
    let mut names = Vec::with_capacity(columns.len());
    let mut settings = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let quoted = Engine::MySql.quote(&column.target);
        if column.carry == Carry::Bytes {
            settings.push(format!("{quoted} = unhex(@pipeline_{index})"));
            names.push(format!("@pipeline_{index}"));
        } else {
            names.push(quoted);
        }
    }
    let set = if settings.is_empty() {
        String::new()
    } else {
        format!(" set {}", settings.join(", "))
    };
    format!("({}){set}", names.join(", "))
}

/// Appends a row as `load data` reads it: fields with tabs between them, a line to a row.
pub(super) fn load_row(
    columns: &[ColumnMapping],
    batch: &RecordBatch,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    for (index, (column, values)) in columns.iter().zip(batch.columns()).enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        match value(column, values, row)? {
            None => out.extend(b"\\N"),
            Some(text) => escape(&text, out),
        }
    }
    out.push(b'\n');
    Ok(())
}

fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            0 => out.extend(b"\\0"),
            byte => out.push(byte),
        }
    }
}

/// Appends a row as the values of an `insert`.
pub(super) fn insert_row(
    columns: &[ColumnMapping],
    batch: &RecordBatch,
    row: usize,
    out: &mut String,
) -> Result<(), Failure> {
    out.push('(');
    for (index, (column, values)) in columns.iter().zip(batch.columns()).enumerate() {
        if index > 0 {
            out.push(',');
        }
        match value(column, values, row)? {
            None => out.push_str("null"),
            Some(digits) if column.carry == Carry::Bytes => {
                out.push_str("x'");
                out.push_str(&digits);
                out.push('\'');
            }
            Some(text) => {
                // The session has a backslash escape, and nothing else but the quote itself ends a text.
                out.push('\'');
                out.push_str(&text.replace('\\', "\\\\").replace('\'', "''"));
                out.push('\'');
            }
        }
    }
    out.push(')');
    Ok(())
}

/// A value as MySQL reads it; bytes are hexadecimal digits.
///
/// # Errors
/// `rows.value`: MySQL has no such number or moment.
fn value(column: &ColumnMapping, values: &dyn Array, row: usize) -> Result<Option<String>, Failure> {
    let Some(text) = cell_text(column.carry, values, row) else {
        return Ok(None);
    };
    let refused = |what: &str| {
        Failure::data(
            "rows.value",
            format!(
                "`{}` has {what}, which a {} of MySQL cannot hold",
                column.source, column.target_native
            ),
        )
    };
    match column.carry {
        Carry::Boolean => Ok(Some(if text == "true" { "1" } else { "0" }.to_owned())),
        Carry::Float32 | Carry::Float64 | Carry::Decimal if text.ends_with(['N', 'f', 'y']) => {
            Err(refused("a value that is no finite number"))
        }
        Carry::Date | Carry::Timestamp | Carry::Instant => {
            // Years of four digits, and no infinity.
            if text.as_bytes().get(4) != Some(&b'-') || !text.as_bytes()[..4].iter().all(u8::is_ascii_digit) {
                return Err(refused("a moment beyond the years 0 to 9999"));
            }
            Ok(Some(text.strip_suffix("+00").map_or(text.clone(), str::to_owned)))
        }
        // Of fewer digits a year is one of this century or the last: `0` would be 2000.
        Carry::Int16 | Carry::Int64 if column.target_native == "year" => Ok(Some(format!("{text:0>4}"))),
        _ => Ok(Some(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tables::batch::{BatchBuilder, ColumnBuilder};

    fn column(carry: Carry) -> ColumnMapping {
        ColumnMapping {
            source: "c".to_owned(),
            source_native: "x".to_owned(),
            carry,
            target: "c`d".to_owned(),
            target_native: "x".to_owned(),
            is_nullable: true,
            is_identity: false,
            losses: Vec::new(),
        }
    }

    fn one(carry: Carry, fill: impl FnOnce(&mut ColumnBuilder)) -> (Vec<ColumnMapping>, RecordBatch) {
        let columns = vec![column(carry)];
        let mut builder = BatchBuilder::new(&columns, None);
        fill(&mut builder.columns[0]);
        builder.end_row(1);
        (columns, builder.finish().unwrap())
    }

    #[test]
    fn no_text_ends_its_field_or_its_literal() {
        let hostile = "a\t\n\\N\0'); drop table x; --";
        let (columns, batch) = one(Carry::Text, |values| {
            if let ColumnBuilder::Text(values) = values {
                values.append_value(hostile);
            }
        });
        let mut loaded = Vec::new();
        load_row(&columns, &batch, 0, &mut loaded).unwrap();
        assert_eq!(
            String::from_utf8(loaded).unwrap(),
            "a\\t\\n\\\\N\\0'); drop table x; --\n"
        );
        let mut inserted = String::new();
        insert_row(&columns, &batch, 0, &mut inserted).unwrap();
        assert_eq!(inserted, "('a\t\n\\\\N\0''); drop table x; --')");
    }

    #[test]
    fn bytes_go_by_a_variable() {
        assert_eq!(load_columns(&[column(Carry::Text)]), "(`c``d`)");
        assert_eq!(
            load_columns(&[column(Carry::Bytes)]),
            "(@pipeline_0) set `c``d` = unhex(@pipeline_0)"
        );
    }

    #[test]
    fn a_year_has_four_digits() {
        let (mut columns, batch) = one(Carry::Int16, |values| {
            if let ColumnBuilder::Int16(values) = values {
                values.append_value(0);
            }
        });
        columns[0].target_native = "year".to_owned();
        let mut loaded = Vec::new();
        load_row(&columns, &batch, 0, &mut loaded).unwrap();
        assert_eq!(loaded, b"0000\n");
    }

    #[test]
    fn what_mysql_has_not_is_refused() {
        let (columns, batch) = one(Carry::Float64, |values| {
            if let ColumnBuilder::Float64(values) = values {
                values.append_value(f64::NAN);
            }
        });
        assert_eq!(
            load_row(&columns, &batch, 0, &mut Vec::new()).unwrap_err().code,
            "rows.value"
        );
        for days in [i32::MAX, 3_000_000, -800_000] {
            let (columns, batch) = one(Carry::Date, |values| {
                if let ColumnBuilder::Date(values) = values {
                    values.append_value(days);
                }
            });
            assert_eq!(
                load_row(&columns, &batch, 0, &mut Vec::new()).unwrap_err().code,
                "rows.value",
                "{days}"
            );
        }
    }
}
