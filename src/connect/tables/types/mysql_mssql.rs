//! MySQL and MariaDB → SQL Server.

use crate::model::Carry;

use super::rule::{Rule, exact, lossy};

const ZERO_DATE: &str = "a zero date, or one with a month or day of 0, becomes NULL, and is refused where NULL is not allowed; the year 0 is refused";
const LIST: &str = "the list of values that are allowed";
const TWICE: &str = "a text is refused that is too long because a character outside the first 65,536 counts twice";
const DIGITS: &str = "nothing of the value; a precision above 38 needs a type of its own in `types`";
const LONG: &str = "nothing of the value; it is a text because a time here goes beyond 24 hours";
const BOOLEAN: &str = "a number other than 0 and 1 is refused; give `tinyint(1)` another type in `types`";

pub(super) const RULES: &[Rule] = &[
    lossy("tinyint(1)", Carry::Boolean, "bit", BOOLEAN),
    exact("bit(1)", Carry::Boolean, "bit"),
    exact("tinyint unsigned", Carry::Int16, "tinyint"),
    exact("tinyint", Carry::Int16, "smallint"),
    exact("smallint unsigned", Carry::Int32, "int"),
    exact("smallint", Carry::Int16, "smallint"),
    exact("mediumint unsigned", Carry::Int32, "int"),
    exact("mediumint", Carry::Int32, "int"),
    exact("int unsigned", Carry::Int64, "bigint"),
    exact("int", Carry::Int32, "int"),
    exact("bigint unsigned", Carry::Decimal, "decimal(20,0)"),
    exact("bigint", Carry::Int64, "bigint"),
    exact("year", Carry::Int16, "smallint"),
    exact("float", Carry::Float32, "real"),
    exact("float unsigned", Carry::Float32, "real"),
    exact("float({p},{s})", Carry::Float32, "real"),
    exact("float({p},{s}) unsigned", Carry::Float32, "real"),
    exact("double", Carry::Float64, "float"),
    exact("double unsigned", Carry::Float64, "float"),
    exact("double({p},{s})", Carry::Float64, "float"),
    exact("double({p},{s}) unsigned", Carry::Float64, "float"),
    lossy("decimal({p},{s})", Carry::Decimal, "decimal({p},{s})", DIGITS),
    lossy("decimal({p},{s}) unsigned", Carry::Decimal, "decimal({p},{s})", DIGITS),
    lossy("char({n})", Carry::Text, "nvarchar({n})", TWICE),
    lossy("varchar({n})", Carry::Text, "nvarchar({n})", TWICE),
    exact("tinytext", Carry::Text, "nvarchar(max)"),
    exact("text", Carry::Text, "nvarchar(max)"),
    exact("mediumtext", Carry::Text, "nvarchar(max)"),
    exact("longtext", Carry::Text, "nvarchar(max)"),
    exact("json", Carry::Json, "nvarchar(max)"),
    lossy("enum{values}", Carry::Text, "nvarchar(max)", LIST),
    lossy("set{values}", Carry::Text, "nvarchar(max)", LIST),
    exact("binary({n})", Carry::Bytes, "varbinary({n})"),
    exact("varbinary({n})", Carry::Bytes, "varbinary({n})"),
    exact("tinyblob", Carry::Bytes, "varbinary(max)"),
    exact("blob", Carry::Bytes, "varbinary(max)"),
    exact("mediumblob", Carry::Bytes, "varbinary(max)"),
    exact("longblob", Carry::Bytes, "varbinary(max)"),
    exact("bit({n})", Carry::Bytes, "varbinary(8)"),
    exact("uuid", Carry::Uuid, "uniqueidentifier"),
    lossy("date", Carry::Date, "date", ZERO_DATE),
    lossy("datetime({p})", Carry::Timestamp, "datetime2({p})", ZERO_DATE),
    lossy("datetime", Carry::Timestamp, "datetime2(0)", ZERO_DATE),
    lossy("timestamp({p})", Carry::Instant, "datetimeoffset({p})", ZERO_DATE),
    lossy("timestamp", Carry::Instant, "datetimeoffset(0)", ZERO_DATE),
    lossy("time({p})", Carry::Text, "nvarchar(20)", LONG),
    lossy("time", Carry::Text, "nvarchar(20)", LONG),
];
