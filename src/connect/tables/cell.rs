use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use super::{civil, uuid};
use crate::model::Carry;

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
