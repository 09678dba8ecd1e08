//! PostgreSQL → PostgreSQL, for rows that are looked at on their way; where nothing needs to be, tables are copied as they are.

use crate::model::Carry;

use super::rule::{Rule, exact};

pub(super) const RULES: &[Rule] = &[
    exact("boolean", Carry::Boolean, "{type}"),
    exact("smallint", Carry::Int16, "{type}"),
    exact("integer", Carry::Int32, "{type}"),
    exact("bigint", Carry::Int64, "{type}"),
    exact("real", Carry::Float32, "{type}"),
    exact("double precision", Carry::Float64, "{type}"),
    exact("numeric", Carry::Decimal, "{type}"),
    exact("numeric({p},{s})", Carry::Decimal, "{type}"),
    exact("text", Carry::Text, "{type}"),
    exact("character varying", Carry::Text, "{type}"),
    exact("character varying({n})", Carry::Text, "{type}"),
    exact("character({n})", Carry::Text, "{type}"),
    exact("bytea", Carry::Bytes, "{type}"),
    exact("json", Carry::Json, "{type}"),
    exact("jsonb", Carry::Json, "{type}"),
    exact("uuid", Carry::Uuid, "{type}"),
    exact("date", Carry::Date, "{type}"),
    exact("time without time zone", Carry::Time, "{type}"),
    exact("time({p}) without time zone", Carry::Time, "{type}"),
    exact("timestamp without time zone", Carry::Timestamp, "{type}"),
    exact("timestamp({p}) without time zone", Carry::Timestamp, "{type}"),
    exact("timestamp with time zone", Carry::Instant, "{type}"),
    exact("timestamp({p}) with time zone", Carry::Instant, "{type}"),
];
