//! PostgreSQL → files.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const NO_NAN: &str = "`NaN` and the infinities are refused";
const ENDLESS: &str = "`infinity` and `-infinity` become the greatest and the least value that the column can hold";
const AS_TEXT: &str = "nothing of the value; it is written as text, because the column says neither digits nor scale";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "boolean"),
    exact("smallint", Carry::Int16, "int16"),
    exact("integer", Carry::Int32, "int32"),
    exact("bigint", Carry::Int64, "int64"),
    exact("real", Carry::Float32, "float32"),
    exact("double precision", Carry::Float64, "float64"),
    lossy("numeric", Carry::Decimal, "text", AS_TEXT),
    lossy("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})", NO_NAN),
    exact("text", Carry::Text, "text"),
    exact("character varying", Carry::Text, "text"),
    exact("character varying({n})", Carry::Text, "text"),
    exact("character({n})", Carry::Text, "text"),
    exact("bytea", Carry::Bytes, "binary"),
    exact("json", Carry::Json, "json"),
    exact("jsonb", Carry::Json, "json"),
    exact("uuid", Carry::Uuid, "uuid"),
    lossy("date", Carry::Date, "date", ENDLESS),
    exact("time without time zone", Carry::Time, "time"),
    exact("time({p}) without time zone", Carry::Time, "time"),
    lossy("timestamp without time zone", Carry::Timestamp, "timestamp", ENDLESS),
    lossy(
        "timestamp({p}) without time zone",
        Carry::Timestamp,
        "timestamp",
        ENDLESS,
    ),
    lossy("timestamp with time zone", Carry::Instant, "timestamptz", ENDLESS),
    lossy("timestamp({p}) with time zone", Carry::Instant, "timestamptz", ENDLESS),
    exact("interval", Carry::Text, "text"),
    exact("interval({p})", Carry::Text, "text"),
    exact("time with time zone", Carry::Text, "text"),
    exact("time({p}) with time zone", Carry::Text, "text"),
    exact("inet", Carry::Text, "text"),
    exact("cidr", Carry::Text, "text"),
    exact("macaddr", Carry::Text, "text"),
    exact("macaddr8", Carry::Text, "text"),
    exact("money", Carry::Text, "text"),
    exact("xml", Carry::Text, "text"),
    exact("bit({n})", Carry::Text, "text"),
    exact("bit varying", Carry::Text, "text"),
    exact("bit varying({n})", Carry::Text, "text"),
    exact("{t}[]", Carry::Text, "text"),
    exact("{t}({n})[]", Carry::Text, "text"),
];
