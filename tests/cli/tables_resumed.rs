//! Jobs of tables that are gone on with: nothing is added twice, and nothing is taken for complete that is not.

use serde_json::json;

use crate::harness::SPEC;
use crate::tables::{SCRIPT, into_postgres, postgres, with_sink};

pub const THOUSAND: &str = "create table T (Id integer primary key, Label text);\n\
     with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) insert into T select i, 'label ' || i from n;";

#[test]
fn chunks_that_were_added_are_not_added_again() {
    let project = into_postgres(THOUSAND, "added");
    let psql = |text: &str| postgres().psql("added", text);
    psql("create domain tame as text check (value <> 'label 555')");
    psql("create table t (id bigint, label tame)");
    psql("insert into t values (5000, 'was there')");
    with_sink(&project, "mode: append, types: { text: tame }");
    project.run().exits(6);
    assert_eq!(psql("select count(*) from t"), "901");
    psql("alter domain tame drop constraint tame_check");
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["chunks"]["done"], json!(10), "{run}");
    assert_eq!(psql("select count(*) || ' ' || count(distinct id) from t"), "1001 1001");
}

#[test]
fn what_was_added_from_a_source_that_is_cut_otherwise_now_is_refused() {
    let project = into_postgres(THOUSAND, "cut");
    let psql = |text: &str| postgres().psql("cut", text);
    psql("create domain tame as text check (value <> 'label 555')");
    psql("create table t (id bigint, label tame)");
    with_sink(&project, "mode: append, types: { text: tame }");
    project.run().exits(6);
    psql("alter domain tame drop constraint tame_check");
    let source = rusqlite::Connection::open(project.path("jobs/crm.sqlite")).unwrap();
    assert_eq!(project.plan_json()["tables"][0]["decision"], "load", "the others are");
    source.execute("delete from T where Id < 50", []).unwrap();
    let table = &project.plan_json()["tables"][0];
    assert_eq!(table["decision"], "refuse", "{table}");
    let told = table["reasons"][0].as_str().unwrap();
    assert!(
        told.contains("9 of 10 chunks of `T`") && told.contains("`run --restart --only 'T'`"),
        "{told}"
    );
    project.plan().exits(0).says(told).says("1 refused");
    project.run().exits(6).says(told);
    project
        .command(["failures", SPEC])
        .says("tables.partial")
        .says("9 of 10 chunks of `T`");
    assert_eq!(psql("select count(*) from t"), "900");
}

#[test]
fn noted_chunks_of_a_source_that_was_written_to_are_refused_by_plan_and_run() {
    let project = into_postgres(THOUSAND, "noted");
    let psql = |text: &str| postgres().psql("noted", text);
    psql("create domain tame as text check (value <> 'label 555')");
    psql("create table t (id bigint, label tame)");
    project.edit(SPEC, "connection: crm,", "connection: crm, quiet: true,");
    with_sink(&project, "mode: append, on_partial: keep, types: { text: tame }");
    assert_eq!(project.plan_json()["tables"][0]["decision"], "load");
    project.run().exits(6);
    assert_eq!(project.plan_json()["tables"][0]["decision"], "load", "the others are");
    let source = rusqlite::Connection::open(project.path("jobs/crm.sqlite")).unwrap();
    source.execute("delete from T where Id < 50", []).unwrap();
    let table = &project.plan_json()["tables"][0];
    assert_eq!(table["decision"], "refuse", "{table}");
    let told = table["reasons"][0].as_str().unwrap();
    assert!(told.contains("no chunks of the source any more"), "{told}");
    project.run().exits(6).says(told);
    assert_eq!(psql("select count(*) from t"), "900");
}

#[test]
fn a_bad_row_of_an_upsert_is_written_down_alone() {
    let project = into_postgres(THOUSAND, "upserted");
    let psql = |text: &str| postgres().psql("upserted", text);
    psql("create table t (id bigint primary key, label text check (label <> 'label 555'))");
    psql("insert into t values (1, 'old')");
    with_sink(&project, "mode: upsert, on_bad_row: reject");
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["rows"]["rejected"], json!(1), "{run}");
    assert_eq!(psql("select count(*) || ' ' || min(label) from t"), "999 label 1");
}

#[test]
fn a_table_without_its_keys_is_not_complete_after_a_rebuild() {
    let project = into_postgres(THOUSAND, "rebuilt");
    let psql = |text: &str| postgres().psql("rebuilt", text);
    project.command(["run", SPEC, "--stage", "schema"]).exits(0);
    project.command(["run", SPEC, "--stage", "data"]).exits(0);
    let keys = "select count(*) from pg_constraint where contype = 'p' and conrelid = 't'::regclass";
    assert_eq!(psql(keys), "0");
    project.command(["state", "rebuild", SPEC]).exits(0);
    project.run().exits(0);
    assert_eq!(psql(keys), "1");
    assert_eq!(psql("select count(*) from t"), "1000");
}

#[test]
fn a_restart_of_selected_tables_leaves_the_others_as_they_are() {
    let project = into_postgres(SCRIPT, "restarted");
    let psql = |text: &str| postgres().psql("restarted", text);
    project.run().exits(0);
    psql("update country set name = 'elsewhere' where country_id = 2");
    psql("delete from \"order\" where order_id = 7");
    let restart = ["run", SPEC, "--restart", "--only", "Order"];
    project
        .command(restart)
        .exits(2)
        .says("`--restart` forgets what is done of 1 table; add `--yes`");
    project.run().exits(0).says("nothing left to do");
    project.command(["run", SPEC, "--restart", "--dry-run"]).exits(2);
    let restart = || restart.into_iter().chain(["--yes", "--json"]);
    let run = project.command(restart()).exits(0).json();
    assert_eq!(run["account"]["rows"]["written"], json!(500), "{run}");
    assert_eq!(psql("select count(*) from \"order\""), "500");
    assert_eq!(psql("select count(*) from country where name = 'elsewhere'"), "1");
    assert_eq!(psql("select count(*) from pg_constraint where contype = 'f'"), "1");
    project.command(["verify", SPEC]).exits(0).says("3 of 3");
    project.edit(SPEC, "rows: 100", "rows: 50");
    project.command(restart()).exits(0);
    assert_eq!(psql("select count(*) from country where name = 'elsewhere'"), "1");
    psql("drop table country cascade");
    project.command(["verify", SPEC, "--reopen"]).exits(11);
    project.command(["state", "skip", SPEC, "Country"]).exits(0);
    project
        .command(["run", SPEC, "--restart", "--yes"].into_iter().chain(["--only", "C*"]))
        .exits(0)
        .says("`Country` is set aside and stays so");
    assert_eq!(psql("select count(*) from pg_tables where tablename = 'country'"), "0");
}

#[test]
fn a_table_that_is_half_way_can_be_begun_anew_by_itself() {
    for on_partial in ["reload", "keep"] {
        let database = format!("anew_{on_partial}");
        let project = into_postgres(THOUSAND, &database);
        let psql = |text: &str| postgres().psql(&database, text);
        psql("create domain tame as text check (value <> 'label 555')");
        project.edit(SPEC, "connection: crm,", "connection: crm, quiet: true,");
        with_sink(&project, &format!("on_partial: {on_partial}, types: {{ text: tame }}"));
        project.run().exits(6);
        psql("alter domain tame drop constraint tame_check");
        let source = rusqlite::Connection::open(project.path("jobs/crm.sqlite")).unwrap();
        source.execute("delete from T where Id < 50", []).unwrap();
        project
            .command(["run", SPEC, "--restart", "--only", "T", "--yes"])
            .exits(0);
        project.command(["verify", SPEC, "--checksum"]).exits(0).says("1 of 1");
        let left = "select count(*) from pg_tables where tablename like 'pipeline_%'";
        assert_eq!(psql(left), "0", "{on_partial}");
    }
}
