//! Files → files.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const FINE: &str = "digits of a second beyond six are cut";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "boolean"),
    exact("int8", Carry::Int16, "int16"),
    exact("int16", Carry::Int16, "int16"),
    exact("int32", Carry::Int32, "int32"),
    exact("int64", Carry::Int64, "int64"),
    exact("uint8", Carry::Int16, "int16"),
    exact("uint16", Carry::Int32, "int32"),
    exact("uint32", Carry::Int64, "int64"),
    exact("uint64", Carry::Decimal, "decimal(20,0)"),
    exact("float32", Carry::Float32, "float32"),
    exact("float64", Carry::Float64, "float64"),
    exact("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})"),
    exact("text", Carry::Text, "text"),
    exact("json", Carry::Json, "json"),
    exact("binary", Carry::Bytes, "binary"),
    exact("date", Carry::Date, "date"),
    exact("time", Carry::Time, "time"),
    exact("timestamp", Carry::Timestamp, "timestamp"),
    exact("timestamptz", Carry::Instant, "timestamptz"),
    exact("uuid", Carry::Uuid, "uuid"),
    lossy("time(ns)", Carry::Time, "time", FINE),
    lossy("timestamp(ns)", Carry::Timestamp, "timestamp", FINE),
    lossy("timestamptz(ns)", Carry::Instant, "timestamptz", FINE),
];
