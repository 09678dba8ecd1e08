//! SQLite → PostgreSQL. SQLite does not hold a column to its declared type: a value that is not of it is a bad row, not a guess.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const ANY_LENGTH: &str = "a value longer than declared is refused: SQLite does not keep to the length";

pub(super) const RULES: &[Rule] = &[
    exact("integer", Carry::Int64, "bigint"),
    exact("int", Carry::Int64, "bigint"),
    exact("bigint", Carry::Int64, "bigint"),
    exact("mediumint", Carry::Int64, "bigint"),
    exact("smallint", Carry::Int64, "bigint"),
    exact("tinyint", Carry::Int64, "bigint"),
    lossy(
        "boolean",
        Carry::Boolean,
        "boolean",
        "a number other than 0 and 1 is refused",
    ),
    exact("real", Carry::Float64, "double precision"),
    exact("double", Carry::Float64, "double precision"),
    exact("double precision", Carry::Float64, "double precision"),
    exact("float", Carry::Float64, "double precision"),
    exact("blob", Carry::Bytes, "bytea"),
    lossy("text", Carry::Text, "text", "a text with a NUL is refused"),
    lossy("clob", Carry::Text, "text", "a text with a NUL is refused"),
    lossy("varchar({n})", Carry::Text, "character varying({n})", ANY_LENGTH),
    lossy("nvarchar({n})", Carry::Text, "character varying({n})", ANY_LENGTH),
    lossy("char({n})", Carry::Text, "character varying({n})", ANY_LENGTH),
    lossy("character({n})", Carry::Text, "character varying({n})", ANY_LENGTH),
    lossy(
        "json",
        Carry::Json,
        "jsonb",
        "spaces, the order of keys and repeated keys of documents",
    ),
    exact("uuid", Carry::Uuid, "uuid"),
    exact("date", Carry::Date, "date"),
    lossy(
        "time",
        Carry::Time,
        "time without time zone",
        "digits of a second beyond six are cut",
    ),
    lossy(
        "datetime",
        Carry::Timestamp,
        "timestamp without time zone",
        "a zone in the text is taken into account and forgotten; digits of a second beyond six are cut",
    ),
    lossy(
        "timestamp",
        Carry::Timestamp,
        "timestamp without time zone",
        "a zone in the text is taken into account and forgotten; digits of a second beyond six are cut",
    ),
    exact("numeric", Carry::Decimal, "numeric"),
    exact("decimal", Carry::Decimal, "numeric"),
    exact("numeric({p})", Carry::Decimal, "numeric({p},0)"),
    exact("decimal({p})", Carry::Decimal, "numeric({p},0)"),
    lossy(
        "numeric({p},{s})",
        Carry::Decimal,
        "numeric({p},{s})",
        "digits beyond the scale are rounded: SQLite does not keep to it",
    ),
    lossy(
        "decimal({p},{s})",
        Carry::Decimal,
        "numeric({p},{s})",
        "digits beyond the scale are rounded: SQLite does not keep to it",
    ),
];
