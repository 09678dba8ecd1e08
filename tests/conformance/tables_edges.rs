//! Values at the edges of each type of the type tables, from each source to a sink and back out of it.

use futures::TryStreamExt;
use pipeline::connect::{ReadRequest, RowsFrom};
use pipeline::model::{Failure, FailureClass, RowRange};
use pipeline::stages::tables::{digest_rows, read_back};

use super::tables_kinds::{TablesKind, TablesSubject, Texts};

/// A type, and its values: as a literal of the source, and as it comes out of it and of the sink; `NULL` is that.
pub type Edges = (&'static str, &'static [(&'static str, &'static str)]);

const MYSQL: &[Edges] = &[
    ("tinyint(1)", &[("0", "false"), ("1", "true"), ("null", "NULL")]),
    ("tinyint", &[("-128", "-128"), ("127", "127")]),
    ("tinyint unsigned", &[("255", "255")]),
    ("smallint unsigned", &[("65535", "65535")]),
    ("mediumint", &[("-8388608", "-8388608")]),
    ("int unsigned zerofill", &[("4294967295", "4294967295")]),
    (
        "bigint",
        &[
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
        ],
    ),
    (
        "bigint unsigned",
        &[("18446744073709551615", "18446744073709551615"), ("0", "0")],
    ),
    ("year", &[("1901", "1901"), ("2155", "2155"), ("0", "0")]),
    ("float", &[("0.1", "0.1"), ("16777216", "16777216"), ("null", "NULL")]),
    ("double", &[("0.1", "0.1"), ("-2.5e-10", "-0.00000000025")]),
    (
        "decimal(65,30)",
        &[
            (
                "99999999999999999999999999999999999.999999999999999999999999999999",
                "99999999999999999999999999999999999.999999999999999999999999999999",
            ),
            ("-0.1", "-0.100000000000000000000000000000"),
        ],
    ),
    (
        "varchar(10)",
        &[("''", ""), ("'🎈\\t\\n\\\\N'", "🎈\t\n\\N"), ("null", "NULL")],
    ),
    ("longtext", &[("''", ""), ("'漢'", "漢")]),
    ("json", &[("'{\"a\": [1, null]}'", "{\"a\": [1, null]}")]),
    ("enum('a','B')", &[("'B'", "B")]),
    ("set('a','b')", &[("'a,b'", "a,b"), ("''", "")]),
    ("binary(3)", &[("x'00ff00'", "00ff00")]),
    ("varbinary(9)", &[("''", ""), ("x'5c4e090a'", "5c4e090a")]),
    ("bit(1)", &[("b'1'", "true"), ("b'0'", "false")]),
    ("bit(10)", &[("b'1000000001'", "0201")]),
    (
        "uuid",
        &[(
            "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        )],
    ),
    (
        "date",
        &[
            ("'0001-01-01'", "0001-01-01"),
            ("'9999-12-31'", "9999-12-31"),
            ("'0000-00-00'", "NULL"),
            ("'2024-00-10'", "NULL"),
        ],
    ),
    (
        "datetime(6)",
        &[
            ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
            ("'0000-00-00'", "NULL"),
        ],
    ),
    (
        "timestamp null",
        &[("'2038-01-19 03:14:07'", "2038-01-19 03:14:07+00"), ("null", "NULL")],
    ),
];

const POSTGRES: &[Edges] = &[
    ("boolean", &[("true", "true"), ("false", "false"), ("null", "NULL")]),
    ("smallint", &[("-32768", "-32768")]),
    ("bigint", &[("-9223372036854775808", "-9223372036854775808")]),
    (
        "numeric",
        &[
            ("'NaN'", "NaN"),
            ("'Infinity'", "Infinity"),
            ("1e-20", "0.00000000000000000001"),
            ("1e30", "1000000000000000000000000000000"),
            ("-10000.5", "-10000.5"),
        ],
    ),
    ("numeric(5,2)", &[("999.99", "999.99"), ("0", "0.00")]),
    ("real", &[("'NaN'", "NaN"), ("0.1", "0.1")]),
    (
        "double precision",
        &[("'NaN'", "NaN"), ("'-infinity'", "-inf"), ("0.1", "0.1")],
    ),
    ("text", &[("''", ""), ("e'🎈\\t\\\\N'", "🎈\t\\N")]),
    ("character(4)", &[("'a'", "a   ")]),
    ("bytea", &[("''", ""), ("'\\x00ff'", "00ff")]),
    ("json", &[("'{\"b\":1,  \"a\":2}'", "{\"b\":1,  \"a\":2}")]),
    ("jsonb", &[("'null'", "null"), ("'{\"b\":1}'", "{\"b\": 1}")]),
    (
        "uuid",
        &[(
            "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        )],
    ),
    (
        "date",
        &[
            ("'infinity'", "infinity"),
            ("'-infinity'", "-infinity"),
            ("'0044-03-15 BC'", "-0043-03-15"),
            ("'5874897-12-31'", "5874897-12-31"),
        ],
    ),
    (
        "time",
        &[
            ("'00:00'", "00:00:00"),
            ("'24:00:00'", "24:00:00"),
            ("'23:59:59.999999'", "23:59:59.999999"),
        ],
    ),
    (
        "timestamp(6)",
        &[
            ("'infinity'", "infinity"),
            ("'0001-01-01 00:00:00.5 BC'", "0000-01-01 00:00:00.5"),
            ("'12024-12-31 23:59:59.999999'", "12024-12-31 23:59:59.999999"),
        ],
    ),
    ("timestamptz", &[("'2024-01-01 00:00+02'", "2023-12-31 22:00:00+00")]),
    ("interval", &[("'1 day -00:00:01.5'", "P1DT-1.5S")]),
    ("integer[]", &[("'{1,null}'", "{1,NULL}")]),
    ("inet", &[("'::1'", "::1/128")]),
];

const SQLITE: &[Edges] = &[
    (
        "integer",
        &[("-9223372036854775808", "-9223372036854775808"), ("null", "NULL")],
    ),
    ("boolean", &[("0", "false"), ("1", "true")]),
    ("real", &[("0.1", "0.1"), ("9e999", "inf"), ("1", "1")]),
    ("text", &[("''", ""), ("'🎈'", "🎈"), ("12", "12")]),
    ("blob", &[("x'00ff'", "00ff"), ("x''", "")]),
    ("numeric", &[("12", "12"), ("0.5", "0.5"), ("null", "NULL")]),
    ("json", &[("'[1]'", "[1]"), ("'12'", "12")]),
    (
        "date",
        &[("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31")],
    ),
    (
        "datetime",
        &[("'2024-01-01T02:00:00.5+02:00'", "2024-01-01 00:00:00.5")],
    ),
    ("time", &[("'23:59'", "23:59:00")]),
];

/// What no sink of PostgreSQL takes, by the type of the source.
const REFUSED_BY_POSTGRES: &[(TablesKind, &str, &str)] = &[
    (TablesKind::MySql, "tinyint(1)", "2"),
    (TablesKind::MySql, "text", "concat('a', char(0), 'b')"),
    (TablesKind::Sqlite, "boolean", "2"),
    (TablesKind::Sqlite, "integer", "'x'"),
    (TablesKind::Sqlite, "text", "'a' || char(0)"),
    (TablesKind::Sqlite, "varchar(2)", "'abc'"),
    (TablesKind::Sqlite, "date", "'2024-02-30'"),
    (TablesKind::Sqlite, "json", "'{'"),
];

/// What no sink of MySQL takes.
const REFUSED_BY_MYSQL: &[(TablesKind, &str, &str)] = &[
    (TablesKind::Postgres, "double precision", "'NaN'"),
    (TablesKind::Postgres, "date", "'infinity'"),
    (TablesKind::Postgres, "date", "'0044-03-15 BC'"),
    (TablesKind::Postgres, "numeric(40,2)", "'NaN'"),
    (TablesKind::Sqlite, "varchar(2)", "'abc'"),
];

/// The edges of the types of a database.
pub fn all_edges(kind: TablesKind) -> &'static [Edges] {
    match kind {
        TablesKind::MySql => MYSQL,
        TablesKind::Postgres => POSTGRES,
        TablesKind::Sqlite => SQLITE,
        TablesKind::SqlServer => super::tables_edges_mssql::COMMON,
    }
}

/// Makes a table of one column of a type beside its key, with a row for each literal.
pub async fn make_edge(source: &TablesSubject, table: &str, native: &str, literals: &[&str]) {
    let rows: Vec<String> = literals
        .iter()
        .enumerate()
        .map(|(id, literal)| format!("({id}, {literal})"))
        .collect();
    source
        .execute(&[
            &format!("create table {table} (id integer primary key, v {native})"),
            &format!("insert into {table} values {}", rows.join(", ")),
        ])
        .await;
}

pub async fn edges(kind: TablesKind) {
    let (source, sink) = (kind.subject().await, TablesKind::Postgres.subject().await);
    for (number, (native, values)) in all_edges(kind).iter().enumerate() {
        let literals: Vec<&str> = values.iter().map(|(literal, _)| *literal).collect();
        let table = format!("edge_{number}");
        let moved = moved(&source, &sink, &table, native, &literals).await;
        let (here, there) = moved.unwrap_or_else(|failure| panic!("{native}: {failure}"));
        let expected: Vec<&str> = values.iter().map(|(_, expected)| *expected).collect();
        assert_eq!(shown(&here), expected, "{native}, read");
        assert_eq!(shown(&there), expected, "{native}, written and read");
        assert_one_digest(&source, &sink, &table).await;
    }
}

pub async fn refused() {
    let sinks = [
        (TablesKind::Postgres, REFUSED_BY_POSTGRES),
        (TablesKind::MySql, REFUSED_BY_MYSQL),
    ];
    for (sink, cases) in sinks {
        let sink = sink.subject().await;
        for (number, (kind, native, literal)) in cases.iter().enumerate() {
            let source = kind.subject().await;
            let moved = moved(&source, &sink, &format!("refused_{number}"), native, &[*literal]).await;
            let Err(failure) = moved else {
                panic!("{kind:?} {native} {literal} arrives as {moved:?}");
            };
            assert_eq!(failure.class, FailureClass::Data, "{native} {literal}: {failure}");
        }
    }
}

/// The values of a column as they come out of the source, and out of the sink after that.
pub async fn moved(
    source: &TablesSubject,
    sink: &TablesSubject,
    table: &str,
    native: &str,
    literals: &[&str],
) -> Result<(Texts, Texts), Failure> {
    make_edge(source, table, native, literals).await;
    let mapping = source.mapping(table, sink).await;
    sink.create(&mapping).await;
    let read = |columns| ReadRequest {
        from: RowsFrom::Table(source.name(table)),
        columns,
        range: RowRange::Whole,
        snapshot: None,
        unread: None,
    };
    let mut writer = sink
        .database
        .write(sink.writing(table, mapping.columns.clone()))
        .await?;
    let mut batches = source.database.read(read(mapping.columns.clone())).await?;
    while let Some(batch) = batches.try_next().await? {
        writer.write(batch).await?;
    }
    writer.finish(None).await?;
    let here = source.read(read(mapping.columns.clone())).await?;
    let mut back = read(read_back(&mapping.columns));
    back.from = RowsFrom::Table(sink.name(table));
    Ok((here, sink.read(back).await?))
}

/// The rows of a table that has been moved have one digest at both sides, in whatever words each side writes its values.
pub async fn assert_one_digest(source: &TablesSubject, sink: &TablesSubject, table: &str) {
    let columns = source.mapping(table, sink).await.columns;
    let read = |name, columns| ReadRequest {
        from: RowsFrom::Table(name),
        columns,
        range: RowRange::Whole,
        snapshot: None,
        unread: None,
    };
    let back = read(sink.name(table), read_back(&columns));
    let here = digest_rows(&*source.database, read(source.name(table), columns)).await;
    let there = digest_rows(&*sink.database, back).await;
    assert_eq!(
        here.unwrap(),
        there.unwrap(),
        "`{table}` has the same rows on both sides"
    );
}

/// What goes beyond a day is a time in MySQL alone.
pub async fn long_times() {
    let whole: &[&str] = &[
        "'12:30:00'",
        "'-838:59:59'",
        "'00:00:00'",
        "'-00:00:01'",
        "'00:00:10'",
        "'24:00:00'",
        "'100:00:59'",
        "null",
    ];
    let fractions: &[&str] = &[
        "'12:30:00.5'",
        "'-00:00:00.000001'",
        "'838:59:58.999999'",
        "'00:10:00.100000'",
    ];
    for sink in [
        TablesKind::Postgres,
        TablesKind::Sqlite,
        TablesKind::MySql,
        TablesKind::SqlServer,
    ] {
        let (source, sink) = (TablesKind::MySql.subject().await, sink.subject().await);
        for (table, native, literals) in [("whole", "time", whole), ("fractions", "time(6)", fractions)] {
            moved(&source, &sink, table, native, literals).await.unwrap();
            assert_one_digest(&source, &sink, table).await;
        }
    }
}

pub fn shown(rows: &Texts) -> Vec<&str> {
    rows.iter().map(|row| row[1].as_deref().unwrap_or("NULL")).collect()
}
