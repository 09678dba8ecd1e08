use std::borrow::Cow;

use mssql_tds::datatypes::column_values::{
    ColumnValues, SqlDate, SqlDateTime, SqlDateTime2, SqlDateTimeOffset, SqlMoney, SqlSmallDateTime, SqlSmallMoney,
    SqlTime, SqlXml,
};
use mssql_tds::datatypes::decoder::DecimalParts;
use mssql_tds::datatypes::row_writer::RowWriter;
use mssql_tds::datatypes::sql_json::SqlJson;
use mssql_tds::datatypes::sql_string::EncodingType;
use mssql_tds::datatypes::sql_vector::SqlVector;

use super::fields::{datetime, decode_text, money, offset, smalldatetime, text_of, time_ticks, utf16};
use super::ticks::{self, EPOCH_DAYS};
use crate::connect::tables::batch::{BatchBuilder, ColumnBuilder};
use crate::connect::tables::cell::{append_kept, no_counterpart};
use crate::connect::tables::{ReadRequest, civil, uuid};
use crate::model::{ColumnMapping, Failure};

/// Fills batches with the values that the connection decodes.
pub(super) struct RowSink<'a> {
    pub(super) builder: BatchBuilder,
    columns: &'a [ColumnMapping],
    /// For each column of the answer, which of ours it is.
    places: Vec<Option<usize>>,
    bytes: usize,
    failure: Option<Failure>,
}

impl<'a> RowSink<'a> {
    pub(super) fn new(request: &'a ReadRequest, places: Vec<Option<usize>>) -> Self {
        Self {
            builder: BatchBuilder::new(&request.columns, request.unread.clone()),
            columns: &request.columns,
            places,
            bytes: 0,
            failure: None,
        }
    }

    /// Ends the row that was written last. True when the batch is to be given on.
    ///
    /// # Errors
    /// `rows.value`: a value of the row is not of the kind that its column is carried as.
    pub(super) fn finish_row(&mut self) -> Result<bool, Failure> {
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(self.builder.end_row(std::mem::take(&mut self.bytes))),
        }
    }

    /// Appends to one of our columns what `append` gives, with about how many bytes it has; `None` is a value of another kind.
    fn put(&mut self, column: usize, append: impl FnOnce(&mut ColumnBuilder) -> Option<usize>) {
        let Some(place) = self.places.get(column).copied().flatten() else {
            return;
        };
        let Some(builder) = self.builder.columns.get_mut(place) else {
            return;
        };
        match append(builder) {
            Some(bytes) => self.bytes += bytes,
            None => {
                if let Err(failure) = self.builder.append_unread(place, no_counterpart(&self.columns[place])) {
                    self.failure.get_or_insert(failure);
                }
            }
        }
    }

    fn put_integer(&mut self, column: usize, value: i64) {
        self.put(column, |builder| {
            match builder {
                ColumnBuilder::Boolean(builder) if value == 0 || value == 1 => builder.append_value(value == 1),
                ColumnBuilder::Int16(builder) => builder.append_value(value.try_into().ok()?),
                ColumnBuilder::Int32(builder) => builder.append_value(value.try_into().ok()?),
                ColumnBuilder::Int64(builder) => builder.append_value(value),
                ColumnBuilder::Text(builder) => builder.append_value(value.to_string()),
                builder @ (ColumnBuilder::Float32(_) | ColumnBuilder::Float64(_)) => {
                    append_kept(builder, &value.to_string())?;
                }
                _ => return None,
            }
            Some(size_of::<i64>())
        });
    }

    fn put_text(&mut self, column: usize, text: &str) {
        self.put(column, |builder| {
            match builder {
                ColumnBuilder::Text(builder) => builder.append_value(text),
                ColumnBuilder::Uuid(builder) => builder.append_value(uuid::parse(text)?).ok()?,
                // The spec has given the column another type than values are carried in.
                builder => append_kept(builder, text)?,
            }
            Some(text.len())
        });
    }

    fn put_bytes(&mut self, column: usize, bytes: &[u8]) {
        self.put(column, |builder| {
            match builder {
                ColumnBuilder::Bytes(builder) => builder.append_value(bytes),
                _ => return None,
            }
            Some(bytes.len())
        });
    }

    /// A moment of no zone, or one in UTC: days from 1970-01-01 and ticks since midnight.
    fn put_moment(&mut self, column: usize, days: i64, at: i64, text: impl FnOnce() -> String) {
        self.put(column, |builder| {
            match builder {
                ColumnBuilder::Timestamp(builder) => builder.append_value(days * civil::DAY_US + at / 10),
                ColumnBuilder::Date(builder) => builder.append_value(days.try_into().ok()?),
                ColumnBuilder::Text(builder) => builder.append_value(text()),
                _ => return None,
            }
            Some(size_of::<i64>())
        });
    }
}

impl RowWriter for RowSink<'_> {
    fn write_null(&mut self, col: usize) {
        self.put(col, |builder| {
            builder.append_null();
            Some(size_of::<i64>())
        });
    }

    fn write_bool(&mut self, col: usize, val: bool) {
        self.put_integer(col, val.into());
    }

    fn write_u8(&mut self, col: usize, val: u8) {
        self.put_integer(col, val.into());
    }

    fn write_i16(&mut self, col: usize, val: i16) {
        self.put_integer(col, val.into());
    }

    fn write_i32(&mut self, col: usize, val: i32) {
        self.put_integer(col, val.into());
    }

    fn write_i64(&mut self, col: usize, val: i64) {
        self.put_integer(col, val);
    }

    fn write_f32(&mut self, col: usize, val: f32) {
        self.put(col, |builder| {
            match builder {
                ColumnBuilder::Float32(builder) => builder.append_value(val),
                ColumnBuilder::Float64(builder) => builder.append_value(val.into()),
                ColumnBuilder::Text(builder) => builder.append_value(format!("{val:?}")),
                builder => append_kept(builder, &val.to_string())?,
            }
            Some(size_of::<f32>())
        });
    }

    fn write_f64(&mut self, col: usize, val: f64) {
        self.put(col, |builder| {
            match builder {
                ColumnBuilder::Float64(builder) => builder.append_value(val),
                ColumnBuilder::Text(builder) => builder.append_value(format!("{val:?}")),
                builder => append_kept(builder, &val.to_string())?,
            }
            Some(size_of::<f64>())
        });
    }

    fn write_string(&mut self, col: usize, bytes: Cow<'_, [u8]>, encoding_type: EncodingType) {
        match decode_text(&bytes, encoding_type) {
            Some(text) => self.put_text(col, &text),
            None => self.put(col, |_| None),
        }
    }

    fn write_bytes(&mut self, col: usize, bytes: Cow<'_, [u8]>) {
        self.put_bytes(col, &bytes);
    }

    fn write_decimal(&mut self, col: usize, val: DecimalParts) {
        self.put_text(col, &val.to_string());
    }

    fn write_numeric(&mut self, col: usize, val: DecimalParts) {
        self.put_text(col, &val.to_string());
    }

    fn write_date(&mut self, col: usize, val: SqlDate) {
        let days = i64::from(val.get_days()) - EPOCH_DAYS;
        self.put(col, |builder| {
            match builder {
                ColumnBuilder::Date(builder) => builder.append_value(days.try_into().ok()?),
                ColumnBuilder::Timestamp(builder) => builder.append_value(days * civil::DAY_US),
                ColumnBuilder::Text(builder) => builder.append_value(civil::format_date(days)),
                _ => return None,
            }
            Some(size_of::<i32>())
        });
    }

    fn write_time(&mut self, col: usize, val: SqlTime) {
        let at = time_ticks(&val);
        self.put(col, |builder| {
            match builder {
                ColumnBuilder::Time(builder) => builder.append_value(at / 10),
                ColumnBuilder::Text(builder) => builder.append_value(ticks::format_time(at)),
                _ => return None,
            }
            Some(size_of::<i64>())
        });
    }

    fn write_datetime(&mut self, col: usize, val: SqlDateTime) {
        let (days, at) = datetime(&val);
        self.put_moment(col, days, at, || ticks::format_moment(days, at));
    }

    fn write_smalldatetime(&mut self, col: usize, val: SqlSmallDateTime) {
        let (days, at) = smalldatetime(&val);
        self.put_moment(col, days, at, || ticks::format_moment(days, at));
    }

    fn write_datetime2(&mut self, col: usize, val: SqlDateTime2) {
        let (days, at) = (i64::from(val.days) - EPOCH_DAYS, time_ticks(&val.time));
        self.put_moment(col, days, at, || ticks::format_moment(days, at));
    }

    fn write_datetimeoffset(&mut self, col: usize, val: SqlDateTimeOffset) {
        let days = i64::from(val.datetime2.days) - EPOCH_DAYS;
        self.put_moment(col, days, time_ticks(&val.datetime2.time), || offset(&val));
    }

    fn write_money(&mut self, col: usize, val: SqlMoney) {
        let text = text_of(&ColumnValues::Money(val)).unwrap_or_default();
        self.put_text(col, &text);
    }

    fn write_smallmoney(&mut self, col: usize, val: SqlSmallMoney) {
        self.put_text(col, &money(val.int_val.into()));
    }

    fn write_uuid(&mut self, col: usize, val: ::uuid::Uuid) {
        self.put(col, |builder| {
            match builder {
                ColumnBuilder::Uuid(builder) => builder.append_value(val.as_bytes()).ok()?,
                ColumnBuilder::Text(builder) => builder.append_value(val.to_string()),
                _ => return None,
            }
            Some(16)
        });
    }

    fn write_xml(&mut self, col: usize, val: SqlXml) {
        let bytes = if val.has_bom() { &val.bytes[2..] } else { &val.bytes[..] };
        match utf16(bytes) {
            Some(text) => self.put_text(col, &text),
            None => self.put(col, |_| None),
        }
    }

    fn write_json(&mut self, col: usize, val: SqlJson) {
        match std::str::from_utf8(&val.bytes) {
            Ok(text) => self.put_text(col, text),
            Err(_) => self.put(col, |_| None),
        }
    }

    fn write_vector(&mut self, col: usize, _: SqlVector) {
        self.put(col, |_| None);
    }

    fn end_row(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::RowsFrom;
    use crate::model::{Carry, RowRange, TableName};

    fn column(carry: Carry) -> ColumnMapping {
        ColumnMapping {
            source: "c".to_owned(),
            source_native: "x".to_owned(),
            carry,
            target: "c".to_owned(),
            target_native: "y".to_owned(),
            is_nullable: true,
            is_identity: false,
            losses: Vec::new(),
        }
    }

    fn carried(carry: Carry, write: impl FnOnce(&mut RowSink<'_>)) -> Result<Option<String>, Failure> {
        let request = ReadRequest {
            from: RowsFrom::Table(TableName::default()),
            columns: vec![column(carry)],
            range: RowRange::Whole,
            snapshot: None,
            unread: None,
        };
        let mut sink = RowSink::new(&request, vec![Some(0)]);
        write(&mut sink);
        sink.finish_row()?;
        let batch = sink.builder.finish()?;
        Ok(crate::connect::tables::cell_text(carry, batch.column(0), 0))
    }

    #[test]
    fn half_a_pair_is_no_text_and_a_nul_is_one() {
        let text = |units: &[u16]| {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            carried(Carry::Text, |sink| {
                sink.write_string(0, bytes.into(), EncodingType::Utf16)
            })
        };
        assert_eq!(text(&[0xd83d, 0xde00, 0]).unwrap().unwrap(), "😀\0");
        assert_eq!(text(&[0x61, 0xd83d]).unwrap_err().code, "rows.value");
        assert_eq!(text(&[0xde00, 0xd83d]).unwrap_err().code, "rows.value");
    }

    #[test]
    fn old_moments_are_whole_milliseconds() {
        let at = |time| {
            let moment = SqlDateTime { days: -53_690, time };
            carried(Carry::Timestamp, |sink| sink.write_datetime(0, moment))
                .unwrap()
                .unwrap()
        };
        assert_eq!(at(1), "1753-01-01 00:00:00.003");
        assert_eq!(at(2), "1753-01-01 00:00:00.007");
        assert_eq!(at(25_919_999), "1753-01-01 23:59:59.997");
    }

    #[test]
    fn money_has_four_digits_behind_its_point() {
        assert_eq!(money(i64::MAX), "922337203685477.5807");
        assert_eq!(money(i64::MIN), "-922337203685477.5808");
        assert_eq!(money(-1), "-0.0001");
        let halves = SqlMoney {
            msb_part: -1,
            lsb_part: -1,
        };
        let told = carried(Carry::Decimal, |sink| sink.write_money(0, halves));
        assert_eq!(told.unwrap().unwrap(), "-0.0001");
    }

    #[test]
    fn a_column_of_another_type_is_read_in_the_form_that_is_asked_for() {
        let text = |carry, text: &str| {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            carried(carry, |sink| sink.write_string(0, bytes.into(), EncodingType::Utf16))
        };
        assert_eq!(text(Carry::Int64, "-7").unwrap().unwrap(), "-7");
        assert_eq!(text(Carry::Int64, "seven").unwrap_err().code, "rows.value");
        let number = |carry, number| carried(carry, |sink| sink.write_f64(0, number));
        assert_eq!(number(Carry::Int64, 7.0).unwrap().unwrap(), "7");
        assert_eq!(number(Carry::Int64, 7.5).unwrap_err().code, "rows.value");
        let whole = carried(Carry::Float64, |sink| sink.write_i32(0, 7));
        assert_eq!(whole.unwrap().unwrap(), "7");
        let decimal = DecimalParts::new(true, 5, 2, 700);
        let whole = carried(Carry::Int64, |sink| sink.write_decimal(0, decimal));
        assert_eq!(whole.unwrap().unwrap(), "7");
    }

    #[test]
    fn what_a_kind_cannot_hold_is_refused() {
        assert_eq!(
            carried(Carry::Boolean, |sink| sink.write_i32(0, 2)).unwrap_err().code,
            "rows.value"
        );
        assert_eq!(
            carried(Carry::Int16, |sink| sink.write_i32(0, 70_000))
                .unwrap_err()
                .code,
            "rows.value"
        );
        assert_eq!(
            carried(Carry::Text, |sink| sink.write_bytes(0, vec![1].into()))
                .unwrap_err()
                .code,
            "rows.value"
        );
        assert_eq!(
            carried(Carry::Int16, |sink| sink.write_u8(0, 255)).unwrap().unwrap(),
            "255"
        );
    }
}
