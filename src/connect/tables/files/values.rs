//! Values between the columns of a file and the forms in which they are carried.

use std::sync::Arc;

use arrow_array::builder::Decimal128Builder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::extension::{Json, Uuid};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::connect::tables::batch::{ColumnBuilder, data_type};
use crate::connect::tables::cell::{append_kept, append_text, no_counterpart};
use crate::connect::tables::cell_text;
use crate::model::{Carry, ColumnMapping, Failure, FileType};

/// The field of a column in a Parquet file.
pub fn field(column: &ColumnMapping, kind: FileType) -> Field {
    let field = Field::new(&column.target, arrow_type(kind), column.is_nullable);
    match kind {
        FileType::Uuid => field.with_extension_type(Uuid),
        FileType::Json => field.with_extension_type(Json::default()),
        _ => field,
    }
}

fn arrow_type(kind: FileType) -> DataType {
    match kind {
        FileType::Int8 => DataType::Int8,
        FileType::Uint8 => DataType::UInt8,
        FileType::Uint16 => DataType::UInt16,
        FileType::Uint32 => DataType::UInt32,
        FileType::Uint64 => DataType::UInt64,
        FileType::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
        _ => data_type(carry_of(kind)),
    }
}

/// The type of a field of a Parquet file, as its catalogue has it; what files of this program never have is in Arrow's words.
pub fn native(field: &Field) -> String {
    let kind = match field.data_type() {
        DataType::Boolean => FileType::Boolean,
        DataType::Int8 => FileType::Int8,
        DataType::Int16 => FileType::Int16,
        DataType::Int32 => FileType::Int32,
        DataType::Int64 => FileType::Int64,
        DataType::UInt8 => FileType::Uint8,
        DataType::UInt16 => FileType::Uint16,
        DataType::UInt32 => FileType::Uint32,
        DataType::UInt64 => FileType::Uint64,
        DataType::Float16 | DataType::Float32 => FileType::Float32,
        DataType::Float64 => FileType::Float64,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => return format!("decimal({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => match field.extension_type_name() {
            Some("arrow.json") => FileType::Json,
            _ => FileType::Text,
        },
        DataType::FixedSizeBinary(16) if field.extension_type_name() == Some("arrow.uuid") => FileType::Uuid,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            FileType::Binary
        }
        DataType::Date32 | DataType::Date64 => FileType::Date,
        DataType::Time64(TimeUnit::Nanosecond) => return "time(ns)".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => FileType::Time,
        DataType::Timestamp(TimeUnit::Nanosecond, None) => return "timestamp(ns)".to_owned(),
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => return "timestamptz(ns)".to_owned(),
        DataType::Timestamp(_, None) => FileType::Timestamp,
        DataType::Timestamp(_, Some(_)) => FileType::Timestamptz,
        other => return other.to_string().to_lowercase(),
    };
    kind.to_string()
}

/// The form in which values of a type are carried when nothing else is asked for.
fn carry_of(kind: FileType) -> Carry {
    match kind {
        FileType::Boolean => Carry::Boolean,
        FileType::Int8 | FileType::Int16 | FileType::Uint8 => Carry::Int16,
        FileType::Int32 | FileType::Uint16 => Carry::Int32,
        FileType::Int64 | FileType::Uint32 => Carry::Int64,
        FileType::Uint64 | FileType::Decimal { .. } => Carry::Decimal,
        FileType::Float32 => Carry::Float32,
        FileType::Float64 => Carry::Float64,
        FileType::Text => Carry::Text,
        FileType::Json => Carry::Json,
        FileType::Binary => Carry::Bytes,
        FileType::Date => Carry::Date,
        FileType::Time => Carry::Time,
        FileType::Timestamp => Carry::Timestamp,
        FileType::Timestamptz => Carry::Instant,
        FileType::Uuid => Carry::Uuid,
    }
}

/// The values of a column as a file has them.
///
/// # Errors
/// `rows.value`: one does not fit the column's type.
pub fn to_file(column: &ColumnMapping, kind: FileType, values: &ArrayRef) -> Result<ArrayRef, Failure> {
    if let FileType::Decimal { precision, scale } = kind {
        return decimals(column, values, precision, scale);
    }
    let carried = through_text(column.carry, carry_of(kind), values).ok_or_else(|| misfit(column, kind))?;
    cast(&carried, &arrow_type(kind)).ok_or_else(|| misfit(column, kind))
}

/// The values of a column of a file as they are to be carried.
///
/// # Errors
/// `rows.value`: one cannot be carried so.
pub fn to_carry(column: &ColumnMapping, values: &ArrayRef) -> Result<ArrayRef, Failure> {
    let unfit = || no_counterpart(column);
    let wanted = data_type(column.carry);
    if let Some(cast) = cast(values, &wanted).filter(|_| is_plain(values.data_type(), column.carry)) {
        return Ok(cast);
    }
    let known = match FileType::parse(&column.source_native) {
        None => None,
        Some(kind) => cast(values, &data_type(carry_of(kind))).map(|values| (carry_of(kind), values)),
    };
    let (natural, natural_values) = match known {
        Some(known) => known,
        None => (Carry::Text, displayed(values).ok_or_else(unfit)?),
    };
    through_text(natural, column.carry, &natural_values).ok_or_else(unfit)
}

/// Values that no type of ours has, lists and structures among them, in Arrow's words.
fn displayed(values: &ArrayRef) -> Option<ArrayRef> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(values, &options).ok()?;
    let text = |row| match values.is_null(row) {
        true => Some(None),
        false => formatter.value(row).try_to_string().ok().map(Some),
    };
    let texts: Option<Vec<Option<String>>> = (0..values.len()).map(text).collect();
    Some(Arc::new(StringArray::from(texts?)))
}

/// Whether Arrow's own conversion is the one that is meant. Its texts of moments, dates and bytes are others than ours.
fn is_plain(from: &DataType, carry: Carry) -> bool {
    let is_number = from.is_integer() || from.is_floating();
    let is_text = matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match carry {
        Carry::Decimal => from.is_integer() || from.is_decimal() || is_text,
        Carry::Text | Carry::Json => is_text || from.is_integer() || from.is_decimal(),
        Carry::Boolean => *from == DataType::Boolean,
        Carry::Int16 | Carry::Int32 | Carry::Int64 => from.is_integer(),
        Carry::Float32 | Carry::Float64 => is_number,
        Carry::Bytes => matches!(
            from,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        ),
        Carry::Date => matches!(from, DataType::Date32 | DataType::Date64),
        Carry::Time => matches!(from, DataType::Time32(_) | DataType::Time64(_)),
        Carry::Timestamp | Carry::Instant => matches!(from, DataType::Timestamp(..)),
        Carry::Uuid => matches!(from, DataType::FixedSizeBinary(16)),
    }
}

/// Arrow's conversion; `None` where a value has no counterpart, instead of a NULL in its place.
fn cast(values: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    if values.data_type() == wanted {
        return Some(Arc::clone(values));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(values, wanted, &options).ok()
}

/// Carries values in another form; those of the same Arrow type are the same.
fn through_text(from: Carry, to: Carry, values: &ArrayRef) -> Option<ArrayRef> {
    if from == to || data_type(from) == data_type(to) {
        return Some(Arc::clone(values));
    }
    let mut builder = ColumnBuilder::new(to);
    for row in 0..values.len() {
        match cell_text(from, values, row) {
            None => builder.append_null(),
            // A number that was kept as a truth value.
            Some(text) if from == Carry::Boolean && to == Carry::Int64 => {
                append_text(&mut builder, if text == "true" { "1" } else { "0" })?;
            }
            Some(text) => append_kept(&mut builder, &text)?,
        }
    }
    Some(builder.finish())
}

fn decimals(column: &ColumnMapping, values: &ArrayRef, precision: u8, scale: u8) -> Result<ArrayRef, Failure> {
    let kind = FileType::Decimal { precision, scale };
    let unfit = || misfit(column, kind);
    let mut builder = Decimal128Builder::with_capacity(values.len())
        .with_precision_and_scale(precision, scale.cast_signed())
        .map_err(|error| Failure::permanent("rows.shape", error.to_string()))?;
    let texts = values.as_string_opt::<i32>();
    for row in 0..values.len() {
        if values.is_null(row) {
            builder.append_null();
            continue;
        }
        let number = match texts {
            Some(texts) => unscaled(texts.value(row), precision, scale),
            None => cell_text(column.carry, values, row).and_then(|text| unscaled(&text, precision, scale)),
        };
        builder.append_value(number.ok_or_else(unfit)?);
    }
    Ok(Arc::new(builder.finish()))
}

/// A decimal number as a multiple of its least step; `None` when it is none, or has more digits than the type. Zeros behind the scale say
/// nothing and may be there.
pub fn unscaled(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let usual = short(text, scale).filter(|number| {
        let bound = 10_u64.checked_pow(precision.into());
        bound.is_none_or(|bound| number.unsigned_abs() < bound)
    });
    if let Some(number) = usual {
        return Some(number.into());
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (is_negative, digits) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let wanted = i64::from(scale) + i64::from(exponent);
    let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let fraction = if length(fraction) > wanted {
        fraction.trim_end_matches('0')
    } else {
        fraction
    };
    let mut number: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = char::from(digit).to_digit(10)?;
        number = number.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    // By how many places the digits are to be moved to the left for the point to stand at their end.
    let mut places = wanted - length(fraction);
    while places < 0 && number != 0 && number % 10 == 0 {
        number /= 10;
        places += 1;
    }
    if number == 0 {
        return Some(0);
    }
    let factor = 10_i128.checked_pow(u32::try_from(places).ok()?)?;
    let number = number.checked_mul(factor)?;
    let fits = number < 10_i128.checked_pow(u32::from(precision))?;
    fits.then_some(if is_negative { -number } else { number })
}

/// A number of at most 18 digits, with as many behind its point as the scale has: what databases send of columns that have a scale.
fn short(text: &str, scale: u8) -> Option<i64> {
    const DIGITS_MAX: usize = 18;
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let (mut number, mut behind) = (0_i64, None);
    if digits.is_empty() || digits.len() > DIGITS_MAX {
        return None;
    }
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = number * 10 + i64::from(byte - b'0');
                behind = behind.map(|behind: u8| behind + 1);
            }
            b'.' if behind.is_none() && digits.len() > 1 => behind = Some(0),
            _ => return None,
        }
    }
    let number = if text.starts_with('-') { -number } else { number };
    (behind.unwrap_or_default() == scale).then_some(number)
}

fn misfit(column: &ColumnMapping, kind: FileType) -> Failure {
    let (target, native) = (&column.target, &column.source_native);
    Failure::data(
        "rows.value",
        format!("`{target}`, of type `{native}` at the source, holds a value that is no {kind}"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_keep_every_digit_or_are_refused() {
        for (text, precision, scale, number) in [
            ("0", 1, 0, Some(0)),
            ("-0.00", 10, 2, Some(0)),
            ("12.5", 10, 2, Some(1_250)),
            ("-12.50", 10, 2, Some(-1_250)),
            ("12.500", 10, 2, Some(1_250)),
            ("12.505", 10, 2, None),
            ("1.5e3", 10, 0, Some(1_500)),
            ("15e-1", 10, 1, Some(15)),
            ("1e-400", 38, 38, None),
            (".5", 2, 1, Some(5)),
            (
                "99999999999999999999999999999999999999",
                38,
                0,
                Some(10_i128.pow(38) - 1),
            ),
            ("100000000000000000000000000000000000000", 38, 0, None),
            ("100", 2, 0, None),
            ("NaN", 10, 2, None),
            ("Infinity", 10, 2, None),
            ("", 10, 2, None),
            ("-", 10, 2, None),
            (".", 10, 2, None),
            ("1,5", 10, 2, None),
        ] {
            assert_eq!(unscaled(text, precision, scale), number, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,20}", like in "[-+0-9.eE]{0,50}", precision in 1_u8..=38, scale in 0_u8..=38) {
            let _ = (unscaled(&text, precision, scale), unscaled(&like, precision, scale));
            for carry in [Carry::Boolean, Carry::Int16, Carry::Float64, Carry::Date, Carry::Time, Carry::Instant, Carry::Uuid, Carry::Bytes] {
                let _ = append_text(&mut ColumnBuilder::new(carry), &text);
                let _ = append_text(&mut ColumnBuilder::new(carry), &like);
            }
        }
    }
}
