//! PostgreSQL → SQLite. Numerics become texts: as numbers SQLite would keep 15 digits of them.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const NAN: &str = "`NaN` becomes NULL";

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "boolean"),
    exact("smallint", Carry::Int16, "integer"),
    exact("integer", Carry::Int32, "integer"),
    exact("bigint", Carry::Int64, "integer"),
    lossy("real", Carry::Float32, "real", NAN),
    lossy("double precision", Carry::Float64, "double precision", NAN),
    exact("numeric", Carry::Decimal, "text"),
    exact("numeric({p},{s})", Carry::Decimal, "text"),
    exact("text", Carry::Text, "text"),
    exact("character varying", Carry::Text, "text"),
    exact("character varying({n})", Carry::Text, "varchar({n})"),
    exact("character({n})", Carry::Text, "char({n})"),
    exact("bytea", Carry::Bytes, "blob"),
    exact("json", Carry::Json, "text"),
    exact("jsonb", Carry::Json, "text"),
    exact("uuid", Carry::Uuid, "uuid"),
    exact("date", Carry::Date, "date"),
    exact("time without time zone", Carry::Time, "time"),
    exact("time({p}) without time zone", Carry::Time, "time"),
    exact("timestamp without time zone", Carry::Timestamp, "datetime"),
    exact("timestamp({p}) without time zone", Carry::Timestamp, "datetime"),
    exact("timestamp with time zone", Carry::Instant, "timestamp"),
    exact("timestamp({p}) with time zone", Carry::Instant, "timestamp"),
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
