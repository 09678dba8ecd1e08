//! What must not be taken for one: a source and its sink, names of two tables, keys that differ in a space.

use serde_json::json;

use crate::harness::{Job, Project, SPEC};
use crate::servers::{Mariadb, Postgres};
use crate::tables::{SCRIPT, into_postgres, into_sqlite, postgres, with_sink};

const CONNECTIONS: &str = r#"
[local]
crm.KIND = { host = "ONE", port = PORT, database = "DATABASE", user = "USER", password = "${env:PG_PASSWORD}" }
campaign.KIND = { host = "OTHER", port = PORT, database = "DATABASE", user = "USER", password = "${env:PG_PASSWORD}" }
"#;

/// A project whose source and sink are one database under two names of its host.
fn of_itself(kind: &str, port: u16, database: &str, user: &str) -> Project {
    let project = into_sqlite(SCRIPT);
    let connections = CONNECTIONS
        .replace("KIND", kind)
        .replace("ONE", "127.0.0.1")
        .replace("OTHER", "localhost")
        .replace("PORT", &port.to_string())
        .replace("DATABASE", database)
        .replace("USER", user);
    project.write("jobs/connections.toml", connections);
    project
}

#[test]
fn a_table_is_never_written_over_itself() {
    let own = "is one of the source itself";
    let project = into_sqlite(SCRIPT);
    project.command(["plan", SPEC]).exits(0);
    project.write(
        "jobs/connections.toml",
        "[local]\ncrm.sqlite = { path = \"crm.sqlite\" }\ncampaign.sqlite = { path = \"../jobs/./crm.sqlite\" }\n",
    );
    project.edit(SPEC, "{{snake table.name}}", "{{table.name}}");
    for mode in ["truncate", "replace", "append"] {
        with_sink(&project, &format!("mode: {mode}"));
        project.command(["plan", SPEC]).exits(0).says(own).says("3 refused");
        project
            .command(["run", SPEC, "--restart", "--yes"])
            .exits(6)
            .says("give `sink.schema`");
    }
    let count = "select count(*) from \"Order\"";
    let connection = rusqlite::Connection::open(project.path("jobs/crm.sqlite")).unwrap();
    assert_eq!(
        connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(),
        500
    );

    postgres().create_database("itself");
    let psql = |text: &str| postgres().psql("itself", text);
    psql("create table rows as select i as id from generate_series(1, 30) i");
    let project = of_itself("postgres", postgres().port, "itself", Postgres::USER);
    with_sink(&project, "mode: truncate");
    project.run().exits(6).says(own);
    assert_eq!(psql("select count(*) from rows"), "30");
    // Beside itself is another matter.
    with_sink(&project, "mode: replace, schema: archive");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(psql("select count(*) from archive.rows"), "30");
    project.write(
        SPEC,
        "job: job\nsource: { rows: { connection: crm, query: { sql: \"select id from public.rows\" } } }\n\
         sink: { connection: campaign, mode: truncate, schema: public }\nnaming: { table: rows }\n",
    );
    project
        .command(["run", SPEC, "--restart", "--yes"])
        .exits(6)
        .says("the query reads `public.rows`, which `mode: truncate` would empty before");
    assert_eq!(psql("select count(*) from rows"), "30");
}

#[test]
fn indexes_and_keys_whose_names_would_meet_are_all_made() {
    let script = "create table Orders (Id integer primary key, Status varchar(10));
        create unique index orders_status on Orders (Status);
        insert into Orders values (1, 'a');
        create table OrdersStatus (Id integer primary key);
        create table P (Id integer primary key);
        create table Pk (Id integer primary key, P integer references P (Id));
        insert into P values (1); insert into Pk values (1, 1);";
    let project = into_postgres(script, "names_apart");
    let psql = |text: &str| postgres().psql("names_apart", text);
    // What somebody else has there is in nobody's way either.
    psql("create table elsewhere (id int constraint p_pkey primary key)");
    project.run().exits(6).says("p_pkey");
    psql("drop table elsewhere");
    project.run().exits(0);
    let keys = "select string_agg(conrelid::regclass || ' ' || contype::text, ',' order by conrelid::regclass::text, contype) from pg_constraint \
        where contype in ('p', 'f') and connamespace = 'public'::regnamespace";
    assert_eq!(psql(keys), "orders p,orders_status p,p p,pk f,pk p");
    let unique =
        "select count(*) from pg_index where indrelid = 'orders'::regclass and indisunique and not indisprimary";
    assert_eq!(psql(unique), "1");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
}

#[test]
fn what_is_named_and_not_there_is_told_and_names_do_without_their_schema() {
    postgres().create_database("named");
    let psql = |text: &str| postgres().psql("named", text);
    psql(
        "create table kept (id int); create table tmp_x (id int); create schema s; create table s.tmp_y (id int); create table s.also (id int)",
    );
    let project = of_itself("postgres", postgres().port, "named", Postgres::USER);
    with_sink(&project, "mode: replace, schema: copies");
    let tables = |plan: serde_json::Value| -> Vec<String> {
        let tables = plan["tables"].as_array().unwrap().clone();
        tables
            .iter()
            .map(|table| table["table"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        tables(project.command(["plan", SPEC, "--json"]).exits(0).json()),
        ["public.kept", "s.also"]
    );
    project.edit(SPEC, "exclude: [\"tmp_*\"]", "include: [\"kept\", \"s.*\", \"alos\"]");
    let plan = project.command(["plan", SPEC]);
    assert_ne!(plan.code, Some(0), "{plan:?}");
    plan.says("no table of the source fits `alos`");
    project.edit(SPEC, ", \"alos\"]", ", \"salse.*\"], exclude: [\"*.secert\"]");
    let plan = project.command(["plan", SPEC, "--json"]).exits(0).json();
    assert_eq!(
        plan["unused_patterns"],
        json!(["include: `salse.*`", "exclude: `*.secert`"])
    );
    assert_eq!(tables(plan), ["public.kept", "s.also", "s.tmp_y"]);
    project
        .command(["plan", SPEC])
        .exits(0)
        .says("include: `salse.*` fits no table of the source\n");
}

#[test]
fn a_table_without_columns_is_refused() {
    postgres().create_database("columnless");
    postgres().psql(
        "columnless",
        "create table nothing (); insert into nothing default values",
    );
    let project = of_itself("postgres", postgres().port, "columnless", Postgres::USER);
    with_sink(&project, "mode: replace, schema: copies");
    project.command(["plan", SPEC]).exits(0).says("it has no columns");
    project.run().exits(6).says("it has no columns");
}

#[test]
fn mariadb_keeps_spaces_apart_shows_versioned_tables_and_is_only_read() {
    let mariadb = Mariadb::start();
    for database in ["from_here", "spaces"] {
        mariadb.create_database(database);
    }
    mariadb.sql(
        "from_here",
        "create table victim (id int primary key); insert into victim values (1), (2); \
         create table kept (id int primary key, note varchar(10)) with system versioning; insert into kept values (1, 'a'); update kept set note = 'b'",
    );
    let address = |database: &str| {
        let (port, user) = (mariadb.port, Mariadb::USER);
        format!(
            "mysql = {{ host = \"127.0.0.1\", port = {port}, database = \"{database}\", user = \"{user}\", password = \"${{env:MARIADB_PASSWORD}}\" }}"
        )
    };
    let project = Job::new().env("MARIADB_PASSWORD", Mariadb::PASSWORD).create();
    let tables =
        |source: &str, sink: &str| format!("job: job\nsource: {{ {source} }}\nsink: {{ connection: sink, {sink} }}\n");
    project.write(
        "jobs/connections.toml",
        format!(
            "[local]\nshop.{}\nspaces.{}\nsink.sqlite = {{ path = \"sink.sqlite\" }}\nkeys.sqlite = {{ path = \"keys.sqlite\", script = \"keys.sql\" }}\n",
            address("from_here"),
            address("spaces")
        ),
    );
    project.write(SPEC, tables("tables: { connection: shop }", "mode: replace"));
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["items"]["done"], json!(2), "{run}");
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(0)
        .says("2 of 2 tables equal");

    let delete = "rows: { connection: shop, query: { sql: \"delete from victim where id = 1\" } }";
    project.write(SPEC, tables(delete, "mode: replace") + "naming: { table: gone }\n");
    let run = project.command(["run", SPEC, "--restart", "--yes"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert_eq!(mariadb.sql("from_here", "select count(*) from victim"), "2");

    project.write(
        "jobs/keys.sql",
        "create table Words (Word varchar(20) primary key, N integer); insert into Words values ('a', 1), ('a ', 2), ('A', 3), ('b', 4);",
    );
    let spec = tables("tables: { connection: keys }", "mode: upsert").replace("connection: sink", "connection: spaces");
    project.write(SPEC, spec);
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(mariadb.sql("spaces", "select count(*) from Words"), "4");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
}
