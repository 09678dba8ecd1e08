//! MySQL and MariaDB → files. A time is text because it goes beyond 24 hours here.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const ZERO_DATE: &str =
    "a zero date, or one with a month or day of 0, becomes NULL, and is refused where NULL is not allowed";

pub(super) const RULES: &[Rule] = &[
    exact("tinyint(1)", Carry::Int16, "int16"),
    exact("bit(1)", Carry::Boolean, "boolean"),
    exact("tinyint unsigned", Carry::Int16, "int16"),
    exact("tinyint", Carry::Int16, "int16"),
    exact("smallint unsigned", Carry::Int32, "int32"),
    exact("smallint", Carry::Int16, "int16"),
    exact("mediumint unsigned", Carry::Int32, "int32"),
    exact("mediumint", Carry::Int32, "int32"),
    exact("int unsigned", Carry::Int64, "int64"),
    exact("int", Carry::Int32, "int32"),
    exact("bigint unsigned", Carry::Decimal, "decimal(20,0)"),
    exact("bigint", Carry::Int64, "int64"),
    exact("bit({n})", Carry::Bytes, "binary"),
    exact("year", Carry::Int16, "int16"),
    exact("float", Carry::Float32, "float32"),
    exact("float unsigned", Carry::Float32, "float32"),
    exact("float({p},{s})", Carry::Float32, "float32"),
    exact("float({p},{s}) unsigned", Carry::Float32, "float32"),
    exact("double", Carry::Float64, "float64"),
    exact("double unsigned", Carry::Float64, "float64"),
    exact("double({p},{s})", Carry::Float64, "float64"),
    exact("double({p},{s}) unsigned", Carry::Float64, "float64"),
    exact("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})"),
    exact("decimal({p},{s}) unsigned", Carry::Decimal, "decimal({p},{s})"),
    exact("char({n})", Carry::Text, "text"),
    exact("varchar({n})", Carry::Text, "text"),
    exact("tinytext", Carry::Text, "text"),
    exact("text", Carry::Text, "text"),
    exact("mediumtext", Carry::Text, "text"),
    exact("longtext", Carry::Text, "text"),
    exact("json", Carry::Json, "json"),
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
    exact("binary({n})", Carry::Bytes, "binary"),
    exact("varbinary({n})", Carry::Bytes, "binary"),
    exact("tinyblob", Carry::Bytes, "binary"),
    exact("blob", Carry::Bytes, "binary"),
    exact("mediumblob", Carry::Bytes, "binary"),
    exact("longblob", Carry::Bytes, "binary"),
    exact("uuid", Carry::Uuid, "uuid"),
    lossy("date", Carry::Date, "date", ZERO_DATE),
    lossy("datetime({p})", Carry::Timestamp, "timestamp", ZERO_DATE),
    lossy("datetime", Carry::Timestamp, "timestamp", ZERO_DATE),
    lossy("timestamp({p})", Carry::Instant, "timestamptz", ZERO_DATE),
    lossy("timestamp", Carry::Instant, "timestamptz", ZERO_DATE),
    exact("time({p})", Carry::Text, "text"),
    exact("time", Carry::Text, "text"),
];
