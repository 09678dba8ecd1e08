//! SQLite → SQL Server. SQLite does not hold a column to its declared type: a value that is not of it is a bad row, not a guess.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const KEY: &str = "nothing of the value; a key over it needs a length: `types: { text: \"nvarchar(450)\" }`";
const ANY_LENGTH: &str = "a value longer than declared is refused: SQLite does not keep to the length, and a character outside the first 65,536 counts twice";
const ANY_SCALE: &str = "digits beyond the scale are rounded: SQLite does not keep to it";
const FINITE: &str = "the infinities are refused";
const NO_SCALE: &str = "digits beyond 10 behind the point are rounded; more than 28 before it are refused";
const ZONE: &str = "a zone in the text is taken into account and forgotten; digits of a second beyond six are cut; years outside 1 to 9999 are refused";

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
        "bit",
        "a number other than 0 and 1 is refused",
    ),
    lossy("real", Carry::Float64, "float", FINITE),
    lossy("double", Carry::Float64, "float", FINITE),
    lossy("double precision", Carry::Float64, "float", FINITE),
    lossy("float", Carry::Float64, "float", FINITE),
    lossy("blob", Carry::Bytes, "varbinary(max)", KEY),
    lossy("text", Carry::Text, "nvarchar(max)", KEY),
    lossy("clob", Carry::Text, "nvarchar(max)", KEY),
    lossy("varchar({n})", Carry::Text, "nvarchar({n})", ANY_LENGTH),
    lossy("nvarchar({n})", Carry::Text, "nvarchar({n})", ANY_LENGTH),
    lossy("char({n})", Carry::Text, "nvarchar({n})", ANY_LENGTH),
    lossy("character({n})", Carry::Text, "nvarchar({n})", ANY_LENGTH),
    exact("json", Carry::Json, "nvarchar(max)"),
    exact("uuid", Carry::Uuid, "uniqueidentifier"),
    lossy("date", Carry::Date, "date", "years outside 1 to 9999 are refused"),
    lossy(
        "time",
        Carry::Time,
        "time(6)",
        "digits of a second beyond six are cut; 24:00 is refused",
    ),
    lossy("datetime", Carry::Timestamp, "datetime2(6)", ZONE),
    lossy("timestamp", Carry::Timestamp, "datetime2(6)", ZONE),
    lossy("numeric", Carry::Decimal, "decimal(38,10)", NO_SCALE),
    lossy("decimal", Carry::Decimal, "decimal(38,10)", NO_SCALE),
    lossy("numeric({p})", Carry::Decimal, "decimal({p},0)", ANY_SCALE),
    lossy("decimal({p})", Carry::Decimal, "decimal({p},0)", ANY_SCALE),
    lossy("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})", ANY_SCALE),
    lossy("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})", ANY_SCALE),
];
