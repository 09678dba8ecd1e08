//! SQLite → MySQL and MariaDB. SQLite does not hold a column to its declared type: a value that is not of it is a bad row, not a guess.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const KEY: &str = "nothing of the value; a key over it needs a length: `types: { text: \"varchar(255)\" }`";
const ANY_LENGTH: &str = "a value longer than declared is refused: SQLite does not keep to the length";
const ANY_SCALE: &str = "digits beyond the scale are rounded: SQLite does not keep to it";
const ZONE: &str = "a zone in the text is taken into account and forgotten; digits of a second beyond six are cut; years outside 0 to 9999 are refused";

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
        "tinyint(1)",
        "a number other than 0 and 1 is refused",
    ),
    lossy("real", Carry::Float64, "double", "the infinities are refused"),
    lossy("double", Carry::Float64, "double", "the infinities are refused"),
    lossy(
        "double precision",
        Carry::Float64,
        "double",
        "the infinities are refused",
    ),
    lossy("float", Carry::Float64, "double", "the infinities are refused"),
    lossy("blob", Carry::Bytes, "longblob", KEY),
    lossy("text", Carry::Text, "longtext", KEY),
    lossy("clob", Carry::Text, "longtext", KEY),
    lossy("varchar({n})", Carry::Text, "varchar({n})", ANY_LENGTH),
    lossy("nvarchar({n})", Carry::Text, "varchar({n})", ANY_LENGTH),
    lossy("char({n})", Carry::Text, "varchar({n})", ANY_LENGTH),
    lossy("character({n})", Carry::Text, "varchar({n})", ANY_LENGTH),
    lossy(
        "json",
        Carry::Json,
        "json",
        "spaces, the order of keys and repeated keys of documents, in MySQL; MariaDB keeps the text",
    ),
    exact("uuid", Carry::Uuid, "char(36)"),
    lossy("date", Carry::Date, "date", "years outside 0 to 9999 are refused"),
    lossy("time", Carry::Time, "time(6)", "digits of a second beyond six are cut"),
    lossy("datetime", Carry::Timestamp, "datetime(6)", ZONE),
    lossy("timestamp", Carry::Timestamp, "datetime(6)", ZONE),
    lossy(
        "numeric",
        Carry::Decimal,
        "decimal(65,30)",
        "digits beyond 30 behind the point are rounded; more than 35 before it are refused",
    ),
    lossy(
        "decimal",
        Carry::Decimal,
        "decimal(65,30)",
        "digits beyond 30 behind the point are rounded; more than 35 before it are refused",
    ),
    lossy("numeric({p})", Carry::Decimal, "decimal({p},0)", ANY_SCALE),
    lossy("decimal({p})", Carry::Decimal, "decimal({p},0)", ANY_SCALE),
    lossy("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})", ANY_SCALE),
    lossy("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})", ANY_SCALE),
];
