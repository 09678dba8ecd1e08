use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, FixedSizeBinaryBuilder, Float32Builder, Float64Builder, Int16Builder,
    Int32Builder, Int64Builder, StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::unread::{UnreadRows, UnreadValues};
use crate::model::{Carry, ColumnMapping, Failure};

/// Rows in one batch.
pub const ROWS_MAX: usize = 8_192;

/// Bytes after which a batch is given on although it has fewer rows: wide rows must not make it large.
pub const BYTES_MAX: usize = 1 << 20;

/// The Arrow type of a carry.
pub fn data_type(carry: Carry) -> DataType {
    match carry {
        Carry::Boolean => DataType::Boolean,
        Carry::Int16 => DataType::Int16,
        Carry::Int32 => DataType::Int32,
        Carry::Int64 => DataType::Int64,
        Carry::Float32 => DataType::Float32,
        Carry::Float64 => DataType::Float64,
        Carry::Decimal | Carry::Text | Carry::Json => DataType::Utf8,
        Carry::Bytes => DataType::Binary,
        Carry::Date => DataType::Date32,
        Carry::Time => DataType::Time64(TimeUnit::Microsecond),
        Carry::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Carry::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Carry::Uuid => DataType::FixedSizeBinary(16),
    }
}

/// The Arrow schema of mapped columns, under their names at the sink.
pub fn schema(columns: &[ColumnMapping]) -> SchemaRef {
    let fields: Vec<Field> = columns
        .iter()
        .map(|column| Field::new(&column.target, data_type(column.carry), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The values of one column of a batch that is being filled.
#[derive(Debug)]
pub enum ColumnBuilder {
    Boolean(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    /// Text, JSON and decimals.
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    /// With and without a zone.
    Timestamp(TimestampMicrosecondBuilder),
    Uuid(FixedSizeBinaryBuilder),
}

impl ColumnBuilder {
    pub fn new(carry: Carry) -> Self {
        Self::with_capacity(carry, 0, 0)
    }

    /// One that has room for so many rows, and so many bytes in all where values are of any length.
    pub fn with_capacity(carry: Carry, rows: usize, bytes: usize) -> Self {
        match carry {
            Carry::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            Carry::Int16 => Self::Int16(Int16Builder::with_capacity(rows)),
            Carry::Int32 => Self::Int32(Int32Builder::with_capacity(rows)),
            Carry::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            Carry::Float32 => Self::Float32(Float32Builder::with_capacity(rows)),
            Carry::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            Carry::Decimal | Carry::Text | Carry::Json => Self::Text(StringBuilder::with_capacity(rows, bytes)),
            Carry::Bytes => Self::Bytes(BinaryBuilder::with_capacity(rows, bytes)),
            Carry::Date => Self::Date(Date32Builder::with_capacity(rows)),
            Carry::Time => Self::Time(Time64MicrosecondBuilder::with_capacity(rows)),
            Carry::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::with_capacity(rows)),
            Carry::Instant => Self::Timestamp(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC")),
            Carry::Uuid => Self::Uuid(FixedSizeBinaryBuilder::with_capacity(rows, 16)),
        }
    }

    /// Bytes of the values so far, where they are of any length.
    fn bytes(&self) -> usize {
        match self {
            Self::Text(builder) => builder.values_slice().len(),
            Self::Bytes(builder) => builder.values_slice().len(),
            _ => 0,
        }
    }

    pub fn append_null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Bytes(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
            Self::Uuid(builder) => builder.append_null(),
        }
    }

    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int16(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::Float32(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
            Self::Uuid(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Fills batches row by row.
#[derive(Debug)]
pub struct BatchBuilder {
    schema: SchemaRef,
    carries: Vec<Carry>,
    pub columns: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
    /// Where rows go of which a value cannot be read.
    aside: Option<UnreadRows>,
    unread: UnreadValues,
}

impl BatchBuilder {
    /// `aside`: where rows go of which a value cannot be read; absent, the first such value is the reader's failure.
    pub fn new(columns: &[ColumnMapping], aside: Option<UnreadRows>) -> Self {
        Self {
            schema: schema(columns),
            carries: columns.iter().map(|column| column.carry).collect(),
            columns: columns.iter().map(|column| ColumnBuilder::new(column.carry)).collect(),
            rows: 0,
            bytes: 0,
            aside,
            unread: UnreadValues::default(),
        }
    }

    /// Has a value of the row that is being filled for one that cannot be read: there is NULL in its place, and the row is set aside.
    ///
    /// # Errors
    /// The failure itself, where rows are not set aside.
    pub fn append_unread(&mut self, place: usize, failure: Failure) -> Result<(), Failure> {
        let (Some(_), Some(column)) = (&self.aside, self.columns.get_mut(place)) else {
            return Err(failure);
        };
        column.append_null();
        self.unread.note(self.rows, place, failure);
        Ok(())
    }

    /// Ends a row of about so many bytes, whose values have all been appended. True when the batch is to be given on.
    pub fn end_row(&mut self, bytes: usize) -> bool {
        self.rows += 1;
        self.bytes += bytes;
        self.rows >= ROWS_MAX || self.bytes >= BYTES_MAX
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Gives the rows so far, without those that are set aside, and begins a new batch, with room for as many.
    ///
    /// # Errors
    /// `rows.shape`: the columns do not have the same length, which is a defect of the reader.
    pub fn finish(&mut self) -> Result<RecordBatch, Failure> {
        let columns = self.columns.iter_mut().zip(&self.carries);
        let arrays = columns.map(|(column, carry)| {
            let bytes = column.bytes();
            let values = column.finish();
            // A sixteenth more, because rows are not all of one length.
            *column = ColumnBuilder::with_capacity(*carry, self.rows, bytes + bytes / 16);
            values
        });
        let arrays = arrays.collect();
        (self.rows, self.bytes) = (0, 0);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| Failure::permanent("rows.shape", format!("a batch does not fit its columns: {error}")))?;
        match &self.aside {
            Some(aside) if !self.unread.is_empty() => aside.sift(&batch, std::mem::take(&mut self.unread)),
            _ => Ok(batch),
        }
    }
}
