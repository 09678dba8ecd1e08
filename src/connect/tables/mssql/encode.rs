use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use mssql_tds::datatypes::bulk_copy_metadata::{BulkCopyColumnMetadata, SqlDbType};
use mssql_tds::datatypes::column_values::{
    ColumnValues, SqlDate, SqlDateTime, SqlDateTime2, SqlDateTimeOffset, SqlMoney, SqlSmallDateTime, SqlSmallMoney,
    SqlTime, SqlXml,
};
use mssql_tds::datatypes::decoder::DecimalParts;
use mssql_tds::datatypes::sql_string::{EncodingType, SqlString, encode_narrow};

use super::ticks::{self, DAY_TICKS, DAYS_MAX, EPOCH_DAYS, EPOCH_DAYS_1900};
use crate::connect::tables::{cell_text, civil, uuid};
use crate::model::{Carry, ColumnMapping, Failure};

/// A column of the batch, and the one of the table that it goes into.
pub(super) struct Lane {
    /// Its place in the batch.
    pub(super) place: usize,
    pub(super) into: BulkCopyColumnMetadata,
}

/// One row as it goes up. All values are made before the first is sent: a row that cannot be sent leaves no half of a message.
pub(super) fn row(
    columns: &[ColumnMapping],
    lanes: &[Lane],
    batch: &RecordBatch,
    row: usize,
) -> Result<Vec<ColumnValues>, Failure> {
    let cells = lanes.iter().map(|lane| {
        let (column, values) = (&columns[lane.place], batch.column(lane.place));
        if values.is_null(row) {
            if lane.into.is_nullable {
                return Ok(ColumnValues::Null);
            }
            return Err(Failure::data(
                "database.constraint",
                format!("`{}` is NULL, which `{}` does not allow", column.source, column.target),
            ));
        }
        value(column, &lane.into, values, row).ok_or_else(|| {
            let (source, native) = (&column.source, lane.into.get_sql_type_definition());
            let native = native.unwrap_or_else(|_| column.target_native.clone());
            Failure::data(
                "database.value",
                format!("`{source}` has a value that a `{native}` of SQL Server does not hold"),
            )
        })
    });
    cells.collect()
}

/// A value as its column takes it. `None` when it does not hold it: nothing is cut or rounded but what the type table says.
fn value(
    column: &ColumnMapping,
    into: &BulkCopyColumnMetadata,
    values: &dyn Array,
    row: usize,
) -> Option<ColumnValues> {
    let carry = column.carry;
    let text = || cell_text(carry, values, row);
    let integer = || integer(carry, values, row);
    Some(match into.sql_type {
        SqlDbType::Bit => ColumnValues::Bit(truth(carry, values, row)?),
        SqlDbType::TinyInt => ColumnValues::TinyInt(integer()?.try_into().ok()?),
        SqlDbType::SmallInt => ColumnValues::SmallInt(integer()?.try_into().ok()?),
        SqlDbType::Int => ColumnValues::Int(integer()?.try_into().ok()?),
        SqlDbType::BigInt => ColumnValues::BigInt(integer()?),
        SqlDbType::Real => ColumnValues::Real(real(carry, values, row)?),
        SqlDbType::Float => ColumnValues::Float(float(carry, values, row)?),
        SqlDbType::Decimal | SqlDbType::Numeric => ColumnValues::Decimal(decimal(&text()?, into)?),
        SqlDbType::Money => {
            let scaled = scaled(&text()?)?;
            let bytes = scaled.to_le_bytes();
            let [a, b, c, d, e, f, g, h] = bytes;
            ColumnValues::Money(SqlMoney {
                lsb_part: i32::from_le_bytes([a, b, c, d]),
                msb_part: i32::from_le_bytes([e, f, g, h]),
            })
        }
        SqlDbType::SmallMoney => ColumnValues::SmallMoney(SqlSmallMoney {
            int_val: scaled(&text()?)?.try_into().ok()?,
        }),
        SqlDbType::Date => ColumnValues::Date(SqlDate::create(day_number(moment(carry, values, row)?.0)?).ok()?),
        SqlDbType::Time => ColumnValues::Time(sql_time(time(carry, values, row)?, into.scale)),
        SqlDbType::DateTime2 => ColumnValues::DateTime2(datetime2(moment(carry, values, row)?, into.scale)?),
        SqlDbType::DateTimeOffset => ColumnValues::DateTimeOffset(offset(carry, values, row, into.scale)?),
        SqlDbType::DateTime => ColumnValues::DateTime(datetime(moment(carry, values, row)?)?),
        SqlDbType::SmallDateTime => ColumnValues::SmallDateTime(smalldatetime(moment(carry, values, row)?)?),
        SqlDbType::Xml => ColumnValues::Xml(SqlXml::from(text()?)),
        SqlDbType::NVarChar | SqlDbType::NChar | SqlDbType::NText | SqlDbType::Json => wide(text()?, into)?,
        SqlDbType::VarChar | SqlDbType::Char | SqlDbType::Text => narrow(&text()?, into)?,
        SqlDbType::VarBinary | SqlDbType::Binary | SqlDbType::Image => bytes(carry, values, row, into)?,
        SqlDbType::UniqueIdentifier => ColumnValues::Uuid(identifier(carry, values, row)?),
        SqlDbType::Variant | SqlDbType::Udt | SqlDbType::Vector => return None,
    })
}

fn truth(carry: Carry, values: &dyn Array, row: usize) -> Option<bool> {
    match carry {
        Carry::Boolean => Some(values.as_boolean().value(row)),
        _ => match integer(carry, values, row)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

fn integer(carry: Carry, values: &dyn Array, row: usize) -> Option<i64> {
    Some(match carry {
        Carry::Boolean => values.as_boolean().value(row).into(),
        Carry::Int16 => values.as_primitive::<Int16Type>().value(row).into(),
        Carry::Int32 => values.as_primitive::<Int32Type>().value(row).into(),
        Carry::Int64 => values.as_primitive::<Int64Type>().value(row),
        Carry::Decimal | Carry::Text => values.as_string::<i32>().value(row).parse().ok()?,
        _ => return None,
    })
}

/// SQL Server has neither infinities nor a value that is no number.
fn real(carry: Carry, values: &dyn Array, row: usize) -> Option<f32> {
    let value = match carry {
        Carry::Float32 => values.as_primitive::<Float32Type>().value(row),
        Carry::Int64 => integer(carry, values, row)?.to_string().parse().ok()?,
        Carry::Decimal | Carry::Text => values.as_string::<i32>().value(row).parse().ok()?,
        _ => return None,
    };
    value.is_finite().then_some(value)
}

fn float(carry: Carry, values: &dyn Array, row: usize) -> Option<f64> {
    let value = match carry {
        Carry::Float32 => values.as_primitive::<Float32Type>().value(row).into(),
        Carry::Float64 => values.as_primitive::<Float64Type>().value(row),
        Carry::Int16 | Carry::Int32 | Carry::Int64 => integer(carry, values, row)?.to_string().parse().ok()?,
        Carry::Decimal | Carry::Text => values.as_string::<i32>().value(row).parse().ok()?,
        _ => return None,
    };
    value.is_finite().then_some(value)
}

/// Digits beyond the scale are rounded, half away from zero, as the server does it.
fn decimal(text: &str, into: &BulkCopyColumnMetadata) -> Option<DecimalParts> {
    let (is_positive, magnitude) = magnitude(text, into.scale)?;
    let max = 10_u128.checked_pow(into.precision.into())?;
    (magnitude < max).then(|| DecimalParts::new(is_positive || magnitude == 0, into.precision, into.scale, magnitude))
}

/// The digits of a decimal number with so many of them behind its point, the rest rounded. `None` when it is none, or has too many.
fn magnitude(text: &str, scale: u8) -> Option<(bool, u128)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (is_positive, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (false, digits),
        None => (true, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let wanted = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let number = |digits: &str| match digits.trim_start_matches('0') {
        "" => Some(0),
        digits => digits.parse::<u128>().ok(),
    };
    let Ok(wanted) = usize::try_from(wanted) else {
        // It is smaller than half of the last digit.
        return Some((is_positive, 0));
    };
    if wanted >= all.len() {
        let zeros = u32::try_from(wanted - all.len()).ok()?;
        let value = number(&all)?;
        let value = if value == 0 {
            0
        } else {
            value.checked_mul(10_u128.checked_pow(zeros)?)?
        };
        return Some((is_positive, value));
    }
    let (kept, cut) = all.split_at(wanted);
    let is_up = cut.as_bytes().first().is_some_and(|digit| *digit >= b'5');
    Some((is_positive, number(kept)?.checked_add(is_up.into())?))
}

/// Ten-thousandths.
fn scaled(text: &str) -> Option<i64> {
    let (is_positive, magnitude) = magnitude(text, 4)?;
    let value = i128::try_from(magnitude).ok()?;
    i64::try_from(if is_positive { value } else { -value }).ok()
}

/// Days from 1970-01-01 and ticks since midnight; the infinities lie beyond every day there is.
fn moment(carry: Carry, values: &dyn Array, row: usize) -> Option<(i64, i64)> {
    match carry {
        Carry::Date => Some((values.as_primitive::<Date32Type>().value(row).into(), 0)),
        Carry::Timestamp | Carry::Instant => {
            let us = values.as_primitive::<TimestampMicrosecondType>().value(row);
            Some((us.div_euclid(civil::DAY_US), us.rem_euclid(civil::DAY_US) * 10))
        }
        Carry::Text => ticks::parse_moment(values.as_string::<i32>().value(row)),
        _ => None,
    }
}

fn time(carry: Carry, values: &dyn Array, row: usize) -> Option<i64> {
    let at = match carry {
        Carry::Time => values.as_primitive::<Time64MicrosecondType>().value(row) * 10,
        Carry::Text => ticks::parse_time(values.as_string::<i32>().value(row))?,
        _ => return None,
    };
    // PostgreSQL has a 24:00, which is a time of no day here.
    (0..DAY_TICKS).contains(&at).then_some(at)
}

/// Days from 0001-01-01.
fn day_number(days: i64) -> Option<u32> {
    let number = days.checked_add(EPOCH_DAYS)?;
    (0..=DAYS_MAX).contains(&number).then(|| u32::try_from(number).ok())?
}

fn sql_time(at: i64, scale: u8) -> SqlTime {
    SqlTime {
        time_nanoseconds: at.try_into().unwrap_or_default(),
        scale,
    }
}

fn datetime2((days, at): (i64, i64), scale: u8) -> Option<SqlDateTime2> {
    Some(SqlDateTime2 {
        days: day_number(days)?,
        time: sql_time(at, scale),
    })
}

fn offset(carry: Carry, values: &dyn Array, row: usize, scale: u8) -> Option<SqlDateTimeOffset> {
    let (days, at, offset) = match carry {
        Carry::Text => ticks::parse_offset(values.as_string::<i32>().value(row))?,
        _ => {
            let (days, at) = moment(carry, values, row)?;
            (days, at, 0)
        }
    };
    Some(SqlDateTimeOffset {
        datetime2: datetime2((days, at), scale)?,
        offset: offset.try_into().ok()?,
    })
}

/// Three-hundredths of a second from 1753 on.
fn datetime((days, at): (i64, i64)) -> Option<SqlDateTime> {
    const DAY_TIMES: i64 = 25_920_000;
    let times = (at * 3 + 50_000) / 100_000;
    let (days, times) = if times == DAY_TIMES {
        (days + 1, 0)
    } else {
        (days, times)
    };
    let first = civil::days_of(1753, 1, 1);
    (first..=DAYS_MAX - EPOCH_DAYS).contains(&days).then_some(())?;
    Some(SqlDateTime {
        days: (days + EPOCH_DAYS_1900).try_into().ok()?,
        time: times.try_into().ok()?,
    })
}

fn smalldatetime((days, at): (i64, i64)) -> Option<SqlSmallDateTime> {
    let minutes = (at + DAY_TICKS / 2_880) / (DAY_TICKS / 1_440);
    let (days, minutes) = if minutes == 1_440 {
        (days + 1, 0)
    } else {
        (days, minutes)
    };
    Some(SqlSmallDateTime {
        days: days.checked_add(EPOCH_DAYS_1900)?.try_into().ok()?,
        time: minutes.try_into().ok()?,
    })
}

fn wide(text: String, into: &BulkCopyColumnMetadata) -> Option<ColumnValues> {
    let text = SqlString::from_utf8_string(text);
    fits(text.bytes.len(), into)?;
    Some(ColumnValues::String(text))
}

/// A text in the code page of its column, if every character has a place in it.
fn narrow(text: &str, into: &BulkCopyColumnMetadata) -> Option<ColumnValues> {
    let collation = into.collation?;
    let encoded = encode_narrow(text, collation);
    if encoded.had_loss {
        return None;
    }
    fits(encoded.bytes.len(), into)?;
    Some(ColumnValues::String(SqlString::new(
        encoded.bytes,
        EncodingType::LcidBased(collation),
    )))
}

fn bytes(carry: Carry, values: &dyn Array, row: usize, into: &BulkCopyColumnMetadata) -> Option<ColumnValues> {
    let bytes = match carry {
        Carry::Bytes => values.as_binary::<i32>().value(row),
        _ => return None,
    };
    fits(bytes.len(), into)?;
    Some(ColumnValues::Bytes(bytes.to_vec()))
}

fn identifier(carry: Carry, values: &dyn Array, row: usize) -> Option<::uuid::Uuid> {
    let bytes = match carry {
        Carry::Uuid => values.as_fixed_size_binary().value(row).try_into().ok()?,
        Carry::Text => uuid::parse(values.as_string::<i32>().value(row))?,
        _ => return None,
    };
    Some(::uuid::Uuid::from_bytes(bytes))
}

/// Whether so many bytes have room; the types of any length have.
fn fits(length: usize, into: &BulkCopyColumnMetadata) -> Option<()> {
    if into.is_plp() || into.is_long() {
        return Some(());
    }
    let max = usize::try_from(into.length).ok()?;
    (length <= max).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_to_the_scale_and_refused_beyond_the_precision() {
        assert_eq!(magnitude("-12.345", 2), Some((false, 1_235)));
        assert_eq!(magnitude("12.344", 2), Some((true, 1_234)));
        assert_eq!(magnitude("0.004", 2), Some((true, 0)));
        assert_eq!(magnitude("0.005", 2), Some((true, 1)));
        assert_eq!(magnitude("1.5e3", 1), Some((true, 15_000)));
        assert_eq!(magnitude("15e-4", 3), Some((true, 2)));
        assert_eq!(magnitude("1e-40", 2), Some((true, 0)));
        assert_eq!(
            magnitude("99999999999999999999999999999999999999", 0),
            Some((true, 10_u128.pow(38) - 1))
        );
        for wrong in ["", "-", ".", "NaN", "Infinity", "1,5", "1e99999", "0x1"] {
            assert_eq!(magnitude(wrong, 2), None, "{wrong}");
        }
        let into = BulkCopyColumnMetadata::new("c", SqlDbType::Decimal, 0x6a).with_precision_scale(5, 2);
        assert!(decimal("999.99", &into).is_some());
        assert!(decimal("999.995", &into).is_none());
    }

    #[test]
    fn money_goes_to_its_ends() {
        assert_eq!(scaled("922337203685477.5807"), Some(i64::MAX));
        assert_eq!(scaled("-922337203685477.5808"), Some(i64::MIN));
        assert_eq!(scaled("922337203685477.5808"), None);
    }

    #[test]
    fn moments_beyond_the_calendar_are_refused() {
        assert_eq!(day_number(-EPOCH_DAYS), Some(0));
        assert_eq!(day_number(-EPOCH_DAYS - 1), None);
        assert_eq!(day_number(i64::from(i32::MAX)), None);
        let last = DAYS_MAX - EPOCH_DAYS;
        assert_eq!(day_number(last), Some(3_652_058));
        assert!(datetime((civil::days_of(1753, 1, 1), 0)).is_some());
        assert!(datetime((civil::days_of(1752, 12, 31), 0)).is_none());
        assert!(
            datetime((last, DAY_TICKS - 1)).is_none(),
            "it rounds up to a day that is not"
        );
        assert!(smalldatetime((civil::days_of(2079, 6, 6), 0)).is_some());
        assert!(smalldatetime((civil::days_of(2079, 6, 7), 0)).is_none());
        assert!(smalldatetime((civil::days_of(1899, 12, 31), 0)).is_none());
    }
}
