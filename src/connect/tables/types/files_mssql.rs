//! Files → SQL Server.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const KEY: &str = "nothing of the value; a key over it needs a length: `types: { text: \"nvarchar(450)\" }`";
const FINITE: &str = "`NaN` and the infinities are refused";
const YEARS: &str = "years outside 1 to 9999 are refused";
const FINE: &str = "digits of a second beyond six are cut; years outside 1 to 9999 are refused";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "bit"),
    exact("int8", Carry::Int16, "smallint"),
    exact("int16", Carry::Int16, "smallint"),
    exact("int32", Carry::Int32, "int"),
    exact("int64", Carry::Int64, "bigint"),
    exact("uint8", Carry::Int16, "smallint"),
    exact("uint16", Carry::Int32, "int"),
    exact("uint32", Carry::Int64, "bigint"),
    exact("uint64", Carry::Decimal, "decimal(20,0)"),
    lossy("float32", Carry::Float32, "real", FINITE),
    lossy("float64", Carry::Float64, "float", FINITE),
    exact("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})"),
    lossy("text", Carry::Text, "nvarchar(max)", KEY),
    exact("json", Carry::Json, "nvarchar(max)"),
    lossy("binary", Carry::Bytes, "varbinary(max)", KEY),
    lossy("date", Carry::Date, "date", YEARS),
    lossy("time", Carry::Time, "time(6)", "24:00 is refused"),
    lossy("timestamp", Carry::Timestamp, "datetime2(6)", YEARS),
    lossy("timestamptz", Carry::Instant, "datetimeoffset(6)", YEARS),
    exact("uuid", Carry::Uuid, "uniqueidentifier"),
    lossy(
        "time(ns)",
        Carry::Time,
        "time(6)",
        "digits of a second beyond six are cut",
    ),
    lossy("timestamp(ns)", Carry::Timestamp, "datetime2(6)", FINE),
    lossy("timestamptz(ns)", Carry::Instant, "datetimeoffset(6)", FINE),
];
