//! Kills of a job that moves tables into a server.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::random::Random;
use super::servers::Postgres;
use super::size;

const SPEC: &str = r#"
job: tables
source: { tables: { connection: crm, chunks: { rows: 200 } } }
sink: { connection: campaign, mode: replace }
naming: { table: "{{snake table.name}}", column: "{{snake column.name}}" }
concurrency: { limit: 4, items: { limit: 3, units: { limit: 2 } } }
retry: { max_attempts: 3, initial_delay: 10ms, max_delay: 100ms }
"#;

/// Tables in a row, each with a key into the one before.
fn script(tables: usize) -> String {
    let mut script = String::new();
    for number in 0..tables {
        let before = number.saturating_sub(1);
        let key = if number == 0 {
            String::new()
        } else {
            format!(" references Table{before} (Id)")
        };
        script.push_str(&format!(
            "create table Table{number} (Id integer primary key, Before integer{key}, Label text not null, Amount decimal(12,3), Payload blob);\n\
             with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})\n\
             insert into Table{number} select i, 1 + i % 7, 'Zeile ' || i || ' ✓', i || '.125', x'00ff' from n;\n\
             create index Label{number} on Table{number} (Label);\n",
            rows = 100 + 37 * (number % 40),
        ));
    }
    script
}

fn pipeline(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("PG_PASSWORD", Postgres::PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn after_kills_every_table_is_there_once_and_whole() {
    let (tables, kills) = (size(40, 300), size(5, 50));
    let postgres = Postgres::start();
    postgres.create_database("campaign");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("job.yaml", SPEC);
    write("crm.sql", &script(tables));
    let (port, user) = (postgres.port, Postgres::USER);
    write(
        "connections.toml",
        &format!(
            "[local]\ncrm.sqlite = {{ path = 'crm.sqlite', script = 'crm.sql' }}\n[local.campaign.postgres]\nhost = '127.0.0.1'\n\
             port = {port}\ndatabase = 'campaign'\nuser = '{user}'\npassword = '${{env:PG_PASSWORD}}'\n"
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
        ask("insert into table0 (before, label) values (1, 'next') returning id"),
        "101",
        "numbers go on behind the highest"
    );
}
