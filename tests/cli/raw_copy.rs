//! Tables from one PostgreSQL to another, whose rows nobody decodes on the way.

use std::sync::OnceLock;

use serde_json::json;

use crate::harness::{Job, Project, SPEC};
use crate::servers::Postgres;

const TABLES: &str = r#"
job: job
source:
  tables: { connection: crm, include: ["public.*"], chunks: { rows: 500 } }
sink: { connection: campaign, mode: replace, on_bad_row: reject }
concurrency: { limit: 4, items: { limit: 2, units: { limit: 2 } } }
"#;

fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

/// From one database of the server, which `script` fills, to another that is empty.
fn project(source: &str, sink: &str, script: &str) -> Project {
    let connection = |name: &str, database: &str| {
        server().create_database(database);
        let (port, user) = (server().port, Postgres::USER);
        format!(
            "{name}.postgres = {{ host = \"127.0.0.1\", port = {port}, database = \"{database}\", user = \"{user}\", \
             password = \"${{env:PG_PASSWORD}}\" }}\n"
        )
    };
    let connections = format!("[local]\n{}{}", connection("crm", source), connection("campaign", sink));
    server().psql(source, script);
    let project = Job::new().env("PG_PASSWORD", Postgres::PASSWORD).create();
    project.write(SPEC, TABLES);
    project.write("jobs/connections.toml", connections);
    project
}

#[test]
fn rows_between_two_postgres_are_counted_and_equal() {
    let script = "create table big (id bigint primary key, total numeric, word text, tags text[], at timestamptz, fee money);\
                  insert into big select i, i / 7.0, repeat('ö', i % 50), array['a', null], now(), i from generate_series(1, 9000) i;\
                  create table plain (id int primary key, word text); insert into plain select i, null from generate_series(1, 9000) i;\
                  create table empty (id int primary key); analyze";
    let project = project("equal_from", "equal_to", script);
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    let rows = &run["account"]["rows"];
    assert_eq!(
        (&rows["read"], &rows["written"], &rows["rejected"]),
        (&json!(18000), &json!(18000), &json!(0))
    );
    assert!(run["account"]["chunks"]["done"].as_u64() > Some(20), "{run}");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    for table in ["big", "plain"] {
        let text = format!("select md5(string_agg(t::text, '|' order by id)) from {table} t");
        assert_eq!(
            server().psql("equal_from", &text),
            server().psql("equal_to", &text),
            "{table}"
        );
    }
}

#[test]
fn a_row_that_is_refused_among_undecoded_ones_is_written_down_alone() {
    let script = "create table t (id int primary key, word text); insert into t select i, 'w' || i from generate_series(1, 3000) i; analyze";
    let project = project("alone_from", "alone_to", script);
    project.edit(SPEC, "mode: replace", "mode: append");
    server().psql(
        "alone_to",
        "create table t (id integer primary key, word text check (word <> 'w7')); insert into t values (2500)",
    );
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    let rows = &run["account"]["rows"];
    assert_eq!(
        (&rows["written"], &rows["rejected"]),
        (&json!(2998), &json!(2)),
        "{run}"
    );
    assert_eq!(
        server().psql("alone_to", "select count(*), min(word) from t where id in (7, 2500)"),
        "1|"
    );
}
