//! SQLite → files. SQLite does not hold a column to its declared type: a value that is not of it is a bad row, not a guess.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const ZONE: &str = "a zone in the text is taken into account and forgotten; digits of a second beyond six are cut";
const SCALE: &str = "a value with more digits than declared is refused: SQLite does not keep to them";
const AS_TEXT: &str = "nothing of the value; it is written as text, because the column says neither digits nor scale";

pub(super) const RULES: &[Rule] = &[
    exact("integer", Carry::Int64, "int64"),
    exact("int", Carry::Int64, "int64"),
    exact("bigint", Carry::Int64, "int64"),
    exact("mediumint", Carry::Int64, "int64"),
    exact("smallint", Carry::Int64, "int64"),
    exact("tinyint", Carry::Int64, "int64"),
    lossy(
        "boolean",
        Carry::Boolean,
        "boolean",
        "a number other than 0 and 1 is refused",
    ),
    exact("real", Carry::Float64, "float64"),
    exact("double", Carry::Float64, "float64"),
    exact("double precision", Carry::Float64, "float64"),
    exact("float", Carry::Float64, "float64"),
    exact("blob", Carry::Bytes, "binary"),
    exact("text", Carry::Text, "text"),
    exact("clob", Carry::Text, "text"),
    exact("varchar({n})", Carry::Text, "text"),
    exact("nvarchar({n})", Carry::Text, "text"),
    exact("char({n})", Carry::Text, "text"),
    exact("character({n})", Carry::Text, "text"),
    exact("json", Carry::Json, "json"),
    exact("uuid", Carry::Uuid, "uuid"),
    exact("date", Carry::Date, "date"),
    lossy("time", Carry::Time, "time", "digits of a second beyond six are cut"),
    lossy("datetime", Carry::Timestamp, "timestamp", ZONE),
    lossy("timestamp", Carry::Timestamp, "timestamp", ZONE),
    lossy("numeric", Carry::Decimal, "text", AS_TEXT),
    lossy("decimal", Carry::Decimal, "text", AS_TEXT),
    lossy("numeric({p})", Carry::Decimal, "decimal({p},0)", SCALE),
    lossy("decimal({p})", Carry::Decimal, "decimal({p},0)", SCALE),
    lossy("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})", SCALE),
    lossy("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})", SCALE),
];
