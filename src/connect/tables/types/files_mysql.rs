//! Files → MySQL and MariaDB. A moment in time becomes a `datetime` in UTC: their `timestamp` ends in 2038.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const FINE: &str = "digits of a second beyond six are cut";
const FINITE: &str = "`NaN` and the infinities are refused";
const YEARS: &str = "`infinity`, and what lies outside the years 0 to 9999, is refused";
const DOCUMENT: &str = "spaces, the order of keys and repeated keys of documents, in MySQL; MariaDB keeps the text";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "tinyint(1)"),
    exact("int8", Carry::Int16, "smallint"),
    exact("int16", Carry::Int16, "smallint"),
    exact("int32", Carry::Int32, "int"),
    exact("int64", Carry::Int64, "bigint"),
    exact("uint8", Carry::Int16, "smallint"),
    exact("uint16", Carry::Int32, "int"),
    exact("uint32", Carry::Int64, "bigint"),
    exact("uint64", Carry::Decimal, "decimal(20,0)"),
    lossy("float32", Carry::Float32, "float", FINITE),
    lossy("float64", Carry::Float64, "double", FINITE),
    exact("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})"),
    exact("text", Carry::Text, "longtext"),
    lossy("json", Carry::Json, "json", DOCUMENT),
    exact("binary", Carry::Bytes, "longblob"),
    lossy("date", Carry::Date, "date", YEARS),
    exact("time", Carry::Time, "time(6)"),
    lossy("timestamp", Carry::Timestamp, "datetime(6)", YEARS),
    lossy("timestamptz", Carry::Instant, "datetime(6)", YEARS),
    exact("uuid", Carry::Uuid, "char(36)"),
    lossy("time(ns)", Carry::Time, "time(6)", FINE),
    lossy("timestamp(ns)", Carry::Timestamp, "datetime(6)", FINE),
    lossy("timestamptz(ns)", Carry::Instant, "datetime(6)", FINE),
];
