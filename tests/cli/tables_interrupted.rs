//! What a database still does for a run that is gone.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::SPEC;
use crate::servers::Postgres;
use crate::tables::{into_postgres, into_sqlite, postgres};
use crate::tables_resumed::THOUSAND;

#[test]
fn rows_that_a_killed_run_was_putting_in_place_are_never_those_of_the_next() {
    let project = into_postgres(THOUSAND, "orphans");
    let psql = |text: &str| postgres().psql("orphans", text);
    let wait_for = |count: &str, what: &str| {
        let asked = format!("select count(*) from pg_stat_activity where datname = current_database() and {what}");
        while psql(&asked) != count {
            thread::sleep(Duration::from_millis(20));
        }
    };
    project.run().exits(0);
    // A session that nobody waits for keeps the table to itself until it is ended.
    let reader = thread::spawn(|| {
        postgres().try_psql(
            "orphans",
            "begin; lock table t in access exclusive mode; select pg_sleep(600)",
        )
    });
    wait_for("1", "wait_event = 'PgSleep'");
    let restart = ["run", SPEC, "--restart", "--yes"];
    let killed = project.spawn(restart);
    wait_for("1", "wait_event_type = 'Lock' and query like '%rename to%'");
    killed.kill();
    let next = project.spawn(["run", SPEC]);
    wait_for("2", "wait_event_type = 'Lock'");
    psql("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'");
    assert!(reader.join().unwrap().is_err());
    next.wait().exits(0);
    assert_eq!(psql("select count(*) from t"), "1000");
    project.command(["verify", SPEC, "--checksum"]).exits(0).says("1 of 1");
    assert_eq!(
        psql("select count(*) from pg_tables where tablename like 'pipeline_%'"),
        "0"
    );
}

#[test]
fn a_view_that_is_gone_is_not_asked_for_again_in_the_same_run() {
    postgres().create_database("views");
    let psql = |text: &str| postgres().psql("views", text);
    psql("create table t (id int primary key, label text)");
    psql("insert into t select n, 'label ' || n from generate_series(1, 2000) n");
    let project = into_sqlite(THOUSAND);
    let (port, user) = (postgres().port, Postgres::USER);
    project.edit(
        "jobs/connections.toml",
        "crm.sqlite = { path = \"crm.sqlite\", script = \"crm.sql\" }",
        &format!(
            "crm.postgres = {{ host = \"127.0.0.1\", port = {port}, database = \"views\", user = \"{user}\", password = \"${{env:PG_PASSWORD}}\", \
             rate = \"20/s\" }}"
        ),
    );
    project.edit(SPEC, "rows: 100", "rows: 100, by: key");
    let run = project.spawn(["run", SPEC, "--json"]);
    let holder = "from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and query like '%export_snapshot%'";
    while psql(&format!("select count(pg_terminate_backend(pid)) {holder}")) == "0" {
        thread::sleep(Duration::from_millis(20));
    }
    let run = run.wait().exits(5).json();
    assert_eq!(run["retries"], json!(0), "{run}");
    project.command(["failures", SPEC]).says("database.snapshot_lost");
    project.run().exits(0);
    project.command(["verify", SPEC, "--checksum"]).exits(0).says("1 of 1");
}
