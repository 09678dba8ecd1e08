//! Values at the edges of SQL Server's types, out of it and into it.

use pipeline::connect::type_table;
use pipeline::model::{Engine, FailureClass};

use super::tables_edges::{Edges, assert_one_digest, moved, shown};
use super::tables_kinds::TablesKind;

/// What every sink gets as it stands there.
pub const COMMON: &[Edges] = &[
    ("bit", &[("0", "false"), ("1", "true"), ("null", "NULL")]),
    ("tinyint", &[("0", "0"), ("255", "255"), ("null", "NULL")]),
    ("smallint", &[("-32768", "-32768"), ("32767", "32767")]),
    (
        "int",
        &[
            ("-2147483648", "-2147483648"),
            ("2147483647", "2147483647"),
            ("null", "NULL"),
        ],
    ),
    (
        "bigint",
        &[
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
        ],
    ),
    (
        "decimal(38,10)",
        &[
            (
                "'9999999999999999999999999999.9999999999'",
                "9999999999999999999999999999.9999999999",
            ),
            ("'-0.0000000001'", "-0.0000000001"),
            ("null", "NULL"),
        ],
    ),
    (
        "numeric(38,0)",
        &[(
            "'-99999999999999999999999999999999999999'",
            "-99999999999999999999999999999999999999",
        )],
    ),
    ("numeric(5,2)", &[("'0'", "0.00"), ("'999.99'", "999.99")]),
    (
        "money",
        &[
            ("'922337203685477.5807'", "922337203685477.5807"),
            ("'-922337203685477.5808'", "-922337203685477.5808"),
            ("'0'", "0.0000"),
            ("null", "NULL"),
        ],
    ),
    (
        "smallmoney",
        &[("'214748.3647'", "214748.3647"), ("'-214748.3648'", "-214748.3648")],
    ),
    ("real", &[("0.1", "0.1"), ("16777216", "16777216"), ("null", "NULL")]),
    ("float", &[("0.1", "0.1"), ("-2.5e-10", "-0.00000000025")]),
    (
        "date",
        &[
            ("'0001-01-01'", "0001-01-01"),
            ("'2024-02-29'", "2024-02-29"),
            ("'9999-12-31'", "9999-12-31"),
            ("null", "NULL"),
        ],
    ),
    ("time(0)", &[("'00:00:00'", "00:00:00"), ("'23:59:59'", "23:59:59")]),
    ("time(3)", &[("'23:59:59.999'", "23:59:59.999")]),
    (
        "datetime2(6)",
        &[
            ("'0001-01-01 00:00:00'", "0001-01-01 00:00:00"),
            ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
        ],
    ),
    ("datetime2(0)", &[("'2024-02-29 23:59:59'", "2024-02-29 23:59:59")]),
    (
        "datetime",
        &[
            ("'1753-01-01 00:00:00.003'", "1753-01-01 00:00:00.003"),
            ("'9999-12-31 23:59:59.997'", "9999-12-31 23:59:59.997"),
            ("null", "NULL"),
        ],
    ),
    (
        "smalldatetime",
        &[
            ("'1900-01-01 00:00:00'", "1900-01-01 00:00:00"),
            ("'2079-06-06 23:59:00'", "2079-06-06 23:59:00"),
        ],
    ),
    (
        "nvarchar(10)",
        &[("''", ""), ("'🎈\t\\N'", "🎈\t\\N"), ("'漢'", "漢"), ("null", "NULL")],
    ),
    ("nvarchar(max)", &[("''", ""), ("'🎈漢'", "🎈漢"), ("null", "NULL")]),
    ("nchar(4)", &[("'a'", "a   "), ("'🎈'", "🎈  ")]),
    ("varchar(10)", &[("''", ""), ("'ü'", "ü"), ("null", "NULL")]),
    ("varchar(max)", &[("'ü'", "ü"), ("''", "")]),
    ("char(3)", &[("'a'", "a  ")]),
    ("text", &[("'ü'", "ü"), ("''", ""), ("null", "NULL")]),
    ("ntext", &[("'🎈'", "🎈"), ("null", "NULL")]),
    ("binary(3)", &[("0x00ff00", "00ff00"), ("null", "NULL")]),
    ("varbinary(9)", &[("0x", ""), ("0x5c4e090a", "5c4e090a")]),
    ("varbinary(max)", &[("0x", ""), ("0x00ff", "00ff"), ("null", "NULL")]),
    ("image", &[("0x00ff", "00ff"), ("null", "NULL")]),
    ("timestamp", &[("0x00000000000007d1", "00000000000007d1")]),
    (
        "uniqueidentifier",
        &[
            (
                "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
                "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            ),
            ("null", "NULL"),
        ],
    ),
    ("xml", &[("'<a>ü🎈</a>'", "<a>ü🎈</a>"), ("null", "NULL")]),
];

/// What loses its seventh digit and its offset on the way to any other engine.
const MOMENTS: &[Edges] = &[
    ("time(7)", &[("'23:59:59.9999999'", "23:59:59.999999")]),
    (
        "datetime2(7)",
        &[
            ("'0001-01-01 00:00:00.0000001'", "0001-01-01 00:00:00"),
            ("'9999-12-31 23:59:59.9999999'", "9999-12-31 23:59:59.999999"),
        ],
    ),
    (
        "datetimeoffset(7)",
        &[
            ("'2024-01-01 00:30:00.1234567+02:00'", "2023-12-31 22:30:00.123456+00"),
            ("'0001-01-01 00:00:00+00:00'", "0001-01-01 00:00:00+00"),
            ("'9999-12-31 23:59:59.9999999+00:00'", "9999-12-31 23:59:59.999999+00"),
            ("null", "NULL"),
        ],
    ),
    (
        "datetimeoffset(0)",
        &[("'2024-01-01 00:30:00-03:30'", "2024-01-01 04:00:00+00")],
    ),
];

/// What keeps both between two of its own kind.
const OWN_MOMENTS: &[Edges] = &[
    ("time(7)", &[("'23:59:59.9999999'", "23:59:59.9999999")]),
    (
        "datetime2(7)",
        &[
            ("'0001-01-01 00:00:00.0000001'", "0001-01-01 00:00:00.0000001"),
            ("'9999-12-31 23:59:59.9999999'", "9999-12-31 23:59:59.9999999"),
        ],
    ),
    (
        "datetimeoffset(7)",
        &[
            (
                "'2024-01-01 00:30:00.1234567+02:00'",
                "2024-01-01 00:30:00.1234567+02:00",
            ),
            ("'2024-01-01 00:30:00-03:30'", "2024-01-01 00:30:00-03:30"),
        ],
    ),
];

/// Into SQL Server, by the source.
const INTO: &[(TablesKind, &[Edges])] = &[
    (
        TablesKind::Postgres,
        &[
            ("boolean", &[("true", "true"), ("null", "NULL")]),
            ("bigint", &[("-9223372036854775808", "-9223372036854775808")]),
            (
                "numeric(38,10)",
                &[(
                    "9999999999999999999999999999.9999999999",
                    "9999999999999999999999999999.9999999999",
                )],
            ),
            (
                "numeric",
                &[("1e20", "100000000000000000000"), ("-0.5", "-0.5"), ("null", "NULL")],
            ),
            ("real", &[("0.1", "0.1")]),
            ("double precision", &[("-2.5e-10", "-0.00000000025")]),
            ("text", &[("''", ""), ("e'🎈\\t'", "🎈\t")]),
            ("character varying(4)", &[("'🎈🎈'", "🎈🎈")]),
            ("bytea", &[("''", ""), ("'\\x00ff'", "00ff")]),
            ("jsonb", &[("'{\"b\":1}'", "{\"b\": 1}")]),
            (
                "uuid",
                &[(
                    "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
                    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                )],
            ),
            (
                "date",
                &[("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31")],
            ),
            ("time", &[("'23:59:59.999999'", "23:59:59.999999")]),
            (
                "timestamp",
                &[
                    ("'0001-01-01 00:00:00.5'", "0001-01-01 00:00:00.5"),
                    ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
                ],
            ),
            (
                "timestamptz",
                &[("'2024-01-01 00:00+02'", "2023-12-31 22:00:00+00"), ("null", "NULL")],
            ),
            ("interval", &[("'1 day'", "P1D")]),
        ],
    ),
    (
        TablesKind::MySql,
        &[
            ("tinyint(1)", &[("1", "true"), ("null", "NULL")]),
            ("tinyint unsigned", &[("255", "255")]),
            ("bigint unsigned", &[("18446744073709551615", "18446744073709551615")]),
            ("decimal(38,10)", &[("-0.0000000001", "-0.0000000001")]),
            ("varchar(10)", &[("'🎈'", "🎈"), ("''", "")]),
            ("longblob", &[("x'00ff'", "00ff"), ("null", "NULL")]),
            ("bit(10)", &[("b'1000000001'", "0201")]),
            ("date", &[("'9999-12-31'", "9999-12-31"), ("'0000-00-00'", "NULL")]),
            (
                "datetime(6)",
                &[("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999")],
            ),
            ("timestamp null", &[("'2038-01-19 03:14:07'", "2038-01-19 03:14:07+00")]),
            ("time", &[("'-838:59:59'", "-838:59:59")]),
            ("enum('a','B')", &[("'B'", "B")]),
        ],
    ),
    (
        TablesKind::Sqlite,
        &[
            (
                "integer",
                &[("-9223372036854775808", "-9223372036854775808"), ("null", "NULL")],
            ),
            ("boolean", &[("1", "true")]),
            ("real", &[("0.1", "0.1")]),
            ("text", &[("''", ""), ("'🎈'", "🎈")]),
            ("blob", &[("x'00ff'", "00ff"), ("x''", "")]),
            (
                "date",
                &[("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31")],
            ),
            (
                "datetime",
                &[("'2024-01-01T02:00:00.5+02:00'", "2024-01-01 00:00:00.5")],
            ),
            ("time", &[("'23:59'", "23:59:00")]),
        ],
    ),
];

/// What no sink of SQL Server takes.
const REFUSED: &[(TablesKind, &str, &str)] = &[
    (TablesKind::Postgres, "double precision", "'NaN'"),
    (TablesKind::Postgres, "real", "'infinity'"),
    (TablesKind::Postgres, "numeric(5,2)", "'NaN'"),
    (TablesKind::Postgres, "numeric", "1e30"),
    (TablesKind::Postgres, "date", "'infinity'"),
    (TablesKind::Postgres, "date", "'0044-03-15 BC'"),
    (TablesKind::Postgres, "timestamp", "'12024-12-31'"),
    (TablesKind::Postgres, "time", "'24:00:00'"),
    (TablesKind::Postgres, "character varying(2)", "'🎈🎈'"),
    (TablesKind::Sqlite, "varchar(2)", "'abc'"),
    (TablesKind::Sqlite, "real", "9e999"),
];

/// What comes out of SQL Server, and PostgreSQL does not take.
const REFUSED_BY_POSTGRES: &[(&str, &str)] = &[
    ("nvarchar(5)", "'a' || char(0)"),
    // Half a pair of UTF-16, alone and at the end.
    ("nvarchar(5)", "0x3dd8"),
    ("nvarchar(max)", "0x610000de"),
];

async fn check(from: TablesKind, to: TablesKind, all: &[Edges]) {
    let (source, sink) = (from.subject().await, to.subject().await);
    for (number, (native, values)) in all.iter().enumerate() {
        let literals: Vec<&str> = values.iter().map(|(literal, _)| *literal).collect();
        let table = format!("edge_{number}");
        let moved = moved(&source, &sink, &table, native, &literals).await;
        let (here, there) = moved.unwrap_or_else(|failure| panic!("{from:?} → {to:?}, {native}: {failure}"));
        let same = |shown: &[&str]| {
            // An unbounded numeric gets digits that say nothing.
            let trimmed = shown.iter().map(|text| match (*native, text.contains('.')) {
                ("numeric", true) => text.trim_end_matches('0').trim_end_matches('.'),
                _ => text,
            });
            trimmed.map(str::to_owned).collect::<Vec<_>>()
        };
        let expected: Vec<&str> = values.iter().map(|(_, expected)| *expected).collect();
        assert_eq!(same(&shown(&here)), expected, "{from:?} → {to:?}, {native}, read");
        assert_eq!(
            same(&shown(&there)),
            expected,
            "{from:?} → {to:?}, {native}, written and read"
        );
        assert_one_digest(&source, &sink, &table).await;
    }
}

pub async fn out_of() {
    for to in [TablesKind::Postgres, TablesKind::Sqlite, TablesKind::MySql] {
        check(TablesKind::SqlServer, to, COMMON).await;
        check(TablesKind::SqlServer, to, MOMENTS).await;
    }
    check(TablesKind::SqlServer, TablesKind::SqlServer, COMMON).await;
    check(TablesKind::SqlServer, TablesKind::SqlServer, OWN_MOMENTS).await;
}

/// A column that takes no NULL has another form on the wire.
pub async fn without_nulls() {
    let (source, sink) = (
        TablesKind::SqlServer.subject().await,
        TablesKind::SqlServer.subject().await,
    );
    for (number, (native, values)) in COMMON.iter().chain(OWN_MOMENTS).enumerate() {
        let values = values.iter().filter(|(literal, _)| *literal != "null");
        let (literals, expected): (Vec<&str>, Vec<&str>) = values.copied().unzip();
        let strict = format!("{native} not null");
        let moved = moved(&source, &sink, &format!("strict_{number}"), &strict, &literals).await;
        let (here, there) = moved.unwrap_or_else(|failure| panic!("{strict}: {failure}"));
        assert_eq!(shown(&here), expected, "{strict}, read");
        assert_eq!(shown(&there), expected, "{strict}, written and read");
    }
}

pub async fn into() {
    for (from, all) in INTO {
        check(*from, TablesKind::SqlServer, all).await;
    }
}

pub async fn refused() {
    let sink = TablesKind::SqlServer.subject().await;
    for (number, (kind, native, literal)) in REFUSED.iter().enumerate() {
        let source = kind.subject().await;
        let moved = moved(&source, &sink, &format!("refused_{number}"), native, &[*literal]).await;
        let Err(failure) = moved else {
            panic!("{kind:?} {native} {literal} arrives as {moved:?}");
        };
        assert_eq!(failure.class, FailureClass::Data, "{native} {literal}: {failure}");
    }
    let (source, sink) = (
        TablesKind::SqlServer.subject().await,
        TablesKind::Postgres.subject().await,
    );
    for (number, (native, literal)) in REFUSED_BY_POSTGRES.iter().enumerate() {
        let moved = moved(&source, &sink, &format!("refused_{number}"), native, &[*literal]).await;
        let Err(failure) = moved else {
            panic!("{native} {literal} arrives as {moved:?}");
        };
        assert_eq!(failure.class, FailureClass::Data, "{native} {literal}: {failure}");
    }
    for native in ["sql_variant", "hierarchyid", "geography", "geometry"] {
        for to in [Engine::Postgres, Engine::Sqlite, Engine::MySql, Engine::SqlServer] {
            let types = type_table(Engine::SqlServer, to);
            assert_eq!(types.map(native), None, "{native} → {to}");
        }
    }
}
