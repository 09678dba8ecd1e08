use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, FixedSizeBinaryBuilder, Float32Builder, Float64Builder, Int16Builder,
    Int32Builder, Int64Builder, StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

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
        match carry {
            Carry::Boolean => Self::Boolean(BooleanBuilder::new()),
            Carry::Int16 => Self::Int16(Int16Builder::new()),
            Carry::Int32 => Self::Int32(Int32Builder::new()),
            Carry::Int64 => Self::Int64(Int64Builder::new()),
            Carry::Float32 => Self::Float32(Float32Builder::new()),
            Carry::Float64 => Self::Float64(Float64Builder::new()),
            Carry::Decimal | Carry::Text | Carry::Json => Self::Text(StringBuilder::new()),
            Carry::Bytes => Self::Bytes(BinaryBuilder::new()),
            Carry::Date => Self::Date(Date32Builder::new()),
            Carry::Time => Self::Time(Time64MicrosecondBuilder::new()),
            Carry::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            Carry::Instant => Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Carry::Uuid => Self::Uuid(FixedSizeBinaryBuilder::new(16)),
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
    pub columns: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

impl BatchBuilder {
    pub fn new(columns: &[ColumnMapping]) -> Self {
        Self {
            schema: schema(columns),
            columns: columns.iter().map(|column| ColumnBuilder::new(column.carry)).collect(),
            rows: 0,
            bytes: 0,
        }
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

    /// Gives the rows so far and begins a new batch.
    ///
    /// # Errors
    /// `rows.shape`: the columns do not have the same length, which is a defect of the reader.
    pub fn finish(&mut self) -> Result<RecordBatch, Failure> {
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| Failure::permanent("rows.shape", format!("a batch does not fit its columns: {error}")))
    }
}
