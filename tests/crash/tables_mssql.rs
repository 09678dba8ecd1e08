//! Kills of a job that moves tables into SQL Server, or what speaks its protocol: its transactions are undone, whatever they were in.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::random::Random;
use super::servers::TdsServer;
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
    let table = |number: usize| {
        let before = number.saturating_sub(1);
        let key = if number == 0 {
            String::new()
        } else {
            format!(" references Table{before} (Id)")
        };
        format!(
            "create table Table{number} (Id integer primary key, Before integer{key}, Label varchar(40) not null, Amount decimal(12,3), Payload blob);\n\
             with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})\n\
             insert into Table{number} select i, 1 + i % 7, 'Zeile ' || i || ' ✓', i || '.125', x'00ff' from n;\n\
             create index Label{number} on Table{number} (Label);\n",
            rows = 100 + 37 * (number % 40),
        )
    };
    (0..tables).map(table).collect()
}

fn pipeline(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("MSSQL_PASSWORD", TdsServer::PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn after_kills_every_table_of_sql_server_is_there_once_and_whole() {
    let (tables, kills) = (size(20, 100), size(5, 50));
    let server = TdsServer::start();
    server.create_database("campaign");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("job.yaml", SPEC);
    write("crm.sql", &script(tables));
    write(
        "connections.toml",
        &format!(
            "[local]\ncrm.sqlite = {{ path = 'crm.sqlite', script = 'crm.sql' }}\n[local.campaign.mssql]\nhost = '127.0.0.1'\n\
             port = {}\ndatabase = 'campaign'\nuser = '{}'\npassword = '${{env:MSSQL_PASSWORD}}'\n",
            server.port,
            TdsServer::USER
        ),
    );
    // One run to its end tells how long one takes, and makes the first tables that the others replace.
    let begun = Instant::now();
    let run = |arguments: &[&str]| pipeline(folder.path(), arguments).status().unwrap().success();
    assert!(run(&["run", "job.yaml"]));
    let mut whole = begun.elapsed();
    let mut random = Random::seeded();
    let mut hits = 0;
    let mut arguments = vec!["run", "job.yaml", "--restart", "--yes"];
    for _ in 0..3 * kills {
        if hits == kills {
            break;
        }
        let mut run = pipeline(folder.path(), &arguments).spawn().unwrap();
        // The moment itself is what is varied, so there is no event to wait for.
        let share = 10 + random.below(70) as u32;
        std::thread::sleep((whole * share / 100).max(Duration::from_millis(20)));
        run.kill().unwrap();
        let killed = run.wait().unwrap();
        hits += usize::from(killed.code().is_none());
        // What a kill has left goes on, or is all done: then everything is loaded once more, and kills have to come sooner to come at all.
        arguments.truncate(2);
        if killed.code().is_some() {
            arguments.extend(["--restart", "--yes"]);
            whole = whole * 3 / 4;
        }
    }
    assert!(hits * 2 > kills, "{hits} of {kills} kills hit");
    assert!(run(&["run", "job.yaml"]));
    assert!(
        run(&["verify", "job.yaml", "--checksum"]),
        "the rows are those of the source"
    );
    let ask = |text: &str| server.sql("campaign", &[text]);
    let count = tables.to_string();
    assert_eq!(ask("select count(*) from sys.tables"), count, "and nothing beside them");
    assert_eq!(ask("select count(*) from sys.indexes where is_primary_key = 1"), count);
    assert_eq!(ask("select count(*) from sys.indexes where is_primary_key = 0"), count);
    assert_eq!(ask("select count(*) from sys.foreign_keys"), (tables - 1).to_string());
}
