//! Files → PostgreSQL.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const FINE: &str = "digits of a second beyond six are cut";
const NUL: &str = "a text with a NUL is refused";
const DOCUMENT: &str = "spaces, the order of keys and repeated keys of documents";
const RANGE: &str = "what lies before 4713 BC is refused";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "boolean"),
    exact("int8", Carry::Int16, "smallint"),
    exact("int16", Carry::Int16, "smallint"),
    exact("int32", Carry::Int32, "integer"),
    exact("int64", Carry::Int64, "bigint"),
    exact("uint8", Carry::Int16, "smallint"),
    exact("uint16", Carry::Int32, "integer"),
    exact("uint32", Carry::Int64, "bigint"),
    exact("uint64", Carry::Decimal, "numeric(20,0)"),
    exact("float32", Carry::Float32, "real"),
    exact("float64", Carry::Float64, "double precision"),
    exact("decimal({p},{s})", Carry::Decimal, "numeric({p},{s})"),
    lossy("text", Carry::Text, "text", NUL),
    lossy("json", Carry::Json, "jsonb", DOCUMENT),
    exact("binary", Carry::Bytes, "bytea"),
    lossy("date", Carry::Date, "date", RANGE),
    exact("time", Carry::Time, "time without time zone"),
    lossy("timestamp", Carry::Timestamp, "timestamp without time zone", RANGE),
    lossy("timestamptz", Carry::Instant, "timestamp with time zone", RANGE),
    exact("uuid", Carry::Uuid, "uuid"),
    lossy("time(ns)", Carry::Time, "time without time zone", FINE),
    lossy("timestamp(ns)", Carry::Timestamp, "timestamp without time zone", FINE),
    lossy("timestamptz(ns)", Carry::Instant, "timestamp with time zone", FINE),
];
