/// How the values of a column travel between two databases; each is one Arrow type.
///
/// What Arrow cannot hold travels as [`Carry::Text`] in the form that its pair's type table names: numerics of any precision with `NaN` and
/// infinities, intervals, ranges. Dates and timestamps keep the extremes of their integers for the two infinities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carry {
    Boolean,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    /// A decimal number as text: digits, sign and point, or `NaN`, `Infinity`, `-Infinity`. Arrow: `Utf8`.
    Decimal,
    /// Arrow: `Utf8`.
    Text,
    /// A JSON document as text. Arrow: `Utf8`.
    Json,
    /// Arrow: `Binary`.
    Bytes,
    /// Days since 1970-01-01. Arrow: `Date32`.
    Date,
    /// Microseconds since midnight. Arrow: `Time64(µs)`.
    Time,
    /// Microseconds since 1970-01-01 00:00, of no zone. Arrow: `Timestamp(µs)`.
    Timestamp,
    /// Microseconds since 1970-01-01 00:00 UTC. Arrow: `Timestamp(µs, UTC)`.
    Instant,
    /// 16 bytes, in the order in which its text is written. Arrow: `FixedSizeBinary(16)`.
    Uuid,
}

impl Carry {
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Json => "json",
            Self::Bytes => "bytes",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Instant => "instant",
            Self::Uuid => "uuid",
        }
    }
}
