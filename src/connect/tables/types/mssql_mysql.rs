//! SQL Server → MySQL and MariaDB. A moment with an offset becomes a `datetime` in UTC: their `timestamp` ends in 2038.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const PAIR: &str = "a text with half a pair of UTF-16 is refused";
const KEY: &str = "a text with half a pair of UTF-16 is refused; a key over it needs a length: `types: { \"nvarchar(max)\": \"varchar(255)\" }`";
const SCALE: &str = "nothing of the value; a scale above 30 needs a type of its own in `types`";
const SEVENTH: &str = "the seventh digit of a second is cut";
const OFFSET: &str = "the offset: the moment stays the same, in UTC";
const OFFSET_SEVENTH: &str = "the offset: the moment stays the same, in UTC; the seventh digit of a second is cut";

pub(super) const RULES: &[Rule] = &[
    exact("bit", Carry::Boolean, "tinyint(1)"),
    exact("tinyint", Carry::Int16, "tinyint unsigned"),
    exact("smallint", Carry::Int16, "smallint"),
    exact("int", Carry::Int32, "int"),
    exact("bigint", Carry::Int64, "bigint"),
    lossy("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})", SCALE),
    lossy("numeric({p},{s})", Carry::Decimal, "decimal({p},{s})", SCALE),
    exact("money", Carry::Decimal, "decimal(19,4)"),
    exact("smallmoney", Carry::Decimal, "decimal(10,4)"),
    exact("real", Carry::Float32, "float"),
    exact("float", Carry::Float64, "double"),
    exact("date", Carry::Date, "date"),
    lossy("time(7)", Carry::Time, "time(6)", SEVENTH),
    exact("time({s})", Carry::Time, "time({s})"),
    lossy("datetime2(7)", Carry::Timestamp, "datetime(6)", SEVENTH),
    exact("datetime2({s})", Carry::Timestamp, "datetime({s})"),
    exact("datetime", Carry::Timestamp, "datetime(3)"),
    exact("smalldatetime", Carry::Timestamp, "datetime"),
    lossy("datetimeoffset(7)", Carry::Instant, "datetime(6)", OFFSET_SEVENTH),
    lossy("datetimeoffset({s})", Carry::Instant, "datetime({s})", OFFSET),
    lossy("nvarchar(max)", Carry::Text, "longtext", KEY),
    lossy("nvarchar({n})", Carry::Text, "varchar({n})", PAIR),
    lossy("nchar({n})", Carry::Text, "varchar({n})", PAIR),
    lossy("varchar(max)", Carry::Text, "longtext", KEY),
    exact("varchar({n})", Carry::Text, "varchar({n})"),
    exact("char({n})", Carry::Text, "varchar({n})"),
    exact("text", Carry::Text, "longtext"),
    lossy("ntext", Carry::Text, "longtext", PAIR),
    exact("varbinary(max)", Carry::Bytes, "longblob"),
    exact("binary({n})", Carry::Bytes, "varbinary({n})"),
    exact("varbinary({n})", Carry::Bytes, "varbinary({n})"),
    exact("image", Carry::Bytes, "longblob"),
    lossy(
        "timestamp",
        Carry::Bytes,
        "binary(8)",
        "what changes it with each change of its row",
    ),
    exact("uniqueidentifier", Carry::Uuid, "char(36)"),
    exact("xml", Carry::Text, "longtext"),
    lossy(
        "json",
        Carry::Json,
        "json",
        "spaces, the order of keys and repeated keys of documents, in MySQL; MariaDB keeps the text",
    ),
];
