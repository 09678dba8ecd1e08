//! Values that the connection has decoded, as texts and numbers.

use std::borrow::Cow;

use mssql_tds::datatypes::column_values::{ColumnValues, SqlDateTime, SqlDateTimeOffset, SqlSmallDateTime, SqlTime};
use mssql_tds::datatypes::sql_string::EncodingType;

use super::ticks::{self, DAY_TICKS, EPOCH_DAYS, EPOCH_DAYS_1900};
use crate::connect::tables::civil;

/// A text in its column's encoding. `None` when it is none in it: half a pair of UTF-16 has no meaning of its own.
pub(super) fn decode_text(bytes: &[u8], encoding: EncodingType) -> Option<Cow<'_, str>> {
    if encoding == EncodingType::Utf16 {
        return utf16(bytes).map(Cow::Owned);
    }
    let (text, is_wrong) = encoding.resolved_encoding()?.decode_without_bom_handling(bytes);
    (!is_wrong).then_some(text)
}

pub(super) fn utf16(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2);
    if !units.remainder().is_empty() {
        return None;
    }
    let units = units.map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

/// The text of a value that has one; for answers of the catalogue and for bounds of chunks.
pub(super) fn text_of(value: &ColumnValues) -> Option<String> {
    Some(match value {
        ColumnValues::String(text) => decode_text(&text.bytes, *text.encoding_type())?.into_owned(),
        ColumnValues::Decimal(number) | ColumnValues::Numeric(number) => number.to_string(),
        ColumnValues::Money(number) => money(i64::from(number.msb_part) << 32 | i64::from(number.lsb_part as u32)),
        ColumnValues::SmallMoney(number) => money(number.int_val.into()),
        ColumnValues::Date(date) => civil::format_date(i64::from(date.get_days()) - EPOCH_DAYS),
        ColumnValues::Time(time) => ticks::format_time(time_ticks(time)),
        ColumnValues::DateTime(moment) => {
            let (days, at) = datetime(moment);
            ticks::format_moment(days, at)
        }
        ColumnValues::SmallDateTime(moment) => {
            let (days, at) = smalldatetime(moment);
            ticks::format_moment(days, at)
        }
        ColumnValues::DateTime2(moment) => {
            ticks::format_moment(i64::from(moment.days) - EPOCH_DAYS, time_ticks(&moment.time))
        }
        ColumnValues::DateTimeOffset(moment) => offset(moment),
        ColumnValues::Uuid(value) => value.to_string(),
        _ => return None,
    })
}

/// The whole number that a value is.
pub(super) fn integer_of(value: &ColumnValues) -> Option<i64> {
    Some(match value {
        ColumnValues::Bit(value) => i64::from(*value),
        ColumnValues::TinyInt(value) => i64::from(*value),
        ColumnValues::SmallInt(value) => i64::from(*value),
        ColumnValues::Int(value) => i64::from(*value),
        ColumnValues::BigInt(value) => *value,
        _ => return None,
    })
}

/// Ten-thousandths as a decimal number with four digits behind its point.
pub(super) fn money(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:04}", value / 10_000, value % 10_000)
}

/// The library calls it nanoseconds and means hundreds of them.
pub(super) fn time_ticks(time: &SqlTime) -> i64 {
    i64::try_from(time.time_nanoseconds).unwrap_or_default()
}

/// Days from 1970-01-01 and ticks: the server keeps three-hundredths of a second and shows them as whole milliseconds.
pub(super) fn datetime(moment: &SqlDateTime) -> (i64, i64) {
    let ms = (i64::from(moment.time) * 10 + 1) / 3;
    (i64::from(moment.days) - EPOCH_DAYS_1900, ms * 10_000)
}

pub(super) fn smalldatetime(moment: &SqlSmallDateTime) -> (i64, i64) {
    (
        i64::from(moment.days) - EPOCH_DAYS_1900,
        i64::from(moment.time) * (DAY_TICKS / 1_440),
    )
}

pub(super) fn offset(moment: &SqlDateTimeOffset) -> String {
    let days = i64::from(moment.datetime2.days) - EPOCH_DAYS;
    ticks::format_offset(days, time_ticks(&moment.datetime2.time), moment.offset.into())
}
