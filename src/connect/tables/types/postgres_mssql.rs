//! PostgreSQL → SQL Server. A moment with a zone becomes a `datetimeoffset` in UTC.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const KEY: &str = "nothing of the value; a key over it needs a length: `types: { text: \"nvarchar(450)\" }`";
const TWICE: &str = "a text is refused that is too long because a character outside the first 65,536 counts twice";
const FINITE: &str = "`NaN` and the infinities are refused";
const DIGITS: &str = "`NaN` and the infinities are refused; a precision above 38 needs a type of its own in `types`";
const NO_SCALE: &str =
    "digits beyond 10 behind the point are rounded; more than 28 before it, `NaN` and the infinities are refused";
const YEARS: &str = "`infinity`, and what lies outside the years 1 to 9999, is refused";
const MIDNIGHT: &str = "24:00 is refused";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "bit"),
    exact("smallint", Carry::Int16, "smallint"),
    exact("integer", Carry::Int32, "int"),
    exact("bigint", Carry::Int64, "bigint"),
    lossy("real", Carry::Float32, "real", FINITE),
    lossy("double precision", Carry::Float64, "float", FINITE),
    lossy("numeric", Carry::Decimal, "decimal(38,10)", NO_SCALE),
    lossy("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})", DIGITS),
    lossy("text", Carry::Text, "nvarchar(max)", KEY),
    lossy("character varying", Carry::Text, "nvarchar(max)", KEY),
    lossy("character varying({n})", Carry::Text, "nvarchar({n})", TWICE),
    lossy("character({n})", Carry::Text, "nvarchar({n})", TWICE),
    lossy("bytea", Carry::Bytes, "varbinary(max)", KEY),
    exact("json", Carry::Json, "nvarchar(max)"),
    exact("jsonb", Carry::Json, "nvarchar(max)"),
    exact("uuid", Carry::Uuid, "uniqueidentifier"),
    lossy("date", Carry::Date, "date", YEARS),
    lossy("time without time zone", Carry::Time, "time(6)", MIDNIGHT),
    lossy("time({p}) without time zone", Carry::Time, "time({p})", MIDNIGHT),
    lossy("timestamp without time zone", Carry::Timestamp, "datetime2(6)", YEARS),
    lossy(
        "timestamp({p}) without time zone",
        Carry::Timestamp,
        "datetime2({p})",
        YEARS,
    ),
    lossy("timestamp with time zone", Carry::Instant, "datetimeoffset(6)", YEARS),
    lossy(
        "timestamp({p}) with time zone",
        Carry::Instant,
        "datetimeoffset({p})",
        YEARS,
    ),
    exact("interval", Carry::Text, "nvarchar(max)"),
    exact("interval({p})", Carry::Text, "nvarchar(max)"),
    exact("time with time zone", Carry::Text, "nvarchar(max)"),
    exact("time({p}) with time zone", Carry::Text, "nvarchar(max)"),
    exact("inet", Carry::Text, "nvarchar(max)"),
    exact("cidr", Carry::Text, "nvarchar(max)"),
    exact("macaddr", Carry::Text, "nvarchar(max)"),
    exact("macaddr8", Carry::Text, "nvarchar(max)"),
    exact("money", Carry::Text, "nvarchar(max)"),
    exact("xml", Carry::Text, "nvarchar(max)"),
    exact("bit({n})", Carry::Text, "nvarchar(max)"),
    exact("bit varying", Carry::Text, "nvarchar(max)"),
    exact("bit varying({n})", Carry::Text, "nvarchar(max)"),
    exact("{t}[]", Carry::Text, "nvarchar(max)"),
    exact("{t}({n})[]", Carry::Text, "nvarchar(max)"),
];
