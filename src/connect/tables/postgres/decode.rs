use crate::connect::tables::batch::{BatchBuilder, ColumnBuilder};
use crate::connect::tables::decimal::decode_numeric;
use crate::model::{Carry, ColumnMapping, Failure};

/// Days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts.
pub(super) const EPOCH_DAYS: i32 = 10_957;
pub(super) const EPOCH_US: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// Appends one field in PostgreSQL's binary form to the row that is being filled; `None` is NULL.
///
/// # Errors
/// `rows.value`: the bytes are not of the form that the column's type has.
pub(super) fn append(
    builder: &mut BatchBuilder,
    place: usize,
    column: &ColumnMapping,
    field: Option<&[u8]>,
) -> Result<(), Failure> {
    let values = &mut builder.columns[place];
    let Some(bytes) = field else {
        values.append_null();
        return Ok(());
    };
    match append_value(values, column.carry, bytes) {
        Some(()) => Ok(()),
        None => builder.append_unread(place, bad_value(column)),
    }
}

fn bad_value(column: &ColumnMapping) -> Failure {
    Failure::data(
        "rows.value",
        format!(
            "`{}`, of type `{}`, has a value that cannot be carried as {}",
            column.source,
            column.source_native,
            column.carry.name()
        ),
    )
}

fn append_value(builder: &mut ColumnBuilder, carry: Carry, bytes: &[u8]) -> Option<()> {
    match builder {
        ColumnBuilder::Boolean(builder) => builder.append_value(*bytes.first()? != 0),
        ColumnBuilder::Int16(builder) => builder.append_value(i16::from_be_bytes(bytes.try_into().ok()?)),
        ColumnBuilder::Int32(builder) => builder.append_value(i32::from_be_bytes(bytes.try_into().ok()?)),
        ColumnBuilder::Int64(builder) => builder.append_value(integer(bytes)?),
        ColumnBuilder::Float32(builder) => builder.append_value(f32::from_be_bytes(bytes.try_into().ok()?)),
        ColumnBuilder::Float64(builder) => builder.append_value(f64::from_be_bytes(bytes.try_into().ok()?)),
        ColumnBuilder::Text(builder) if carry == Carry::Decimal => {
            decode_numeric(bytes, builder)?;
            // Ends the value that has been written.
            builder.append_value("");
        }
        ColumnBuilder::Text(builder) => builder.append_value(std::str::from_utf8(bytes).ok()?),
        ColumnBuilder::Bytes(builder) => builder.append_value(bytes),
        ColumnBuilder::Date(builder) => builder.append_value(match i32::from_be_bytes(bytes.try_into().ok()?) {
            // The two infinities.
            extreme @ (i32::MAX | i32::MIN) => extreme,
            days => days.checked_add(EPOCH_DAYS)?,
        }),
        ColumnBuilder::Time(builder) => builder.append_value(i64::from_be_bytes(bytes.try_into().ok()?)),
        ColumnBuilder::Timestamp(builder) => builder.append_value(match i64::from_be_bytes(bytes.try_into().ok()?) {
            extreme @ (i64::MAX | i64::MIN) => extreme,
            us => us.checked_add(EPOCH_US)?,
        }),
        ColumnBuilder::Uuid(builder) => builder.append_value(bytes).ok()?,
    }
    Some(())
}

/// A whole number of any width.
fn integer(bytes: &[u8]) -> Option<i64> {
    match bytes.len() {
        2 => Some(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        4 => Some(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        8 => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}
