//! What a type is also called: specs write `int4` or `varchar(40)` where the catalogue of the sink has `integer` and `character varying(40)`.

use crate::model::Engine;

use super::rule::{captures, filled};
use super::type_table;

/// What else PostgreSQL calls its types, and what `format_type` calls them.
const POSTGRES: &[(&str, &str)] = &[
    ("int", "integer"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("bool", "boolean"),
    ("float", "double precision"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("dec", "numeric"),
    ("decimal", "numeric"),
    ("dec({p})", "numeric({p},0)"),
    ("decimal({p})", "numeric({p},0)"),
    ("numeric({p})", "numeric({p},0)"),
    ("dec({p},{s})", "numeric({p},{s})"),
    ("decimal({p},{s})", "numeric({p},{s})"),
    ("varchar", "character varying"),
    ("varchar({n})", "character varying({n})"),
    ("char varying({n})", "character varying({n})"),
    ("char", "character(1)"),
    ("character", "character(1)"),
    ("char({n})", "character({n})"),
    ("bpchar({n})", "character({n})"),
    ("bit", "bit(1)"),
    ("varbit", "bit varying"),
    ("varbit({n})", "bit varying({n})"),
    ("time", "time without time zone"),
    ("time({p})", "time({p}) without time zone"),
    ("timetz", "time with time zone"),
    ("timetz({p})", "time({p}) with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamp({p})", "timestamp({p}) without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamptz({p})", "timestamp({p}) with time zone"),
];

/// What else MySQL and MariaDB call their types, and what our reading of their catalogue calls them: without the width at which numbers are shown.
const MYSQL: &[(&str, &str)] = &[
    ("bool", "tinyint(1)"),
    ("boolean", "tinyint(1)"),
    ("tinyint(1)", "tinyint(1)"),
    ("tinyint({w})", "tinyint"),
    ("int1", "tinyint"),
    ("smallint({w})", "smallint"),
    ("int2", "smallint"),
    ("mediumint({w})", "mediumint"),
    ("middleint", "mediumint"),
    ("int3", "mediumint"),
    ("int({w})", "int"),
    ("integer", "int"),
    ("integer({w})", "int"),
    ("int4", "int"),
    ("bigint({w})", "bigint"),
    ("int8", "bigint"),
    ("year({w})", "year"),
    ("float4", "float"),
    ("float8", "double"),
    ("real", "double"),
    ("double precision", "double"),
    ("dec", "decimal(10,0)"),
    ("fixed", "decimal(10,0)"),
    ("numeric", "decimal(10,0)"),
    ("decimal", "decimal(10,0)"),
    ("dec({p})", "decimal({p},0)"),
    ("fixed({p})", "decimal({p},0)"),
    ("numeric({p})", "decimal({p},0)"),
    ("decimal({p})", "decimal({p},0)"),
    ("dec({p},{s})", "decimal({p},{s})"),
    ("fixed({p},{s})", "decimal({p},{s})"),
    ("numeric({p},{s})", "decimal({p},{s})"),
    ("char", "char(1)"),
    ("character", "char(1)"),
    ("character({n})", "char({n})"),
    ("char varying({n})", "varchar({n})"),
    ("character varying({n})", "varchar({n})"),
    ("bit", "bit(1)"),
    ("binary", "binary(1)"),
    ("time(0)", "time"),
    ("datetime(0)", "datetime"),
    ("timestamp(0)", "timestamp"),
];

/// What else SQL Server calls its types, and what our reading of its catalogue calls them, with the arguments that it takes by itself.
const SQL_SERVER: &[(&str, &str)] = &[
    ("integer", "int"),
    ("double precision", "float"),
    ("float(53)", "float"),
    ("float(24)", "real"),
    ("dec", "decimal(18,0)"),
    ("decimal", "decimal(18,0)"),
    ("numeric", "numeric(18,0)"),
    ("dec({p})", "decimal({p},0)"),
    ("decimal({p})", "decimal({p},0)"),
    ("numeric({p})", "numeric({p},0)"),
    ("dec({p},{s})", "decimal({p},{s})"),
    ("char", "char(1)"),
    ("character", "char(1)"),
    ("character({n})", "char({n})"),
    ("char varying({n})", "varchar({n})"),
    ("character varying({n})", "varchar({n})"),
    ("nchar", "nchar(1)"),
    ("national char({n})", "nchar({n})"),
    ("national character({n})", "nchar({n})"),
    ("national char varying({n})", "nvarchar({n})"),
    ("national character varying({n})", "nvarchar({n})"),
    ("varchar", "varchar(1)"),
    ("nvarchar", "nvarchar(1)"),
    ("binary", "binary(1)"),
    ("varbinary", "varbinary(1)"),
    ("binary varying({n})", "varbinary({n})"),
    ("rowversion", "timestamp"),
    ("time", "time(7)"),
    ("datetime2", "datetime2(7)"),
    ("datetimeoffset", "datetimeoffset(7)"),
];

/// A type in the words in which the catalogue of its engine has it. What is none of the engine's own, such as a domain, stays as it is written.
pub fn canonical(engine: Engine, native: &str) -> String {
    // Values of an `enum` and names in quotes keep their case and their spaces.
    if native.contains(['\'', '"', '`']) {
        return native.to_owned();
    }
    if let Some(element) = native.strip_suffix("[]").filter(|_| engine == Engine::Postgres) {
        return canonical(engine, element) + "[]";
    }
    let plain = plain(native);
    if let Some(signed) = plain.strip_suffix(" unsigned").filter(|_| engine == Engine::MySql) {
        return canonical(engine, signed) + " unsigned";
    }
    let aliases = match engine {
        Engine::Postgres => POSTGRES,
        Engine::MySql => MYSQL,
        Engine::SqlServer => SQL_SERVER,
        // SQLite keeps each type as it was written, and files have one name for each.
        Engine::Sqlite | Engine::Files => &[],
    };
    let known = aliases.iter().find_map(|(alias, name)| {
        let found = captures(alias, &plain)?;
        Some(filled(name, &found))
    });
    match known {
        Some(name) => name,
        None if type_table(engine, engine).map(&plain).is_some() => plain,
        None => native.to_owned(),
    }
}

/// In small letters, with single spaces and none around its arguments.
fn plain(native: &str) -> String {
    let lower = native.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let mut text = words.join(" ");
    for (spaced, close) in [(" (", "("), ("( ", "("), (" )", ")"), (" ,", ","), (", ", ",")] {
        text = text.replace(spaced, close);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(engine: Engine, names: &[(&str, &str)]) {
        for (alias, name) in names {
            assert_eq!(canonical(engine, alias), *name, "{alias} in {engine}");
            assert_eq!(canonical(engine, name), *name, "the name of its own");
        }
    }

    #[test]
    fn a_type_gets_the_name_that_its_catalogue_has() {
        named(
            Engine::Postgres,
            &[
                ("INT4", "integer"),
                ("int8", "bigint"),
                ("int2[]", "smallint[]"),
                ("varchar(40)", "character varying(40)"),
                ("char(3)", "character(3)"),
                ("bool", "boolean"),
                ("float8", "double precision"),
                ("Decimal ( 10, 2 )", "numeric(10,2)"),
                ("numeric(7)", "numeric(7,0)"),
                ("timestamptz(3)", "timestamp(3) with time zone"),
                ("timestamp", "timestamp without time zone"),
                ("timetz", "time with time zone"),
                ("time(0)", "time(0) without time zone"),
                ("TEXT", "text"),
            ],
        );
        named(
            Engine::MySql,
            &[
                ("integer unsigned", "int unsigned"),
                ("INT(11)", "int"),
                ("bool", "tinyint(1)"),
                ("tinyint(4)", "tinyint"),
                ("numeric(10, 2)", "decimal(10,2)"),
                ("dec", "decimal(10,0)"),
                ("datetime(0)", "datetime"),
            ],
        );
        named(
            Engine::SqlServer,
            &[
                ("integer", "int"),
                ("double precision", "float"),
                ("dec(9)", "decimal(9,0)"),
                ("datetime2", "datetime2(7)"),
                ("national character varying(7)", "nvarchar(7)"),
                ("NVARCHAR(MAX)", "nvarchar(max)"),
            ],
        );
    }

    #[test]
    fn what_is_no_type_of_the_engine_stays_as_it_is_written() {
        for (engine, native) in [
            (Engine::Postgres, "\"Mood\""),
            (Engine::Postgres, "tame"),
            (Engine::MySql, "enum('A','b c')"),
            (Engine::SqlServer, "dbo.Flag"),
            (Engine::SqlServer, "nvarchar(7) collate Latin1_General_100_BIN2"),
            (Engine::Files, "timestamp"),
        ] {
            assert_eq!(canonical(engine, native), native);
        }
    }
}
