//! The test server of SQL Server's protocol, asked by clients of other people; and what the connection makes of answers that end badly.

use std::io::Write;
use std::process::{Command, Stdio};

use futures::TryStreamExt;
use pipeline::connect::{ReadRequest, RowsFrom, RowsRequest};
use pipeline::model::{FailureClass, RowRange, TableName};

use super::kinds::{next_name, runtime};
use super::servers::{Fault, TdsServer};
use super::tables_kinds::{TablesKind, TablesSubject, tds};

/// A table of a column for each type that those clients know, a row of values, and one of NULLs.
const TYPES: &[(&str, &str, &str)] = &[
    ("bit", "1", "True"),
    ("tinyint", "255", "255"),
    ("smallint", "-32768", "-32768"),
    ("int", "2147483647", "2147483647"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    (
        "decimal(38,10)",
        "'-1234567890123456789012345678.0123456789'",
        "-1234567890123456789012345678.0123456789",
    ),
    ("money", "'-922337203685477.5808'", "-922337203685477.5808"),
    ("smallmoney", "'214748.3647'", "214748.3647"),
    ("real", "0.5", "0.5"),
    ("float", "-2.5e-10", "-2.5e-10"),
    ("date", "'2024-02-29'", "2024-02-29"),
    ("time(7)", "'23:59:59.1234560'", "23:59:59.123456"),
    (
        "datetime2(7)",
        "'0001-01-01 23:59:59.1234560'",
        "0001-01-01 23:59:59.123456",
    ),
    (
        "datetimeoffset(3)",
        "'2024-01-01 00:30:00.125+02:00'",
        "2024-01-01 00:30:00.125000+02:00",
    ),
    ("datetime", "'2024-02-29 23:59:59.997'", "2024-02-29 23:59:59.997000"),
    ("smalldatetime", "'2024-02-29 23:59:00'", "2024-02-29 23:59:00"),
    ("nvarchar(40)", "N'ä🎈漢'", "ä🎈漢"),
    ("nvarchar(max)", "replicate(N'🎈', 3000)", "🎈×3000"),
    ("varchar(40)", "'ä'", "ä"),
    ("varchar(max)", "replicate('ab', 9000)", "ab×9000"),
    ("ntext", "N'🎈'", "🎈"),
    ("varbinary(9)", "0x00ff", "00ff"),
    ("varbinary(max)", "0x00ff00", "00ff00"),
    (
        "uniqueidentifier",
        "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ),
    ("xml", "N'<a>🎈</a>'", "<a>🎈</a>"),
];

fn database_with_types(server: &TdsServer) -> String {
    let name = next_name().replace('-', "_");
    server.create_database(&name);
    let columns: Vec<String> = TYPES
        .iter()
        .enumerate()
        .map(|(place, (native, ..))| format!("c{place} {native}"))
        .collect();
    let values: Vec<&str> = TYPES.iter().map(|(_, literal, _)| *literal).collect();
    let nulls = vec!["null"; TYPES.len()];
    server.sql(
        &name,
        &[
            &format!("create table dbo.kinds (id int not null, {})", columns.join(", ")),
            &format!("insert into dbo.kinds values (1, {})", values.join(", ")),
            &format!("insert into dbo.kinds values (2, {})", nulls.join(", ")),
            "create table dbo.many (id int, word nvarchar(40))",
            "with n (i) as (select 1 union all select i + 1 from n where i < 5000) insert into dbo.many select i, concat(N'wört', i) from n",
        ],
    );
    name
}

fn said(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts; tests/install installs it");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{error}");
    out.into_owned()
}

/// A long text as what it repeats, and how often.
fn folded(text: &str) -> String {
    for unit in ["🎈", "ab"] {
        let count = text.matches(unit).count();
        if count > 1_000 && unit.len() * count == text.len() {
            return format!("{unit}×{count}");
        }
    }
    text.to_owned()
}

#[test]
fn tds_python_reads_what_is_there() {
    let server = tds();
    let database = database_with_types(server);
    let script = format!("{}/tests/servers/tds/read.py", env!("CARGO_MANIFEST_DIR"));
    let read = |query: &str| -> Vec<Vec<String>> {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", super::servers::tool("pytds")).args([
            script.as_str(),
            &server.port.to_string(),
            &database,
            TdsServer::USER,
            TdsServer::PASSWORD,
            query,
        ]);
        serde_json::from_str(&said(&mut command, "")).unwrap()
    };
    let rows = read("select * from dbo.kinds order by id");
    let expected: Vec<String> = TYPES.iter().map(|(.., shown)| (*shown).to_owned()).collect();
    let shown: Vec<String> = rows[0][1..].iter().map(|text| folded(text)).collect();
    assert_eq!(shown, expected);
    assert!(rows[1][1..].iter().all(|value| value == "None"), "{:?}", rows[1]);
    let many = read("select id, word from dbo.many where id > 4000 order by id");
    assert_eq!((many.len(), many[999][1].as_str()), (1_000, "wört5000"));
    assert_eq!(
        read("select word from dbo.many where id = %s|42"),
        [["wört42"]],
        "by a parameter"
    );
    assert_eq!(read("select count(*) from dbo.absent"), [["error 208"]]);
}

#[test]
fn tds_freetds_reads_what_is_there() {
    let server = tds();
    let database = database_with_types(server);
    let ask = |query: &str| {
        let mut command = Command::new("tsql");
        // Without the first line, which says what the next ones are, and what the client says of itself.
        command
            .env("TDSVER", "7.4")
            .env("LC_ALL", "C.UTF-8")
            .args([
                "-o",
                "fhq",
                "-H",
                "127.0.0.1",
                "-p",
                &server.port.to_string(),
                "-D",
                &database,
            ])
            .args(["-U", TdsServer::USER, "-P", TdsServer::PASSWORD]);
        said(&mut command, &format!("{query}\ngo\nexit\n"))
    };
    let shown = ask("select c3, c4, c5, c16, c18, c23 from dbo.kinds order by id");
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        [
            "2147483647\t-9223372036854775808\t-1234567890123456789012345678.0123456789\tä🎈漢\tä\t6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
            "NULL\tNULL\tNULL\tNULL\tNULL\tNULL"
        ]
    );
    let many = ask("select id, word from dbo.many order by id");
    assert_eq!(many.lines().count(), 5_000);
    assert_eq!(many.lines().last(), Some("5000\twört5000"));
}

fn whole(subject: &TablesSubject, columns: Vec<pipeline::model::ColumnMapping>) -> ReadRequest {
    ReadRequest {
        from: RowsFrom::Table(subject.name("many")),
        columns,
        range: RowRange::Whole,
        snapshot: None,
        unread: None,
    }
}

/// An answer that ends badly in its middle fails the read, whatever of it has arrived, and the next one is whole.
#[test]
fn tds_an_answer_that_ends_badly_is_no_answer() {
    runtime().block_on(async {
        let server = TdsServer::start();
        let database = database_with_types(&server);
        let subject = TablesKind::SqlServer
            .subject_at(server.port, &database, TdsServer::PASSWORD)
            .await;
        let columns = subject.mapping("many", &subject).await.columns;
        let faults = [
            (Fault::Error(1_205, 13), FailureClass::Transient, "database.deadlock"),
            (Fault::Error(8_115, 16), FailureClass::Data, "database.value"),
            (Fault::Error(40_501, 20), FailureClass::Throttled, "database.throttled"),
            (Fault::Error(229, 14), FailureClass::Denied, "database.privilege"),
            (Fault::Cut, FailureClass::Transient, "database.connection"),
        ];
        for (fault, class, code) in faults {
            for rows in [0, 1_000, 4_999] {
                server.plan_fault("from [dbo].[many]", rows, fault);
                let read = subject.read(whole(&subject, columns.clone())).await;
                let failure = read.expect_err("half an answer is none");
                assert_eq!(
                    (failure.class, &*failure.code),
                    (class, code),
                    "after {rows} rows: {failure}"
                );
            }
            assert_eq!(
                subject.read(whole(&subject, columns.clone())).await.unwrap().len(),
                5_000
            );
        }
    });
}

/// A bulk load that the server refuses leaves nothing, and a connection that goes on.
#[test]
fn tds_a_load_that_is_refused_leaves_nothing() {
    runtime().block_on(async {
        let server = TdsServer::start();
        let database = database_with_types(&server);
        server.sql(
            &database,
            &["create table dbo.taken (id int not null primary key, word nvarchar(40) not null)"],
        );
        let subject = TablesKind::SqlServer
            .subject_at(server.port, &database, TdsServer::PASSWORD)
            .await;
        let columns = subject.mapping("many", &subject).await.columns;
        let request = RowsRequest {
            table: TableName::new("dbo", "taken"),
            columns: columns.clone(),
            upsert_key: Vec::new(),
            part: 1,
        };
        let batches: Vec<_> = subject
            .database
            .read(whole(&subject, columns))
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let mut writer = subject.database.write(request.clone()).await.unwrap();
        for batch in &batches {
            writer.write(batch.clone()).await.unwrap();
        }
        assert_eq!(writer.finish(None).await.unwrap(), 5_000);
        let mut writer = subject.database.write(request).await.unwrap();
        let failure = writer.write_apart(batches[0].clone()).await.unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Data, "database.constraint"),
            "{failure}"
        );
        assert_eq!(writer.finish(None).await.unwrap(), 0);
        assert_eq!(subject.count("taken").await, 5_000);
    });
}

/// A certificate that the machine does not trust is refused by whoever insists on encryption, and taken by whoever does not ask for any.
#[test]
fn tds_a_certificate_that_nobody_trusts_is_refused() {
    runtime().block_on(async {
        let server = TdsServer::start_encrypted();
        assert!(server.certificate().is_file());
        let subject = TablesKind::SqlServer.encrypted_at(server.port, "master").await;
        let failure = subject.connections.probe("subject").await.unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Permanent, "connection.tls"),
            "{failure}"
        );
        let unasked = TablesKind::SqlServer
            .subject_at(server.port, "master", TdsServer::PASSWORD)
            .await;
        unasked.connections.probe("subject").await.unwrap();
    });
}

/// A load that meets a fault is one of its class, and leaves nothing.
#[test]
fn tds_a_load_that_is_cut_leaves_nothing() {
    runtime().block_on(async {
        let server = TdsServer::start();
        let database = database_with_types(&server);
        server.sql(&database, &["create table dbo.taken (id int, word nvarchar(40))"]);
        let subject = TablesKind::SqlServer
            .subject_at(server.port, &database, TdsServer::PASSWORD)
            .await;
        let columns = subject.mapping("many", &subject).await.columns;
        let batches: Vec<_> = subject
            .database
            .read(whole(&subject, columns.clone()))
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let faults = [
            (
                "INSERT BULK",
                Fault::Cut,
                FailureClass::Transient,
                "database.connection",
            ),
            (
                "INSERT BULK",
                Fault::Error(9_002, 17),
                FailureClass::Transient,
                "database.disk_full",
            ),
            (
                "commit transaction",
                Fault::Cut,
                FailureClass::Transient,
                "database.outcome_unknown",
            ),
        ];
        for (text, fault, class, code) in faults {
            let mut writer = subject
                .database
                .write(subject.writing("taken", columns.clone()))
                .await
                .unwrap();
            server.plan_fault(text, 0, fault);
            let failure = match writer.write(batches[0].clone()).await {
                Ok(()) => writer.finish(None).await.unwrap_err(),
                Err(failure) => failure,
            };
            assert_eq!((failure.class, &*failure.code), (class, code), "{text}: {failure}");
            assert_eq!(subject.count("taken").await, 0, "{text}");
        }
    });
}

/// A text of a code page may be sorted otherwise than the same text in Unicode, which is what the bounds of ranges are.
#[test]
fn tds_a_key_of_a_code_page_is_sorted_as_ranges_compare_it() {
    runtime().block_on(async {
        let server = TdsServer::start();
        let database = database_with_types(&server);
        server.sql(
            &database,
            &["create table dbo.coded (code varchar(20), word nvarchar(20))"],
        );
        let subject = TablesKind::SqlServer
            .subject_at(server.port, &database, TdsServer::PASSWORD)
            .await;
        let from = RowsFrom::Table(subject.name("coded"));
        server.plan_fault("order by cast([code] as nvarchar(4000))", 0, Fault::Error(1_205, 13));
        let met = subject.database.key_bounds(&from, "code", 10).await.unwrap_err();
        assert_eq!(&*met.code, "database.deadlock", "{met}");
        server.plan_fault("order by [word]", 0, Fault::Error(1_205, 13));
        let met = subject.database.key_bounds(&from, "word", 10).await.unwrap_err();
        assert_eq!(&*met.code, "database.deadlock", "{met}");
    });
}
