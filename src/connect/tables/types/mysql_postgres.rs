//! MySQL and MariaDB → PostgreSQL.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const NO_NUL: &str = "a text with a NUL is refused";
const ZERO_DATE: &str =
    "a zero date, or one with a month or day of 0, becomes NULL, and is refused where NULL is not allowed";

pub(super) const RULES: &[Rule] = &[
    lossy(
        "tinyint(1)",
        Carry::Boolean,
        "boolean",
        "a number other than 0 and 1 is refused; give `tinyint(1)` another type in `types`",
    ),
    exact("bit(1)", Carry::Boolean, "boolean"),
    exact("tinyint unsigned", Carry::Int16, "smallint"),
    exact("tinyint", Carry::Int16, "smallint"),
    exact("smallint unsigned", Carry::Int32, "integer"),
    exact("smallint", Carry::Int16, "smallint"),
    exact("mediumint unsigned", Carry::Int32, "integer"),
    exact("mediumint", Carry::Int32, "integer"),
    exact("int unsigned", Carry::Int64, "bigint"),
    exact("int", Carry::Int32, "integer"),
    exact("bigint unsigned", Carry::Decimal, "numeric(20,0)"),
    exact("bigint", Carry::Int64, "bigint"),
    exact("year", Carry::Int16, "smallint"),
    exact("float", Carry::Float32, "real"),
    exact("float unsigned", Carry::Float32, "real"),
    exact("float({p},{s})", Carry::Float32, "real"),
    exact("float({p},{s}) unsigned", Carry::Float32, "real"),
    exact("double", Carry::Float64, "double precision"),
    exact("double unsigned", Carry::Float64, "double precision"),
    exact("double({p},{s})", Carry::Float64, "double precision"),
    exact("double({p},{s}) unsigned", Carry::Float64, "double precision"),
    exact("decimal({p},{s})", Carry::Decimal, "numeric({p},{s})"),
    exact("decimal({p},{s}) unsigned", Carry::Decimal, "numeric({p},{s})"),
    lossy("char({n})", Carry::Text, "character varying({n})", NO_NUL),
    lossy("varchar({n})", Carry::Text, "character varying({n})", NO_NUL),
    lossy("tinytext", Carry::Text, "text", NO_NUL),
    lossy("text", Carry::Text, "text", NO_NUL),
    lossy("mediumtext", Carry::Text, "text", NO_NUL),
    lossy("longtext", Carry::Text, "text", NO_NUL),
    lossy(
        "json",
        Carry::Json,
        "jsonb",
        "spaces, the order of keys and repeated keys of documents",
    ),
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
    exact("binary({n})", Carry::Bytes, "bytea"),
    exact("varbinary({n})", Carry::Bytes, "bytea"),
    exact("tinyblob", Carry::Bytes, "bytea"),
    exact("blob", Carry::Bytes, "bytea"),
    exact("mediumblob", Carry::Bytes, "bytea"),
    exact("longblob", Carry::Bytes, "bytea"),
    exact("bit({n})", Carry::Bytes, "bytea"),
    exact("uuid", Carry::Uuid, "uuid"),
    lossy("date", Carry::Date, "date", ZERO_DATE),
    lossy(
        "datetime({p})",
        Carry::Timestamp,
        "timestamp without time zone",
        ZERO_DATE,
    ),
    lossy("datetime", Carry::Timestamp, "timestamp without time zone", ZERO_DATE),
    lossy("timestamp({p})", Carry::Instant, "timestamp with time zone", ZERO_DATE),
    lossy("timestamp", Carry::Instant, "timestamp with time zone", ZERO_DATE),
    lossy(
        "time({p})",
        Carry::Text,
        "interval",
        "nothing of the value; it is an interval because a time here goes beyond 24 hours",
    ),
    lossy(
        "time",
        Carry::Text,
        "interval",
        "nothing of the value; it is an interval because a time here goes beyond 24 hours",
    ),
];
