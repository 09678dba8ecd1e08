use mysql_async::Value as Field;

use crate::connect::tables::batch::{BatchBuilder, ColumnBuilder};
use crate::connect::tables::cell::{append_kept, no_counterpart};
use crate::connect::tables::{civil, uuid};
use crate::model::{Carry, ColumnMapping, Failure};

/// Appends one field to the row that is being filled. Gives about how many bytes it has.
///
/// # Errors
/// `rows.value`: the field is not of the kind that the column is carried as.
pub(super) fn append(
    builder: &mut BatchBuilder,
    place: usize,
    column: &ColumnMapping,
    field: &Field,
) -> Result<usize, Failure> {
    match append_value(&mut builder.columns[place], column, field) {
        Some(bytes) => Ok(bytes),
        None => builder
            .append_unread(place, no_counterpart(column))
            .map(|()| size_of::<i64>()),
    }
}

fn append_value(builder: &mut ColumnBuilder, column: &ColumnMapping, field: &Field) -> Option<usize> {
    match (builder, field) {
        (builder, Field::NULL) => builder.append_null(),
        (ColumnBuilder::Boolean(builder), field) => builder.append_value(truth(field)?),
        (ColumnBuilder::Int16(builder), Field::Int(_) | Field::UInt(_)) => {
            builder.append_value(integer(field)?.try_into().ok()?);
        }
        (ColumnBuilder::Int32(builder), Field::Int(_) | Field::UInt(_)) => {
            builder.append_value(integer(field)?.try_into().ok()?);
        }
        (ColumnBuilder::Int64(builder), Field::Int(_) | Field::UInt(_)) => builder.append_value(integer(field)?),
        // The spec has numbers made of a column of bits.
        (ColumnBuilder::Int64(builder), Field::Bytes(bits)) if column.source_native.starts_with("bit") => {
            builder.append_value(number_of(bits)?);
        }
        (ColumnBuilder::Float32(builder), Field::Float(value)) => builder.append_value(*value),
        (ColumnBuilder::Float64(builder), Field::Float(value)) => builder.append_value(f64::from(*value)),
        (ColumnBuilder::Float64(builder), Field::Double(value)) => builder.append_value(*value),
        (ColumnBuilder::Text(builder), Field::Bytes(bytes)) => {
            builder.append_value(std::str::from_utf8(bytes).ok()?);
            return Some(bytes.len());
        }
        // All digits of a number, without an exponent.
        (ColumnBuilder::Text(builder), Field::Double(value)) if column.carry == Carry::Decimal => {
            builder.append_value(value.to_string());
        }
        (ColumnBuilder::Text(builder), Field::Float(value)) if column.carry == Carry::Decimal => {
            builder.append_value(value.to_string());
        }
        (ColumnBuilder::Text(builder), field) => builder.append_value(text(field, &column.source_native)?),
        (ColumnBuilder::Bytes(builder), Field::Bytes(bytes)) => {
            builder.append_value(bytes);
            return Some(bytes.len());
        }
        (ColumnBuilder::Date(builder), Field::Date(year, month, day, ..)) => {
            builder.append_option(days(*year, *month, *day)?.map(i32::try_from).transpose().ok()?);
        }
        (ColumnBuilder::Timestamp(builder), field @ Field::Date(..)) => builder.append_option(moment(field)?),
        (ColumnBuilder::Time(builder), Field::Time(false, 0, hour, minute, second, us)) => {
            builder.append_value(time_us(*hour, *minute, *second, *us));
        }
        (ColumnBuilder::Uuid(builder), Field::Bytes(bytes)) => {
            builder
                .append_value(uuid::parse(std::str::from_utf8(bytes).ok()?)?)
                .ok()?;
        }
        // The spec has given the column another type than values are carried in; a time that is none of a day is no such value.
        (builder, field) => append_kept(builder, &text(field, &column.source_native)?)?,
    }
    Some(size_of::<i64>())
}

/// The number that bits are, the highest first; `None` when it has no place in 64 bits with a sign.
fn number_of(bits: &[u8]) -> Option<i64> {
    let number = (bits.iter()).try_fold(0_u64, |number, byte| Some(number.checked_mul(256)? + u64::from(*byte)));
    i64::try_from(number?).ok()
}

/// 0 and 1, as a number or as one bit; any other number is neither.
fn truth(field: &Field) -> Option<bool> {
    let number = match field {
        Field::Bytes(bits) => match bits[..] {
            [bit] => i64::from(bit),
            _ => return None,
        },
        field => integer(field)?,
    };
    match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn integer(field: &Field) -> Option<i64> {
    match field {
        Field::Int(value) => Some(*value),
        Field::UInt(value) => i64::try_from(*value).ok(),
        _ => None,
    }
}

/// Days since 1970-01-01; `Some(None)`, which is NULL, for a zero date and for one with a month or day of 0; `None` for a day that the
/// calendar does not have.
fn days(year: u16, month: u8, day: u8) -> Option<Option<i64>> {
    if month == 0 || day == 0 {
        return Some(None);
    }
    let (year, month, day) = (year.into(), month.into(), day.into());
    civil::exists(year, month, day).then(|| Some(civil::days_of(year, month, day)))
}

fn time_us(hour: u8, minute: u8, second: u8, us: u32) -> i64 {
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    seconds * 1_000_000 + i64::from(us)
}

/// Microseconds since 1970-01-01; NULL and `None` as for [`days`].
fn moment(field: &Field) -> Option<Option<i64>> {
    let Field::Date(year, month, day, hour, minute, second, us) = field else {
        return None;
    };
    let days = days(*year, *month, *day)?;
    Some(days.map(|days| days * civil::DAY_US + time_us(*hour, *minute, *second, *us)))
}

/// A field as MySQL writes it.
pub(super) fn text(field: &Field, native: &str) -> Option<String> {
    let fraction = |us: u32| {
        let digits = format!(".{us:06}");
        if us == 0 {
            String::new()
        } else {
            digits.trim_end_matches('0').to_owned()
        }
    };
    Some(match field {
        Field::NULL => return None,
        Field::Bytes(bytes) => String::from_utf8(bytes.clone()).ok()?,
        Field::Int(value) => value.to_string(),
        Field::UInt(value) => value.to_string(),
        Field::Float(value) => format!("{value:?}"),
        Field::Double(value) => format!("{value:?}"),
        Field::Date(year, month, day, ..) if native == "date" => format!("{year:04}-{month:02}-{day:02}"),
        Field::Date(year, month, day, hour, minute, second, us) => format!(
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{}",
            fraction(*us)
        ),
        Field::Time(is_negative, days, hour, minute, second, us) => {
            let sign = if *is_negative { "-" } else { "" };
            let hours = days * 24 + u32::from(*hour);
            format!("{sign}{hours:02}:{minute:02}:{second:02}{}", fraction(*us))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(carry: Carry, native: &str) -> ColumnMapping {
        ColumnMapping {
            source: "c".to_owned(),
            source_native: native.to_owned(),
            carry,
            target: "c".to_owned(),
            target_native: "x".to_owned(),
            is_nullable: true,
            is_identity: false,
            losses: Vec::new(),
        }
    }

    fn carried(carry: Carry, native: &str, field: &Field) -> Result<Option<String>, Failure> {
        let columns = [column(carry, native)];
        let mut builder = BatchBuilder::new(&columns, None);
        append(&mut builder, 0, &columns[0], field)?;
        builder.end_row(1);
        Ok(crate::connect::tables::cell_text(carry, builder.finish()?.column(0), 0))
    }

    #[test]
    fn a_zero_date_is_null_and_a_day_that_is_not_is_refused() {
        let date = |year, month, day| Field::Date(year, month, day, 0, 0, 0, 0);
        for zero in [date(0, 0, 0), date(2024, 0, 1), date(2024, 1, 0)] {
            assert_eq!(carried(Carry::Date, "date", &zero).unwrap(), None);
            assert_eq!(carried(Carry::Timestamp, "datetime", &zero).unwrap(), None);
        }
        assert_eq!(
            carried(Carry::Date, "date", &date(9999, 12, 31)).unwrap().unwrap(),
            "9999-12-31"
        );
        assert_eq!(
            carried(Carry::Date, "date", &date(2023, 2, 30)).unwrap_err().code,
            "rows.value"
        );
        assert_eq!(
            carried(Carry::Text, "date", &date(0, 0, 0)).unwrap().unwrap(),
            "0000-00-00"
        );
    }

    #[test]
    fn a_time_goes_beyond_a_day_and_below_zero() {
        let long = Field::Time(true, 34, 22, 59, 59, 120_000);
        assert_eq!(
            carried(Carry::Text, "time(2)", &long).unwrap().unwrap(),
            "-838:59:59.12"
        );
        assert_eq!(carried(Carry::Time, "time(2)", &long).unwrap_err().code, "rows.value");
    }

    #[test]
    fn what_a_kind_cannot_hold_is_refused() {
        assert_eq!(
            carried(Carry::Boolean, "tinyint(1)", &Field::Int(2)).unwrap_err().code,
            "rows.value"
        );
        assert_eq!(
            carried(Carry::Boolean, "bit(1)", &Field::Bytes(vec![1]))
                .unwrap()
                .unwrap(),
            "true"
        );
        assert_eq!(
            carried(Carry::Decimal, "bigint unsigned", &Field::UInt(u64::MAX))
                .unwrap()
                .unwrap(),
            "18446744073709551615"
        );
        assert!(carried(Carry::Int64, "bigint unsigned", &Field::UInt(u64::MAX)).is_err());
    }

    #[test]
    fn a_column_of_another_type_is_read_in_the_form_that_is_asked_for() {
        let bytes = |text: &str| Field::Bytes(text.as_bytes().to_vec());
        for (carry, native, field, expected) in [
            (Carry::Int64, "bit(9)", Field::Bytes(vec![1, 2]), "258"),
            (Carry::Int64, "decimal(5,2)", bytes("7.00"), "7"),
            (Carry::Int64, "longtext", bytes("-7"), "-7"),
            (Carry::Decimal, "double", Field::Double(1e20), "100000000000000000000"),
            (Carry::Float32, "double", Field::Double(0.1), "0.1"),
            (Carry::Date, "varchar(10)", bytes("2024-02-29"), "2024-02-29"),
        ] {
            assert_eq!(carried(carry, native, &field).unwrap().unwrap(), expected, "{native}");
        }
        let cut = carried(Carry::Int64, "decimal(5,2)", &bytes("7.50"));
        assert_eq!(cut.unwrap_err().code, "rows.value");
    }
}
