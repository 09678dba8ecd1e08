//! SQL Server → files.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const PAIR: &str = "a text with half a pair of UTF-16 is refused";
const SEVENTH: &str = "the seventh digit of a second is cut";
const OFFSET: &str = "the offset: the moment stays the same; the seventh digit of a second is cut";

pub(super) const RULES: &[Rule] = &[
    exact("bit", Carry::Boolean, "boolean"),
    exact("tinyint", Carry::Int16, "int16"),
    exact("smallint", Carry::Int16, "int16"),
    exact("int", Carry::Int32, "int32"),
    exact("bigint", Carry::Int64, "int64"),
    exact("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})"),
    exact("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})"),
    exact("money", Carry::Decimal, "decimal(19,4)"),
    exact("smallmoney", Carry::Decimal, "decimal(10,4)"),
    exact("real", Carry::Float32, "float32"),
    exact("float", Carry::Float64, "float64"),
    exact("date", Carry::Date, "date"),
    lossy("time({s})", Carry::Time, "time", SEVENTH),
    lossy("datetime2({s})", Carry::Timestamp, "timestamp", SEVENTH),
    exact("datetime", Carry::Timestamp, "timestamp"),
    exact("smalldatetime", Carry::Timestamp, "timestamp"),
    lossy("datetimeoffset({s})", Carry::Instant, "timestamptz", OFFSET),
    lossy("nvarchar(max)", Carry::Text, "text", PAIR),
    lossy("nvarchar({n})", Carry::Text, "text", PAIR),
    lossy("nchar({n})", Carry::Text, "text", PAIR),
    exact("varchar(max)", Carry::Text, "text"),
    exact("varchar({n})", Carry::Text, "text"),
    exact("char({n})", Carry::Text, "text"),
    exact("text", Carry::Text, "text"),
    lossy("ntext", Carry::Text, "text", PAIR),
    exact("binary({n})", Carry::Bytes, "binary"),
    exact("varbinary({n})", Carry::Bytes, "binary"),
    exact("image", Carry::Bytes, "binary"),
    lossy(
        "timestamp",
        Carry::Bytes,
        "binary",
        "what changes it with each change of its row",
    ),
    exact("uniqueidentifier", Carry::Uuid, "uuid"),
    exact("xml", Carry::Text, "text"),
    exact("json", Carry::Json, "json"),
];
