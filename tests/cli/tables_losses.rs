//! What `plan` says of tables before a run finds it out.

use serde_json::{Value, json};

use crate::harness::{Job, Project, SPEC};
use crate::servers::{Mariadb, Postgres};
use crate::tables::{into_postgres, into_sqlite, postgres, with_sink};

const RICH: &str = r#"
create table Rich (
  RichId integer primary key, Label text not null default 'x' check (Label <> ''), Created datetime default current_timestamp,
  Total decimal(10,2) check (Total > 0));
create trigger audit after insert on Rich begin select 1; end;
insert into Rich (Total) values (1.5), (2.5);
create table Plain (PlainId integer primary key, Label text);
"#;

/// What `plan --json` says of one table.
fn planned(project: &Project, table: &str) -> Value {
    let plan = project.plan_json();
    let mut tables = plan["tables"].as_array().unwrap().iter();
    let found = tables.find(|found| found["table"] == table);
    found.unwrap_or_else(|| panic!("no `{table}` in {plan}")).clone()
}

/// The next run is the first of its job.
fn forget(project: &Project) {
    let state = project.path(".pipeline");
    if state.exists() {
        std::fs::remove_dir_all(state).unwrap();
    }
}

#[test]
fn what_a_new_table_will_not_have_is_told_for_each() {
    let project = into_sqlite(RICH);
    project
        .plan()
        .exits(0)
        .says("not carried over: defaults of `Label`, `Created`; 2 checks; trigger `audit`\n");
    let told = project.plan().stdout.matches("not carried over").count();
    assert_eq!(told, 1, "nothing is told of a table that has nothing of the kind");
    let extras = planned(&project, "Rich")["not_carried_over"].clone();
    assert_eq!(
        extras,
        json!({ "defaults": ["Label", "Created"], "updates": [], "checks": 2, "triggers": ["audit"], "comments": 0, "partitions": false, "simplified": [] })
    );
    project.run().exits(0);
    project.plan().exits(0).says("not carried over");
    // A table that stays keeps its own.
    forget(&project);
    with_sink(&project, "mode: truncate");
    project.plan().exits(0).says("Rich → rich").hides("not carried over");
}

#[test]
fn a_column_that_the_source_cannot_fill_is_refused_before_any_row_is() {
    let project = into_postgres(RICH, "demanding");
    let psql = |text: &str| postgres().psql("demanding", text);
    psql("create table plain (plain_id bigint primary key, label text)");
    for mode in ["append", "truncate", "upsert"] {
        for contract in ["freeze", "evolve"] {
            psql("drop table if exists rich");
            psql(
                "create table rich (rich_id bigint primary key, label text, created timestamp, total numeric(10,2), tenant text not null, \
                 note text, at timestamptz not null default now(), number int not null generated always as identity)",
            );
            psql("insert into rich (rich_id, tenant) values (99, 'there')");
            forget(&project);
            with_sink(&project, &format!("mode: {mode}, contract: {contract}"));
            let table = planned(&project, "Rich");
            assert_eq!(table["decision"], "refuse", "{mode} {contract}: {table}");
            let told = table["reasons"][0].as_str().unwrap();
            assert!(
                told.contains("its column `tenant` needs a value") && told.contains("a default there"),
                "{told}"
            );
            assert!(!told.contains("`at`") && !told.contains("`number`"), "{told}");
            project.run().exits(6).says(told);
            assert_eq!(
                psql("select string_agg(rich_id::text, ' ') from rich"),
                "99",
                "{mode} {contract}"
            );
        }
    }
    psql("alter table rich alter tenant set default 'mine'");
    project.run().exits(0);
    assert_eq!(psql("select count(*) from rich where tenant = 'mine'"), "2");
}

#[test]
fn a_table_of_sqlite_that_demands_more_is_refused_too() {
    let project = into_sqlite(RICH);
    let sink = rusqlite::Connection::open(project.path("jobs/campaign.sqlite")).unwrap();
    let make = |tenant: &str| {
        let rich = format!(
            "create table rich (rich_id integer primary key, label text, created datetime, total decimal(10,2), {tenant})"
        );
        sink.execute_batch(&format!("drop table if exists rich; {rich};"))
            .unwrap();
    };
    make("tenant text not null");
    with_sink(&project, "mode: append");
    let table = planned(&project, "Rich");
    assert_eq!(table["decision"], "refuse", "{table}");
    let told = table["reasons"][0].as_str().unwrap();
    assert!(told.contains("its column `tenant`"), "{told}");
    assert_eq!(planned(&project, "Plain")["decision"], "load");
    project.run().exits(6).says(told);
    make("tenant text not null default 'mine'");
    assert_eq!(planned(&project, "Rich")["decision"], "load");
    project.run().exits(0);
    let mine: u64 = sink
        .query_row("select count(*) from rich where tenant = 'mine'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mine, 2);
}

/// Keys of bytes, half of them no text in any encoding.
const BINARY: &str = "create table T (Id binary(16) primary key, N int not null unique); \
    insert into T select unhex(md5(seq)), seq from seq_1_to_1000;";

#[test]
fn a_table_whose_key_is_bytes_is_one_chunk_and_the_plan_says_why() {
    let server = Mariadb::start();
    server.create_database("crm");
    server.sql("crm", BINARY);
    let project = Job::new().env("DB_PASSWORD", Mariadb::PASSWORD).create();
    let job = |chunks: &str| {
        forget(&project);
        project.write(
            SPEC,
            format!("job: job\nsource: {{ tables: {{ connection: crm, chunks: {{ rows: 100, {chunks} }} }} }}\nsink: {{ connection: campaign }}\n"),
        );
    };
    let (port, user) = (server.port, Mariadb::USER);
    project.write(
        "jobs/connections.toml",
        format!(
            "[local]\ncrm.mysql = {{ host = \"127.0.0.1\", port = {port}, database = \"crm\", user = \"{user}\", password = \"${{env:DB_PASSWORD}}\" }}\n\
             campaign.sqlite = {{ path = \"campaign.sqlite\" }}\n"
        ),
    );
    for chunks in ["by: key", "by: key, key: Id"] {
        job(chunks);
        let table = planned(&project, "crm.T");
        assert_eq!(table["decision"], "refuse", "{chunks}: {table}");
        assert_eq!(table["uncut"], Value::Null, "{table}");
        let told = table["reasons"][0].as_str().unwrap();
        assert!(
            told.contains("the key `Id` of `crm.T`, `binary(16)`, holds bytes"),
            "{told}"
        );
        project.run().exits(6).says(told);
    }
    job("by: auto");
    let why = "the first column of its primary key, `Id` (`binary(16)`), holds bytes";
    project.plan().exits(0).says(&format!("one chunk: {why}"));
    assert!(planned(&project, "crm.T")["uncut"].as_str().unwrap().starts_with(why));
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["chunks"]["done"], json!(1), "{run}");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    job("by: key, key: N");
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["chunks"]["done"], json!(10), "{run}");
}

#[test]
fn what_becomes_simpler_is_told() {
    postgres().create_database("simpler");
    postgres().psql(
        "simpler",
        "create table rich (id int generated always as identity primary key, word text collate \"C\", n int, doubled int generated always as (n * 2) stored, \
           up int references rich deferrable initially deferred);\
         create unique index one_null on rich (n) nulls not distinct;\
         create index beside on rich (n) include (word);\
         create index downwards on rich (n desc);\
         create index plain on rich (n);\
         create index halved on rich (n desc) where n > 1;\
         create table heir () inherits (rich)",
    );
    let project = into_sqlite(RICH);
    let (port, user) = (postgres().port, Postgres::USER);
    project.write(
        "jobs/connections.toml",
        format!(
            "[local]\ncampaign.sqlite = {{ path = \"campaign.sqlite\" }}\n\
             crm.postgres = {{ host = \"127.0.0.1\", port = {port}, database = \"simpler\", user = \"{user}\", password = \"${{env:PG_PASSWORD}}\" }}\n"
        ),
    );
    let told = planned(&project, "public.rich")["not_carried_over"]["simplified"].clone();
    assert_eq!(
        told,
        json!([
            "column `id` is always numbered by the server",
            "column `word` is collated by `C`",
            "index `beside` holds columns beside its key",
            "index `downwards` has an order of its own",
            "index `one_null` holds NULL once",
            "key `rich_up_fkey` is deferrable",
            "rows of tables that inherit from it come with its own",
            "column `doubled` is computed",
        ])
    );
    project
        .plan()
        .exits(0)
        .says("made simpler: column `id` is always numbered by the server; ");
}
