//! SQL Server → PostgreSQL. What only SQL Server can read (`sql_variant`, `hierarchyid`, `geography`, `geometry`) has no rule: with a type in
//! `types` it comes as the server's text of it.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const TEXT: &str = "a text with a NUL, or with half a pair of UTF-16, is refused";
const SEVENTH: &str = "the seventh digit of a second is cut";
const OFFSET: &str = "the offset: the moment stays the same";
const OFFSET_SEVENTH: &str = "the offset: the moment stays the same; the seventh digit of a second is cut";

pub(super) const RULES: &[Rule] = &[
    exact("bit", Carry::Boolean, "boolean"),
    exact("tinyint", Carry::Int16, "smallint"),
    exact("smallint", Carry::Int16, "smallint"),
    exact("int", Carry::Int32, "integer"),
    exact("bigint", Carry::Int64, "bigint"),
    exact("decimal({p},{s})", Carry::Decimal, "numeric({p},{s})"),
    exact("numeric({p},{s})", Carry::Decimal, "numeric({p},{s})"),
    exact("money", Carry::Decimal, "numeric(19,4)"),
    exact("smallmoney", Carry::Decimal, "numeric(10,4)"),
    exact("real", Carry::Float32, "real"),
    exact("float", Carry::Float64, "double precision"),
    exact("date", Carry::Date, "date"),
    lossy("time(7)", Carry::Time, "time without time zone", SEVENTH),
    exact("time({s})", Carry::Time, "time({s}) without time zone"),
    lossy("datetime2(7)", Carry::Timestamp, "timestamp without time zone", SEVENTH),
    exact("datetime2({s})", Carry::Timestamp, "timestamp({s}) without time zone"),
    exact("datetime", Carry::Timestamp, "timestamp(3) without time zone"),
    exact("smalldatetime", Carry::Timestamp, "timestamp(0) without time zone"),
    lossy(
        "datetimeoffset(7)",
        Carry::Instant,
        "timestamp with time zone",
        OFFSET_SEVENTH,
    ),
    lossy(
        "datetimeoffset({s})",
        Carry::Instant,
        "timestamp({s}) with time zone",
        OFFSET,
    ),
    lossy("nvarchar(max)", Carry::Text, "text", TEXT),
    lossy("nvarchar({n})", Carry::Text, "character varying({n})", TEXT),
    lossy("nchar({n})", Carry::Text, "character varying({n})", TEXT),
    lossy("varchar(max)", Carry::Text, "text", TEXT),
    lossy("varchar({n})", Carry::Text, "character varying({n})", TEXT),
    lossy("char({n})", Carry::Text, "character varying({n})", TEXT),
    lossy("text", Carry::Text, "text", TEXT),
    lossy("ntext", Carry::Text, "text", TEXT),
    exact("binary({n})", Carry::Bytes, "bytea"),
    exact("varbinary({n})", Carry::Bytes, "bytea"),
    exact("image", Carry::Bytes, "bytea"),
    lossy(
        "timestamp",
        Carry::Bytes,
        "bytea",
        "what changes it with each change of its row",
    ),
    exact("uniqueidentifier", Carry::Uuid, "uuid"),
    exact("xml", Carry::Text, "xml"),
    lossy(
        "json",
        Carry::Json,
        "jsonb",
        "spaces, the order of keys and repeated keys of documents",
    ),
];
