//! Files → SQLite. Decimals become texts: as numbers SQLite would keep 15 digits of them.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const FINE: &str = "digits of a second beyond six are cut";
const NAN: &str = "`NaN` becomes NULL";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "boolean"),
    exact("int8", Carry::Int16, "integer"),
    exact("int16", Carry::Int16, "integer"),
    exact("int32", Carry::Int32, "integer"),
    exact("int64", Carry::Int64, "integer"),
    exact("uint8", Carry::Int16, "integer"),
    exact("uint16", Carry::Int32, "integer"),
    exact("uint32", Carry::Int64, "integer"),
    exact("uint64", Carry::Decimal, "text"),
    lossy("float32", Carry::Float32, "real", NAN),
    lossy("float64", Carry::Float64, "double precision", NAN),
    exact("decimal({p},{s})", Carry::Decimal, "text"),
    exact("text", Carry::Text, "text"),
    exact("json", Carry::Json, "text"),
    exact("binary", Carry::Bytes, "blob"),
    exact("date", Carry::Date, "date"),
    exact("time", Carry::Time, "time"),
    exact("timestamp", Carry::Timestamp, "datetime"),
    exact("timestamptz", Carry::Instant, "timestamp"),
    exact("uuid", Carry::Uuid, "uuid"),
    lossy("time(ns)", Carry::Time, "time", FINE),
    lossy("timestamp(ns)", Carry::Timestamp, "datetime", FINE),
    lossy("timestamptz(ns)", Carry::Instant, "timestamp", FINE),
];
