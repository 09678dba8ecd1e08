//! SQL Server → SQLite. Decimals become texts: as numbers SQLite would keep 15 digits of them.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const PAIR: &str = "a text with half a pair of UTF-16 is refused";
const SEVENTH: &str = "the seventh digit of a second is cut";
const OFFSET: &str = "the offset: the moment stays the same; the seventh digit of a second is cut";

pub(super) const RULES: &[Rule] = &[
    exact("bit", Carry::Boolean, "boolean"),
    exact("tinyint", Carry::Int16, "integer"),
    exact("smallint", Carry::Int16, "integer"),
    exact("int", Carry::Int32, "integer"),
    exact("bigint", Carry::Int64, "integer"),
    exact("decimal({p},{s})", Carry::Decimal, "text"),
    exact("numeric({p},{s})", Carry::Decimal, "text"),
    exact("money", Carry::Decimal, "text"),
    exact("smallmoney", Carry::Decimal, "text"),
    exact("real", Carry::Float32, "real"),
    exact("float", Carry::Float64, "double precision"),
    exact("date", Carry::Date, "date"),
    lossy("time({s})", Carry::Time, "time", SEVENTH),
    lossy("datetime2({s})", Carry::Timestamp, "datetime", SEVENTH),
    exact("datetime", Carry::Timestamp, "datetime"),
    exact("smalldatetime", Carry::Timestamp, "datetime"),
    lossy("datetimeoffset({s})", Carry::Instant, "timestamp", OFFSET),
    lossy("nvarchar(max)", Carry::Text, "text", PAIR),
    lossy("nvarchar({n})", Carry::Text, "nvarchar({n})", PAIR),
    lossy("nchar({n})", Carry::Text, "nvarchar({n})", PAIR),
    exact("varchar(max)", Carry::Text, "text"),
    exact("varchar({n})", Carry::Text, "varchar({n})"),
    exact("char({n})", Carry::Text, "varchar({n})"),
    exact("text", Carry::Text, "text"),
    lossy("ntext", Carry::Text, "text", PAIR),
    exact("binary({n})", Carry::Bytes, "blob"),
    exact("varbinary({n})", Carry::Bytes, "blob"),
    exact("image", Carry::Bytes, "blob"),
    lossy(
        "timestamp",
        Carry::Bytes,
        "blob",
        "what changes it with each change of its row",
    ),
    exact("uniqueidentifier", Carry::Uuid, "uuid"),
    exact("xml", Carry::Text, "text"),
    exact("json", Carry::Json, "text"),
];
