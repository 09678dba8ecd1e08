//! Kills of a job that moves tables into a server.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::random::Random;
use super::servers::{Mariadb, Postgres};
use super::size;

const SPEC: &str = r#"
job: tables
source: { tables: { connection: crm, quiet: true, chunks: { rows: 200 } } }
sink: { connection: campaign, SINK }
naming: { table: "{{snake table.name}}", column: "{{snake column.name}}" }
concurrency: { limit: 4, items: { limit: 3, units: { limit: 2 } } }
retry: { max_attempts: 3, initial_delay: 10ms, max_delay: 100ms }
"#;

/// Rows of a table.
pub fn rows(number: usize) -> usize {
    100 + 37 * (number % 40)
}

/// A table with a key into the one before.
fn script(number: usize) -> String {
    let before = number.saturating_sub(1);
    let key = if number == 0 {
        String::new()
    } else {
        format!(", constraint Parent{number} foreign key (Parent) references Table{before} (Id)")
    };
    format!(
        "create table Table{number} (Id int not null auto_increment primary key, Parent int, Label varchar(40) not null, Amount decimal(12,3), \
         Seen datetime(6), IsOpen bit(1), Payload blob, key Label{number} (Label){key}) engine=InnoDB;\n\
         insert into Table{number} select seq, 1 + seq % 7, concat('Zeile ', seq, ' ✓'), seq + 0.125, '2024-02-29 12:00:00.000001', seq % 2, x'00ff' \
         from seq_1_to_{rows};\n",
        rows = rows(number),
    )
}

/// A table of as many rows, for SQLite.
pub fn sqlite_script(number: usize) -> String {
    format!(
        "create table Table{number} (Id integer primary key, Label text not null, Amount decimal(12,3), Payload blob);\n\
         with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})\n\
         insert into Table{number} select i, 'Zeile ' || i || ' ✓', i || '.125', x'00ff' from n;\n",
        rows = rows(number),
    )
}

fn pipeline(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("PG_PASSWORD", Postgres::PASSWORD)
        .env("MARIADB_PASSWORD", Mariadb::PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn after_kills_every_table_is_there_once_and_whole() {
    kill_and_go_on("mode: replace", size(40, 300), size(5, 50));
}

#[test]
fn after_kills_chunks_that_stayed_are_there_once() {
    kill_and_go_on("mode: truncate, on_partial: keep", size(20, 100), size(5, 50));
}

fn kill_and_go_on(sink: &str, tables: usize, kills: usize) {
    let postgres = Postgres::start();
    postgres.create_database("campaign");
    let mariadb = Mariadb::start();
    mariadb.create_database("crm");
    for number in 0..tables {
        mariadb.sql("crm", &script(number));
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("job.yaml", &SPEC.replace("SINK", sink));
    write(
        "connections.toml",
        &format!(
            "[local.crm.mysql]\nhost = '127.0.0.1'\nport = {}\ndatabase = 'crm'\nuser = '{}'\npassword = '${{env:MARIADB_PASSWORD}}'\n\
             [local.campaign.postgres]\nhost = '127.0.0.1'\nport = {}\ndatabase = 'campaign'\nuser = '{}'\npassword = '${{env:PG_PASSWORD}}'\n",
            mariadb.port,
            Mariadb::USER,
            postgres.port,
            Postgres::USER
        ),
    );
    // One run to its end tells how long one takes, and makes the first tables that the others replace.
    let begun = Instant::now();
    assert!(
        pipeline(folder.path(), &["run", "job.yaml"])
            .status()
            .unwrap()
            .success()
    );
    let whole = begun.elapsed();
    let mut random = Random::seeded();
    let mut hits = 0;
    let mut arguments = vec!["run", "job.yaml", "--restart", "--yes"];
    for _ in 0..kills {
        let mut run = pipeline(folder.path(), &arguments).spawn().unwrap();
        // The moment itself is what is varied, so there is no event to wait for.
        let share = 10 + random.below(70) as u32;
        std::thread::sleep((whole * share / 100).max(Duration::from_millis(20)));
        run.kill().unwrap();
        let killed = run.wait().unwrap();
        hits += usize::from(killed.code().is_none());
        // What a kill has left goes on, or is all done: then everything is loaded once more.
        arguments.truncate(2);
        if killed.code().is_some() {
            arguments.extend(["--restart", "--yes"]);
        }
    }
    assert!(hits * 2 > kills, "{hits} of {kills} kills hit");
    let ended = pipeline(folder.path(), &["run", "job.yaml"])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}\n{}",
        ended.status,
        String::from_utf8_lossy(&ended.stdout)
    );

    let verified = pipeline(folder.path(), &["verify", "job.yaml", "--checksum"])
        .status()
        .unwrap();
    assert!(verified.success(), "the rows are those of the source: {verified}");
    let ask = |text: &str| postgres.psql("campaign", text);
    let count = tables.to_string();
    assert_eq!(
        ask("select count(*) from pg_tables where schemaname = 'public'"),
        count,
        "and nothing beside them"
    );
    assert_eq!(
        ask("select count(*) from pg_constraint where contype = 'p' and connamespace = 'public'::regnamespace"),
        count
    );
    assert_eq!(
        ask("select count(*) from pg_constraint where contype = 'f' and convalidated"),
        (tables - 1).to_string()
    );
    assert_eq!(
        ask("select count(*) from pg_indexes where indexname like '%_Label%'"),
        count
    );
    assert_eq!(
        ask("insert into table0 (parent, label) values (1, 'next') returning id"),
        "101",
        "numbers go on behind the highest"
    );
}

const INTO_FILES: &str = r#"
job: tables
source: { tables: { connection: crm, chunks: { rows: 200 } } }
sink: { connection: lake, format: parquet }
concurrency: { limit: 4, items: { limit: 3, units: { limit: 2 } } }
retry: { max_attempts: 3, initial_delay: 10ms, max_delay: 100ms }
"#;

/// No moment of a load leaves a folder that is declared complete and is not.
#[test]
fn after_kills_every_table_of_files_is_whole_or_says_that_it_is_not() {
    let (tables, kills) = (size(40, 200), size(5, 50));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("job.yaml", INTO_FILES);
    write("crm.sql", &(0..tables).map(sqlite_script).collect::<String>());
    write(
        "connections.toml",
        "[local]\ncrm.sqlite = { path = 'crm.sqlite', script = 'crm.sql' }\nlake.fs = { root = 'lake' }\n",
    );
    let first = pipeline(folder.path(), &["run", "job.yaml"]).status().unwrap();
    assert!(first.success());
    let anew = ["run", "job.yaml", "--restart", "--yes"];
    let begun = Instant::now();
    assert!(pipeline(folder.path(), &anew).status().unwrap().success());
    let whole = begun.elapsed();
    let parts = |number: usize| rows(number).div_ceil(200);
    let check = |is_over: bool| {
        for number in 0..tables {
            let table = folder.path().join(format!("lake/Table{number}"));
            let names: Vec<String> = (std::fs::read_dir(&table).unwrap())
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            let is_declared = names.iter().any(|name| name == "_SUCCESS");
            assert!(is_declared || !is_over, "{table:?}: {names:?}");
            let found = names.iter().filter(|name| name.ends_with(".parquet")).count();
            assert!(found == parts(number) || !is_declared, "{table:?}: {names:?}");
        }
    };
    check(true);
    let mut random = Random::seeded();
    let mut hits = 0;
    for _ in 0..kills {
        let mut run = pipeline(folder.path(), &anew).spawn().unwrap();
        // The moment itself is what is varied, so there is no event to wait for.
        let share = 10 + random.below(70) as u32;
        std::thread::sleep((whole * share / 100).max(Duration::from_millis(20)));
        run.kill().unwrap();
        hits += usize::from(run.wait().unwrap().code().is_none());
        check(false);
        // What the kill has left goes on.
        let ended = pipeline(folder.path(), &["run", "job.yaml"]).status().unwrap();
        assert!(ended.success(), "{ended}");
        check(true);
    }
    assert!(hits * 2 > kills, "{hits} of {kills} kills hit");
    let verified = pipeline(folder.path(), &["verify", "job.yaml", "--checksum"])
        .status()
        .unwrap();
    assert!(verified.success(), "the rows are those of the source: {verified}");
}
