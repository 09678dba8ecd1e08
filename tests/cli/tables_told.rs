//! What is told of jobs of tables, and the commands around them.

use serde_json::json;

use crate::harness::SPEC;
use crate::tables::{SCRIPT, into_postgres, into_sqlite, postgres};

#[test]
fn a_job_whose_other_tables_are_done_is_complete_without_those_set_aside() {
    let project = into_postgres(SCRIPT, "aside");
    let psql = |text: &str| postgres().psql("aside", text);
    psql("create table country (other int not null)");
    project.edit(SPEC, "mode: replace", "mode: append");
    let run = project.command(["run", SPEC, "--json"]).exits(6).json();
    assert_eq!(run["account"]["items"]["failed"], json!(2), "{run}");
    project.command(["state", "skip", SPEC, "Country"]).exits(0);
    project
        .run()
        .exits(6)
        .says("points at `public.country`, which is set aside")
        .says("`state skip` of `Country` and `--undo`");
    project.command(["state", "skip", SPEC, "Order"]).exits(0);
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["items"]["skipped"], json!(2), "{run}");
    assert_eq!(run["account"]["failed_listings"], json!(0), "{run}");
    assert_eq!(psql("select count(*) from \"order\""), "500", "its rows stay");
    let report = project.command(["report", SPEC, "--json"]).exits(0).json();
    assert_eq!(report["account"]["failed_listings"], json!(0), "{report}");
    project
        .command(["verify", SPEC])
        .exits(0)
        .says("1 of 1 table equal")
        .says("2 tables are set aside");
    project.command(["state", "skip", SPEC, "Country", "--undo"]).exits(0);
    project.run().exits(6);
}

#[test]
fn constraints_alone_say_which_rows_they_wait_for() {
    let project = into_sqlite(SCRIPT);
    project.command(["run", SPEC, "--stage", "schema"]).exits(0);
    project
        .command(["run", SPEC, "--stage", "constraints"])
        .exits(5)
        .says("3 tables")
        .says("Next: pipeline run jobs/copy.yaml --stage data")
        .hides("with failures");
    project.command(["run", SPEC, "--stage", "data"]).exits(0);
    project.command(["run", SPEC, "--stage", "constraints"]).exits(0);
    project.command(["verify", SPEC]).exits(0);
}

#[test]
fn headlines_tell_what_a_run_of_tables_did() {
    let project = into_sqlite(SCRIPT);
    let headline = |flags: &[&str]| {
        let output = project.command(["run", SPEC].iter().chain(flags).copied()).exits(0);
        output
            .hides("nothing was copied")
            .stdout
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(headline(&["--stage", "schema"]).ends_with("run 1: completed"));
    assert!(headline(&["--stage", "data"]).ends_with("run 2: completed"));
    assert!(headline(&["--stage", "constraints"]).ends_with("run 3: completed"));
    assert!(headline(&[]).contains("run 4: nothing left to do"));
}

#[test]
fn a_run_tells_of_what_it_was_asked_for_and_status_says_the_same() {
    let project = into_postgres(SCRIPT, "asked_for");
    let psql = |text: &str| postgres().psql("asked_for", text);
    psql("create domain tame as text check (value <> '😀')");
    project.edit(SPEC, "mode: replace", "mode: replace, types: { text: tame }");
    project
        .command(["run", SPEC, "--fail-fast"])
        .exits(8)
        .says("stopped by --fail-fast;")
        .hides("--max-failures");
    project.run().exits(6).says("failures are left");
    project
        .command(["why", SPEC, "Order"])
        .exits(0)
        .says("data        failed")
        .says("5 chunks failed")
        .hides("in progress");
    project
        .command(["run", SPEC, "--only", "Country"])
        .exits(0)
        .hides("failure")
        .hides("Next: pipeline failures");
}

#[test]
fn a_key_that_fails_once_more_is_a_failure_of_that_run() {
    let project = into_postgres(SCRIPT, "once_more");
    let psql = |text: &str| postgres().psql("once_more", text);
    project.command(["run", SPEC, "--stage", "data"]).exits(0);
    psql("delete from country where country_id = 2");
    for _ in 0..2 {
        project.run().exits(6).says("1 failure is left");
        project
            .command(["status", SPEC])
            .says("1 in this run")
            .hides("none in this run");
    }
    project
        .command(["why", SPEC, "Order"])
        .exits(0)
        .says("constraints failed")
        .hides("could not be read");
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("table `Order`, ")
        .hides("table,");
}

#[test]
fn keys_that_were_taken_away_outlive_the_state_that_knows_of_them() {
    let project = into_postgres(SCRIPT, "owed");
    let psql = |text: &str| postgres().psql("owed", text);
    project.run().exits(0);
    psql("create table elsewhere (id int primary key, country_id bigint references country (country_id))");
    psql("insert into elsewhere values (1, 2)");
    let keys = "select count(*) from pg_constraint where contype = 'f'";
    assert_eq!(psql(keys), "2");
    psql("alter table country add constraint refused check (name <> 'Ö') not valid");
    project.edit(SPEC, "mode: replace", "mode: truncate");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(6);
    assert_eq!(psql(keys), "0", "they were taken away, and not given back");
    project
        .command(["plan", SPEC])
        .exits(0)
        .says("gives back: alter table")
        .says("elsewhere");
    project
        .command(["state", "skip", SPEC, "Country"])
        .exits(2)
        .says("elsewhere")
        .says("--forget-keys");
    // Two beginnings behind each other: the second finds nothing at the sink that would tell of the keys.
    project
        .command(["run", SPEC, "--restart", "--yes"])
        .exits(6)
        .says("gives them back behind the rows");
    psql("alter table country drop constraint refused");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(psql(keys), "2");
    assert!(!project.path(".pipeline/job/local/owed.json").exists());
    psql("alter table country add constraint refused check (name <> 'Ö') not valid");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(6);
    project
        .command(["state", "skip", SPEC, "Country", "--forget-keys"])
        .exits(0);
}

#[test]
fn a_plan_refuses_what_a_run_refuses() {
    let project = into_sqlite(SCRIPT);
    project.edit(SPEC, "chunks: { rows: 100 }", "chunks: { by: key, key: nosuch }");
    let plan = project.command(["plan", SPEC, "--json"]).exits(0).json();
    for table in plan["tables"].as_array().unwrap() {
        assert_eq!(table["decision"], "refuse", "{table}");
        assert!(
            table["reasons"][0].as_str().unwrap().contains("no column `nosuch`"),
            "{table}"
        );
    }
    project.run().exits(6).says("no column `nosuch`");
}
