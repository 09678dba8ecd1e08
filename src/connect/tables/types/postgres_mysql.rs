//! PostgreSQL → MySQL and MariaDB. A moment with a zone becomes a `datetime` in UTC: their `timestamp` ends in 2038.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const FINITE: &str = "`NaN` and the infinities are refused";
const YEARS: &str = "`infinity`, and what lies outside the years 0 to 9999, is refused";
const KEY: &str = "nothing of the value; a key over it needs a length: `types: { text: \"varchar(255)\" }`";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "tinyint(1)"),
    exact("smallint", Carry::Int16, "smallint"),
    exact("integer", Carry::Int32, "int"),
    exact("bigint", Carry::Int64, "bigint"),
    lossy("real", Carry::Float32, "float", FINITE),
    lossy("double precision", Carry::Float64, "double", FINITE),
    lossy(
        "numeric",
        Carry::Decimal,
        "decimal(65,30)",
        "digits beyond 30 behind the point are rounded; more than 35 before it, `NaN` and the infinities are refused",
    ),
    lossy("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})", FINITE),
    lossy("text", Carry::Text, "longtext", KEY),
    lossy("character varying", Carry::Text, "longtext", KEY),
    exact("character varying({n})", Carry::Text, "varchar({n})"),
    exact("character({n})", Carry::Text, "varchar({n})"),
    lossy("bytea", Carry::Bytes, "longblob", KEY),
    lossy(
        "json",
        Carry::Json,
        "json",
        "spaces, the order of keys and repeated keys of documents, in MySQL; MariaDB keeps the text",
    ),
    exact("jsonb", Carry::Json, "json"),
    exact("uuid", Carry::Uuid, "char(36)"),
    lossy("date", Carry::Date, "date", YEARS),
    exact("time without time zone", Carry::Time, "time(6)"),
    exact("time({p}) without time zone", Carry::Time, "time({p})"),
    lossy("timestamp without time zone", Carry::Timestamp, "datetime(6)", YEARS),
    lossy(
        "timestamp({p}) without time zone",
        Carry::Timestamp,
        "datetime({p})",
        YEARS,
    ),
    lossy("timestamp with time zone", Carry::Instant, "datetime(6)", YEARS),
    lossy("timestamp({p}) with time zone", Carry::Instant, "datetime({p})", YEARS),
    exact("interval", Carry::Text, "longtext"),
    exact("interval({p})", Carry::Text, "longtext"),
    exact("time with time zone", Carry::Text, "longtext"),
    exact("time({p}) with time zone", Carry::Text, "longtext"),
    exact("inet", Carry::Text, "longtext"),
    exact("cidr", Carry::Text, "longtext"),
    exact("macaddr", Carry::Text, "longtext"),
    exact("macaddr8", Carry::Text, "longtext"),
    exact("money", Carry::Text, "longtext"),
    exact("xml", Carry::Text, "longtext"),
    exact("bit({n})", Carry::Text, "longtext"),
    exact("bit varying", Carry::Text, "longtext"),
    exact("bit varying({n})", Carry::Text, "longtext"),
    exact("{t}[]", Carry::Text, "longtext"),
    exact("{t}({n})[]", Carry::Text, "longtext"),
];
