//! SQLite → SQLite. Values keep the declared type of their column; SQLite's affinity gives each the same storage class again.

use crate::model::Carry;

use super::rule::{Rule, exact};

pub(super) const RULES: &[Rule] = &[
    exact("integer", Carry::Int64, "{type}"),
    exact("int", Carry::Int64, "{type}"),
    exact("bigint", Carry::Int64, "{type}"),
    exact("smallint", Carry::Int64, "{type}"),
    exact("tinyint", Carry::Int64, "{type}"),
    exact("mediumint", Carry::Int64, "{type}"),
    exact("boolean", Carry::Int64, "{type}"),
    exact("real", Carry::Float64, "{type}"),
    exact("double", Carry::Float64, "{type}"),
    exact("double precision", Carry::Float64, "{type}"),
    exact("float", Carry::Float64, "{type}"),
    exact("blob", Carry::Bytes, "{type}"),
    exact("text", Carry::Text, "{type}"),
    exact("varchar({n})", Carry::Text, "{type}"),
    exact("char({n})", Carry::Text, "{type}"),
    exact("character({n})", Carry::Text, "{type}"),
    exact("nvarchar({n})", Carry::Text, "{type}"),
    exact("clob", Carry::Text, "{type}"),
    exact("json", Carry::Text, "{type}"),
    exact("uuid", Carry::Text, "{type}"),
    exact("date", Carry::Text, "{type}"),
    exact("time", Carry::Text, "{type}"),
    exact("datetime", Carry::Text, "{type}"),
    exact("timestamp", Carry::Text, "{type}"),
    exact("numeric", Carry::Decimal, "{type}"),
    exact("decimal", Carry::Decimal, "{type}"),
    exact("numeric({p})", Carry::Decimal, "{type}"),
    exact("decimal({p})", Carry::Decimal, "{type}"),
    exact("numeric({p},{s})", Carry::Decimal, "{type}"),
    exact("decimal({p},{s})", Carry::Decimal, "{type}"),
];
