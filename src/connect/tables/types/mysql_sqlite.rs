//! MySQL and MariaDB → SQLite. Decimals and unsigned `bigint` become texts: as numbers SQLite would keep 15 digits of them.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const ZERO_DATE: &str =
    "a zero date, or one with a month or day of 0, becomes NULL, and is refused where NULL is not allowed";

pub(super) const RULES: &[Rule] = &[
    exact("tinyint(1)", Carry::Int16, "boolean"),
    exact("bit(1)", Carry::Boolean, "boolean"),
    exact("tinyint unsigned", Carry::Int16, "integer"),
    exact("tinyint", Carry::Int16, "integer"),
    exact("smallint unsigned", Carry::Int32, "integer"),
    exact("smallint", Carry::Int16, "integer"),
    exact("mediumint unsigned", Carry::Int32, "integer"),
    exact("mediumint", Carry::Int32, "integer"),
    exact("int unsigned", Carry::Int64, "integer"),
    exact("int", Carry::Int32, "integer"),
    exact("bigint unsigned", Carry::Decimal, "text"),
    exact("bigint", Carry::Int64, "integer"),
    exact("bit({n})", Carry::Bytes, "blob"),
    exact("year", Carry::Int16, "integer"),
    exact("float", Carry::Float32, "real"),
    exact("float unsigned", Carry::Float32, "real"),
    exact("float({p},{s})", Carry::Float32, "real"),
    exact("float({p},{s}) unsigned", Carry::Float32, "real"),
    exact("double", Carry::Float64, "double"),
    exact("double unsigned", Carry::Float64, "double"),
    exact("double({p},{s})", Carry::Float64, "double"),
    exact("double({p},{s}) unsigned", Carry::Float64, "double"),
    exact("decimal({p},{s})", Carry::Decimal, "text"),
    exact("decimal({p},{s}) unsigned", Carry::Decimal, "text"),
    exact("char({n})", Carry::Text, "varchar({n})"),
    exact("varchar({n})", Carry::Text, "varchar({n})"),
    exact("tinytext", Carry::Text, "text"),
    exact("text", Carry::Text, "text"),
    exact("mediumtext", Carry::Text, "text"),
    exact("longtext", Carry::Text, "text"),
    exact("json", Carry::Json, "text"),
    lossy(
        "enum{values}",
        Carry::Text,
        "text",
        "the list of values that are allowed",
    ),
    lossy(
        "set{values}",
        Carry::Text,
        "text",
        "the list of values that are allowed",
    ),
    exact("binary({n})", Carry::Bytes, "blob"),
    exact("varbinary({n})", Carry::Bytes, "blob"),
    exact("tinyblob", Carry::Bytes, "blob"),
    exact("blob", Carry::Bytes, "blob"),
    exact("mediumblob", Carry::Bytes, "blob"),
    exact("longblob", Carry::Bytes, "blob"),
    exact("uuid", Carry::Uuid, "uuid"),
    lossy("date", Carry::Date, "date", ZERO_DATE),
    lossy("datetime({p})", Carry::Timestamp, "datetime", ZERO_DATE),
    lossy("datetime", Carry::Timestamp, "datetime", ZERO_DATE),
    lossy("timestamp({p})", Carry::Instant, "timestamp", ZERO_DATE),
    lossy("timestamp", Carry::Instant, "timestamp", ZERO_DATE),
    exact("time({p})", Carry::Text, "text"),
    exact("time", Carry::Text, "text"),
];
