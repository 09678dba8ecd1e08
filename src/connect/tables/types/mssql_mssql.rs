//! SQL Server → SQL Server. Moments travel as text, so that the seventh digit and the offset stay. Texts get the collation of the database that
//! they come to.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const PAIR: &str = "a text with half a pair of UTF-16 is refused";
const PAGE: &str = "a character that the code page of the sink's collation does not have is refused";

pub(super) const RULES: &[Rule] = &[
    exact("bit", Carry::Boolean, "{type}"),
    exact("tinyint", Carry::Int16, "{type}"),
    exact("smallint", Carry::Int16, "{type}"),
    exact("int", Carry::Int32, "{type}"),
    exact("bigint", Carry::Int64, "{type}"),
    exact("decimal({p},{s})", Carry::Decimal, "{type}"),
    exact("numeric({p},{s})", Carry::Decimal, "{type}"),
    exact("money", Carry::Decimal, "{type}"),
    exact("smallmoney", Carry::Decimal, "{type}"),
    exact("real", Carry::Float32, "{type}"),
    exact("float", Carry::Float64, "{type}"),
    exact("date", Carry::Date, "{type}"),
    exact("time({s})", Carry::Text, "{type}"),
    exact("datetime2({s})", Carry::Text, "{type}"),
    exact("datetime", Carry::Text, "{type}"),
    exact("smalldatetime", Carry::Text, "{type}"),
    exact("datetimeoffset({s})", Carry::Text, "{type}"),
    lossy("nvarchar({n})", Carry::Text, "{type}", PAIR),
    lossy("nchar({n})", Carry::Text, "{type}", PAIR),
    lossy("ntext", Carry::Text, "{type}", PAIR),
    lossy("varchar({n})", Carry::Text, "{type}", PAGE),
    lossy("char({n})", Carry::Text, "{type}", PAGE),
    lossy("text", Carry::Text, "{type}", PAGE),
    exact("binary({n})", Carry::Bytes, "{type}"),
    exact("varbinary({n})", Carry::Bytes, "{type}"),
    exact("image", Carry::Bytes, "{type}"),
    lossy(
        "timestamp",
        Carry::Bytes,
        "binary(8)",
        "what changes it with each change of its row",
    ),
    exact("uniqueidentifier", Carry::Uuid, "{type}"),
    exact("xml", Carry::Text, "{type}"),
    exact("json", Carry::Json, "{type}"),
];
