use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use super::batch::ColumnBuilder;
use super::{civil, uuid};
use crate::model::{Carry, ColumnMapping, Failure};

/// `rows.value`: a value that has no counterpart in the type that its column gets.
pub fn no_counterpart(column: &ColumnMapping) -> Failure {
    let ColumnMapping {
        source,
        source_native,
        target_native,
        ..
    } = column;
    Failure::data(
        "rows.value",
        format!("`{source}`, of type `{source_native}`, has a value that is no {target_native}"),
    )
}

/// One value as text; `None` is NULL. Bytes are hexadecimal digits, dates and times ISO 8601 with a sign before years below 0.
pub fn cell_text(carry: Carry, values: &dyn Array, row: usize) -> Option<String> {
    if values.is_null(row) {
        return None;
    }
    Some(match carry {
        Carry::Boolean => values.as_boolean().value(row).to_string(),
        Carry::Int16 => values.as_primitive::<Int16Type>().value(row).to_string(),
        Carry::Int32 => values.as_primitive::<Int32Type>().value(row).to_string(),
        Carry::Int64 => values.as_primitive::<Int64Type>().value(row).to_string(),
        Carry::Float32 => values.as_primitive::<Float32Type>().value(row).to_string(),
        Carry::Float64 => values.as_primitive::<Float64Type>().value(row).to_string(),
        Carry::Decimal | Carry::Text | Carry::Json => values.as_string::<i32>().value(row).to_owned(),
        Carry::Bytes => values
            .as_binary::<i32>()
            .value(row)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        Carry::Date => match values.as_primitive::<Date32Type>().value(row) {
            i32::MAX => "infinity".to_owned(),
            i32::MIN => "-infinity".to_owned(),
            days => civil::format_date(days.into()),
        },
        Carry::Time => civil::format_time(values.as_primitive::<Time64MicrosecondType>().value(row)),
        Carry::Timestamp | Carry::Instant => match values.as_primitive::<TimestampMicrosecondType>().value(row) {
            i64::MAX => "infinity".to_owned(),
            i64::MIN => "-infinity".to_owned(),
            us if carry == Carry::Instant => format!("{}+00", civil::format_timestamp(us)),
            us => civil::format_timestamp(us),
        },
        Carry::Uuid => uuid::format(values.as_fixed_size_binary().value(row)),
    })
}

/// Appends a value by its text, in the forms that [`cell_text`] gives. `None` when the text is no such value.
pub fn append_text(builder: &mut ColumnBuilder, text: &str) -> Option<()> {
    match builder {
        ColumnBuilder::Boolean(builder) => builder.append_value(match text {
            "true" | "t" | "1" | "TRUE" | "True" => true,
            "false" | "f" | "0" | "FALSE" | "False" => false,
            _ => return None,
        }),
        ColumnBuilder::Int16(builder) => builder.append_value(text.parse().ok()?),
        ColumnBuilder::Int32(builder) => builder.append_value(text.parse().ok()?),
        ColumnBuilder::Int64(builder) => builder.append_value(text.parse().ok()?),
        ColumnBuilder::Float32(builder) => builder.append_value(text.parse().ok()?),
        ColumnBuilder::Float64(builder) => builder.append_value(text.parse().ok()?),
        ColumnBuilder::Text(builder) => builder.append_value(text),
        ColumnBuilder::Bytes(builder) => builder.append_value(bytes(text)?),
        ColumnBuilder::Date(builder) => builder.append_value(match text {
            "infinity" => i32::MAX,
            "-infinity" => i32::MIN,
            date => civil::parse_date(date)?.try_into().ok()?,
        }),
        ColumnBuilder::Time(builder) => builder.append_value(civil::parse_time(text)?),
        ColumnBuilder::Timestamp(builder) => builder.append_value(match text {
            "infinity" => i64::MAX,
            "-infinity" => i64::MIN,
            moment => civil::parse_timestamp(moment)?,
        }),
        ColumnBuilder::Uuid(builder) => builder.append_value(uuid::parse(text)?).ok()?,
    }
    Some(())
}

/// The bytes of hexadecimal digits, with `\x` before them or not.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

/// Appends a value by the text in which a column of another type than its own keeps it: a whole number in one with a scale as well.
/// `None` when the text is no such value.
pub fn append_kept(builder: &mut ColumnBuilder, text: &str) -> Option<()> {
    let is_whole = matches!(
        builder,
        ColumnBuilder::Int16(_) | ColumnBuilder::Int32(_) | ColumnBuilder::Int64(_)
    );
    match text.split_once('.') {
        Some((whole, fraction)) if is_whole && fraction.bytes().all(|digit| digit == b'0') => {
            append_text(builder, whole)
        }
        _ => append_text(builder, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(bytes("00fF"), Some(vec![0, 255]));
        assert_eq!(bytes("\\x00"), Some(vec![0]));
        assert_eq!(bytes(""), Some(vec![]));
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("zz"), None);
    }

    #[test]
    fn a_whole_number_is_one_in_a_column_with_a_scale() {
        let kept = |carry, text: &str| {
            let mut builder = ColumnBuilder::new(carry);
            append_kept(&mut builder, text)?;
            cell_text(carry, &builder.finish(), 0)
        };
        assert_eq!(kept(Carry::Int64, "-7.00").as_deref(), Some("-7"));
        assert_eq!(kept(Carry::Int64, "7.5"), None);
        assert_eq!(kept(Carry::Decimal, "7.00").as_deref(), Some("7.00"));
    }
}
