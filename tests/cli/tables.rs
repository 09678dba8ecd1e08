//! Jobs of tables: SQLite into SQLite and into PostgreSQL.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Job, Project, SPEC};
use crate::servers::Postgres;

pub const SCRIPT: &str = r#"
create table Country (CountryId integer primary key, Name varchar(40) not null unique);
insert into Country values (1, 'Ö'), (2, 'O''Neill'), (3, '');
create table "Order" (
  OrderId integer primary key, CountryId integer references Country (CountryId) on delete cascade,
  Total decimal(10,2), PlacedAt datetime, IsPaid boolean not null, Picture blob, Note text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
insert into "Order" select i, 1 + i % 3, i || '.5', '2024-02-29 23:59:59', i % 2, x'00ff', case i % 3 when 0 then null when 1 then '' else '😀' end from n;
create index OrderByCountry on "Order" (CountryId, PlacedAt);
create table Empty (EmptyId integer primary key, Label text);
create table tmp_left_out (x text);
"#;

const TABLES: &str = r#"
job: job
source:
  tables: { connection: crm, exclude: ["tmp_*"], chunks: { rows: 100 } }
sink: { connection: campaign, mode: replace }
naming: { table: "{{snake table.name}}", column: "{{snake column.name}}" }
concurrency: { limit: 4, items: { limit: 2, units: { limit: 2 } } }
retry: { max_attempts: 2, initial_delay: 10ms, max_delay: 20ms }
"#;

pub fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(Postgres::start)
}

/// A project whose source is made by `script`; `sink` is a connection.
pub fn project(script: &str, sink: &str) -> Project {
    let project = Job::new().env("PG_PASSWORD", Postgres::PASSWORD).create();
    project.write(SPEC, TABLES);
    project.write("jobs/crm.sql", script);
    project.write(
        "jobs/connections.toml",
        format!("[local]\ncrm.sqlite = {{ path = \"crm.sqlite\", script = \"crm.sql\" }}\ncampaign.{sink}\n"),
    );
    project
}

pub fn into_sqlite(script: &str) -> Project {
    project(script, "sqlite = { path = \"campaign.sqlite\" }")
}

pub fn into_postgres(script: &str, database: &str) -> Project {
    postgres().create_database(database);
    let (port, user) = (postgres().port, Postgres::USER);
    project(
        script,
        &format!(
            "postgres = {{ host = \"127.0.0.1\", port = {port}, database = \"{database}\", user = \"{user}\", \
             password = \"${{env:PG_PASSWORD}}\" }}"
        ),
    )
}

fn sqlite(project: &Project, text: &str) -> String {
    let connection = rusqlite::Connection::open(project.path("jobs/campaign.sqlite")).unwrap();
    connection.query_row(text, [], |row| row.get(0)).unwrap()
}

#[test]
fn tables_are_planned_moved_once_and_equal_afterwards() {
    let project = into_sqlite(SCRIPT);
    let plan = project.command(["plan", SPEC, "--exact", "--json"]).exits(0).json();
    assert_eq!(
        plan["line"],
        "Plan: 3 tables to load (503 rows), 0 to finish, 0 done, 0 skipped, 0 refused"
    );
    assert!(!project.path("jobs/campaign.sqlite").exists(), "a plan writes nothing");
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["items"]["done"], json!(3), "{run}");
    assert_eq!(run["account"]["rows"]["written"], json!(503), "{run}");
    assert_eq!(
        run["account"]["chunks"]["done"],
        json!(7),
        "5 of orders, 1 of each other: {run}"
    );
    project.run().exits(0).says("nothing left to do");
    project.command(["verify", SPEC]).exits(0).says("3 of 3 tables equal");
    project.command(["verify", SPEC, "--checksum"]).exits(0).says("digest");
    assert_eq!(
        sqlite(
            &project,
            "select count(*) || '' from sqlite_schema where type = 'index' and name = 'order_OrderByCountry'"
        ),
        "1"
    );
    assert_eq!(
        sqlite(&project, "select count(*) || '' from pragma_foreign_key_list('order')"),
        "1"
    );
    assert_eq!(
        sqlite(
            &project,
            "select count(*) || '' from sqlite_schema where name like '%staging%'"
        ),
        "0"
    );
    // A row that goes missing is found.
    let connection = rusqlite::Connection::open(project.path("jobs/campaign.sqlite")).unwrap();
    connection
        .execute("delete from \"order\" where order_id = 7", [])
        .unwrap();
    drop(connection);
    project
        .command(["verify", SPEC])
        .exits(11)
        .says("500 rows at the source, 499 at the sink");
}

#[test]
fn a_table_that_cannot_be_loaded_stops_no_other_and_keys_into_it_wait() {
    let script = format!("{SCRIPT}\ninsert into Country values (4, null);");
    let script = script.replace("varchar(40) not null unique", "varchar(40)");
    let script = script.replace(
        "insert into Country values (1, 'Ö')",
        "insert into Country values (1, x'ff00')",
    );
    let project = into_postgres(&script, "refused");
    let run = project.command(["run", SPEC, "--json"]).exits(6).json();
    assert_eq!(run["account"]["items"]["done"], json!(1), "the empty table: {run}");
    assert_eq!(run["account"]["items"]["failed"], json!(2), "{run}");
    assert_eq!(run["account"]["balanced"], json!(true), "{run}");
    project.command(["failures", SPEC]).says("rows.value");
    let loaded = postgres().psql("refused", "select count(*) from \"order\"");
    assert_eq!(loaded, "500", "its rows are there, its key waits");
    let tables = postgres().psql(
        "refused",
        "select string_agg(tablename, ',') from pg_tables where schemaname = 'public' and tablename = 'country'",
    );
    assert_eq!(tables, "", "half a table is never taken for a whole one");
    // The source is put right: only what is left is done.
    let connection = rusqlite::Connection::open(project.path("jobs/crm.sqlite")).unwrap();
    connection
        .execute("update Country set Name = 'Ö' where CountryId = 1", [])
        .unwrap();
    drop(connection);
    project.run().exits(0);
    project.command(["verify", SPEC, "--checksum"]).exits(0).says("3 of 3");
    let keys = postgres().psql("refused", "select count(*) from pg_constraint where contype = 'f'");
    assert_eq!(keys, "1");
}

#[test]
fn a_second_load_keeps_views_grants_and_keys_into_the_table() {
    let project = into_postgres(SCRIPT, "again");
    project.run().exits(0);
    let psql = |text: &str| postgres().psql("again", text);
    psql(
        "create table elsewhere (id int primary key, country_id bigint references country (country_id) on update cascade)",
    );
    psql("insert into elsewhere values (1, 2)");
    psql(
        "create view big as select * from \"order\" where total > 100; create view bigger as select * from big where total > 200",
    );
    psql("create role reader; grant select on \"order\" to reader; grant select on bigger to reader with grant option");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(psql("select count(*) from bigger"), "301");
    assert_eq!(
        psql(
            "select has_table_privilege('reader', 'public.\"order\"', 'select') and has_table_privilege('reader', 'bigger', 'select with grant option')"
        ),
        "t"
    );
    assert_eq!(
        psql(
            "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'elsewhere'::regclass and contype = 'f'"
        ),
        "FOREIGN KEY (country_id) REFERENCES country(country_id) ON UPDATE CASCADE"
    );
    assert_eq!(
        psql(
            "select count(*) from pg_constraint where conrelid = 'public.\"order\"'::regclass and contype in ('p', 'f')"
        ),
        "2"
    );
    assert_eq!(
        psql("insert into country (name) values ('next') returning country_id"),
        "4",
        "numbers go on behind the highest"
    );
    assert_eq!(
        psql("select count(*) from pg_tables where tablename like '%staging%'"),
        "0"
    );
}

#[test]
fn a_second_load_keeps_what_guards_a_table_and_its_views() {
    let project = into_postgres(SCRIPT, "guarded");
    project.run().exits(0);
    let psql = |text: &str| postgres().psql("guarded", text);
    psql("create role guarded_clerk; create role guarded_boss");
    psql(
        "create view seen with (security_invoker = true, security_barrier = true) as select * from \"order\" where total > 100; \
         create materialized view totals with (fillfactor = 70) as select order_id, total from seen; \
         create unique index totals_by_id on totals (order_id); create index \"totals by 'total\" on totals (total desc) where total > 200; \
         create materialized view unfilled as select name from country with no data",
    );
    psql(
        "grant update (note, total) on \"order\" to guarded_clerk; grant select (total) on seen to guarded_clerk with grant option; \
         grant select on totals to public",
    );
    psql(
        "alter table \"order\" enable row level security; alter table \"order\" force row level security; \
         create policy \"the clerk's\" on \"order\" for select to guarded_clerk, guarded_boss using (total < 300 and note <> 'O''Neill'); \
         create policy checked on \"order\" as restrictive for insert with check (total > 0); \
         create policy everybody on \"order\"",
    );
    let standing = "select (select string_agg(concat_ws(' ', relname, relkind, reloptions, relacl, relrowsecurity, relforcerowsecurity, relispopulated), E'\\n' order by relname) \
           from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm')), \
         (select string_agg(concat_ws(' ', attrelid::regclass, attname, attacl), E'\\n' order by attrelid::regclass::text, attname) from pg_attribute where attacl is not null), \
         (select string_agg(indexdef, E'\\n' order by indexname) from pg_indexes where schemaname = 'public'), \
         (select string_agg(p::text, E'\\n' order by policyname) from pg_policies p), (select count(*) from totals)";
    let before = psql(standing);
    assert!(
        before.contains("everybody") && before.contains("guarded_clerk=w/"),
        "{before}"
    );
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(psql(standing), before);
}

#[test]
fn a_role_that_may_make_no_schema_uses_those_that_are_there() {
    let script = "create table T (Id integer primary key, Label text);\ninsert into T values (1, 'a'), (2, 'b');";
    let project = into_postgres(script, "modest");
    let psql = |text: &str| postgres().psql("modest", text);
    let password = Postgres::PASSWORD;
    psql(&format!(
        "create role modest_loader login password '{password}'; create schema \"it's $$ \"\"here\\\" authorization modest_loader"
    ));
    let user = format!("user = \"{}\"", Postgres::USER);
    project.edit("jobs/connections.toml", &user, "user = \"modest_loader\"");
    with_sink(&project, r#"schema: 'it''s $$ "here\', mode: replace"#);
    project.run().exits(0);
    assert_eq!(psql(r#"select count(*) from "it's $$ ""here\".t"#), "2");
    with_sink(&project, "schema: elsewhere, mode: replace");
    project
        .command(["run", SPEC, "--restart", "--yes"])
        .exits(6)
        .says("permission denied for database");
}

#[test]
fn tables_that_may_not_be_read_stop_no_other() {
    let project = into_postgres(SCRIPT, "unreadable");
    let psql = |text: &str| postgres().psql("unreadable", text);
    for name in ["a", "b", "c", "d", "e", "f", "z"] {
        psql(&format!(
            "create table {name} (id int primary key); insert into {name} values (1)"
        ));
    }
    let password = Postgres::PASSWORD;
    psql(&format!(
        "create role low_reader login password '{password}'; grant select on z to low_reader"
    ));
    let connections = project.read("jobs/connections.toml").replace("campaign.", "crm.");
    let source = connections.lines().last().unwrap();
    let reader = source.replace(&format!("user = \"{}\"", Postgres::USER), "user = \"low_reader\"");
    project.write(
        "jobs/connections.toml",
        format!("[local]\n{reader}\ncampaign.sqlite = {{ path = \"campaign.sqlite\" }}\n"),
    );
    let plan = project.command(["plan", SPEC, "--exact", "--json"]).exits(0).json();
    let decisions: Vec<&str> = plan["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["decision"].as_str().unwrap())
        .collect();
    assert_eq!(
        decisions,
        ["refuse", "refuse", "refuse", "refuse", "refuse", "refuse", "load"]
    );
    project.run().exits(6).says("permission denied for table a");
    assert_eq!(sqlite(&project, "select group_concat(id) from z"), "1");
}

#[test]
fn rows_keep_to_the_bandwidth_of_connections_and_of_the_tree() {
    let script = "create table T (Id integer primary key, Label text);\n\
                  with recursive n(i) as (select 1 union all select i + 1 from n where i < 400) insert into T select i, 'label ' || i from n;";
    let of_source = |project: &Project| {
        project.edit(
            "jobs/connections.toml",
            "crm.sql\" }",
            "crm.sql\", bandwidth = \"10KiB/s\" }",
        )
    };
    let of_sink = |project: &Project| {
        project.edit(
            "jobs/connections.toml",
            "campaign.sqlite\" }",
            "campaign.sqlite\", bandwidth = \"10KiB/s\" }",
        )
    };
    let of_tree = |project: &Project| {
        project.edit(
            SPEC,
            "concurrency: { limit: 4,",
            "concurrency: { limit: 4, bandwidth: 10KiB/s,",
        )
    };
    for slow in [&of_source as &dyn Fn(&Project), &of_sink, &of_tree] {
        let project = into_sqlite(script);
        slow(&project);
        let begun = Instant::now();
        project.run().exits(0);
        let took = begun.elapsed();
        assert!(took > Duration::from_millis(500), "10 KiB of rows and more in {took:?}");
    }
}

#[test]
fn what_is_wrong_at_the_beginning_names_its_connection() {
    let project = into_postgres(SCRIPT, "beginning");
    project.write("jobs/password", "wrong");
    project.edit("jobs/connections.toml", "${env:PG_PASSWORD}", "${file:password}");
    project
        .run()
        .exits(7)
        .says("connection `campaign`: PostgreSQL: ")
        .says("password authentication failed");
}

#[test]
fn what_depends_on_a_table_and_stops_its_replacement_is_named() {
    let project = into_postgres(SCRIPT, "depended");
    project.run().exits(0);
    let psql = |text: &str| postgres().psql("depended", text);
    psql("create table ledger (country country, id int)");
    project
        .command(["run", SPEC, "--restart", "--yes"])
        .exits(6)
        .says("column country of table ledger depends on type country");
    project
        .command(["failures", SPEC])
        .says("database.depended_on")
        .says("`mode: truncate`");
    assert_eq!(psql("select count(*) from country"), "3", "the old rows stay");
}

#[test]
fn truncate_append_and_upsert_do_what_their_names_say() {
    let script = "create table T (Id integer primary key, Label text);\ninsert into T values (1, 'a'), (2, 'b');";
    let project = into_postgres(script, "modes");
    let psql = |text: &str| postgres().psql("modes", text);
    psql("create table t (id bigint primary key, label text)");
    psql("insert into t values (2, 'old'), (9, 'other')");
    for (mode, expected) in [("upsert", "1=a,2=b,9=other"), ("truncate", "1=a,2=b")] {
        let spec = project.read(SPEC);
        let (before, behind) = spec.split_once("mode: ").unwrap();
        let rest = behind.split_once(" }").unwrap().1;
        project.write(SPEC, format!("{before}mode: {mode} }}{rest}"));
        project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
        assert_eq!(
            psql("select string_agg(id || '=' || label, ',' order by id) from t"),
            expected,
            "{mode}"
        );
    }
    project.edit(SPEC, "mode: truncate", "mode: append");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(6);
    project.command(["failures", SPEC]).says("database.constraint");
    psql("alter table t drop column label");
    project
        .command(["plan", SPEC])
        .exits(0)
        .says("it has no column `label`");
}

#[test]
fn the_rows_of_a_query_go_into_one_table() {
    let project = into_postgres(SCRIPT, "query");
    project.write(
        SPEC,
        r#"
job: job
source:
  rows:
    connection: crm
    query: { sql: "select OrderId, Total, Note from \"Order\" where OrderId > :from_id" }
    params: { from_id: "100" }
    chunks: { by: key, key: OrderId, rows: 50 }
sink: { connection: campaign, schema: reports, mode: replace }
naming: { table: late_orders }
"#,
    );
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["chunks"]["done"], json!(8), "{run}");
    assert_eq!(
        postgres().psql(
            "query",
            "select count(*), min(\"OrderId\"), sum(\"Total\") from reports.late_orders"
        ),
        "400|101|120400.00"
    );
    project.edit(SPEC, "by: key, key: OrderId, ", "");
    project
        .command(["validate", SPEC])
        .exits(2)
        .says("cut by a named key only");
}

/// The spec with other words for what happens at the sink.
pub fn with_sink(project: &Project, sink: &str) {
    let spec = project.read(SPEC);
    let (before, behind) = spec.split_once("connection: campaign, ").unwrap();
    let rest = behind.split_once(" }").unwrap().1;
    project.write(SPEC, format!("{before}connection: campaign, {sink} }}{rest}"));
}

#[test]
fn a_table_is_emptied_though_keys_point_at_it_and_the_keys_come_back() {
    let project = into_postgres(SCRIPT, "emptied");
    project.run().exits(0);
    let psql = |text: &str| postgres().psql("emptied", text);
    psql(
        "create table elsewhere (id int primary key, country_id bigint references country (country_id) on delete set null)",
    );
    psql("insert into elsewhere values (1, 2)");
    psql("alter table country add parent bigint references country (country_id)");
    let keys = "select string_agg(conrelid::regclass || ' ' || pg_get_constraintdef(oid), '; ' order by 1) from \
                (select *, conrelid::regclass::text || conname as place from pg_constraint where contype = 'f' order by place) k";
    let before = psql(keys);
    assert_eq!(before.matches("FOREIGN KEY").count(), 3, "{before}");
    with_sink(&project, "mode: truncate");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(psql(keys), before);
    assert_eq!(psql("select count(*) from country"), "3");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
}

#[test]
fn chunks_that_are_there_stay_where_the_source_is_quiet() {
    let script = "create table T (Id integer primary key, Label text);\n\
                  with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) insert into T select i, 'label ' || i from n;";
    for (mode, database) in [
        ("append", "kept_append"),
        ("replace", "kept_replace"),
        ("truncate", "kept_truncate"),
    ] {
        let project = into_postgres(script, database);
        let psql = |text: &str| postgres().psql(database, text);
        project.edit(SPEC, "connection: crm,", "connection: crm, quiet: true,");
        with_sink(&project, &format!("mode: {mode}, on_partial: keep"));
        project.command(["plan", SPEC]).exits(0).says("pipeline_chunks_");
        // One chunk is refused: of the rows of the others, each must be written once.
        psql("create domain tame as text check (value <> 'label 555')");
        project.edit(SPEC, "mode:", "types: { text: tame }, mode:");
        project.command(["run", SPEC]).exits(6);
        let notes = psql("select tablename from pg_tables where tablename like 'pipeline_chunks%'");
        assert_eq!(psql(&format!("select count(*) from {notes}")), "9", "{mode}");
        let gathered = if mode == "replace" {
            psql("select tablename from pg_tables where tablename like 'pipeline_staging%'")
        } else {
            "t".to_owned()
        };
        assert_eq!(psql(&format!("select count(*) from {gathered}")), "900");
        let cleaned = project.command(["cleanup", SPEC, "--json"]).exits(0).json();
        assert_eq!(
            cleaned["tables_removed"],
            json!(0),
            "chunks that are there stay: {cleaned}"
        );
        psql("alter domain tame drop constraint tame_check");
        psql(&format!("update {gathered} set label = 'seen' where id = 1"));
        let run = project.command(["run", SPEC, "--json"]).exits(0).json();
        assert_eq!(run["account"]["chunks"]["done"], json!(10), "{mode}: {run}");
        assert_eq!(
            psql("select count(*) || ' ' || count(distinct id) from t"),
            "1000 1000",
            "{mode}"
        );
        assert_eq!(
            psql("select label from t where id = 1"),
            "seen",
            "its chunk was not loaded again"
        );
        assert_eq!(
            psql("select count(*) from pg_tables where tablename like 'pipeline_%'"),
            "0",
            "{mode}"
        );
    }
}

#[test]
fn chunks_stay_only_where_they_can() {
    let project = into_sqlite(SCRIPT);
    with_sink(&project, "mode: append, on_partial: keep");
    project.command(["validate", SPEC]).exits(2).says("quiet: true");
    project.edit(SPEC, "connection: crm,", "connection: crm, quiet: true,");
    project.command(["validate", SPEC]).exits(0);
    project.edit(SPEC, "chunks: { rows: 100 }", "chunks: { rows: 100, by: ctid }");
    project.command(["validate", SPEC]).exits(2).says("ranges of a key");
}

#[test]
fn what_interrupted_runs_have_left_at_the_sink_is_cleaned_up() {
    let script = "create table T (Id integer primary key, Label text);\ninsert into T values (1, 'a'), (2, 'b');";
    let project = into_postgres(script, "leftovers");
    let psql = |text: &str| postgres().psql("leftovers", text);
    psql("create domain tame as text check (value <> 'b')");
    project.edit(SPEC, "connection: crm,", "connection: crm, quiet: true,");
    project.edit(
        SPEC,
        "mode: replace",
        "mode: replace, on_partial: keep, types: { text: tame }",
    );
    project.command(["run", SPEC]).exits(6);
    let left = "select count(*) from pg_tables where tablename like 'pipeline_%'";
    assert_eq!(psql(left), "2");
    project.command(["state", "skip", SPEC, "T"]).exits(0);
    let cleaned = project.command(["cleanup", SPEC, "--json"]).exits(0).json();
    assert_eq!(cleaned["tables_removed"], json!(2), "{cleaned}");
    assert_eq!(psql(left), "0");
}

#[test]
fn a_plan_shows_what_stands_there_and_what_values_would_not_go_over() {
    let script = "create table T (Id integer primary key, Label varchar(5), Amount decimal(5,2), Ratio real);\n\
                  insert into T values (1, 'short', '1.25', 0.5), (2, 'too long', '1.255', 9e999), (3, 'nul' || char(0), 1000, null), (4, 'longer', 7, 1);\n\
                  create table Clean (Id integer primary key, Label varchar(5));\ninsert into Clean values (1, 'a');";
    let project = into_postgres(script, "probed");
    let psql = |text: &str| postgres().psql("probed", text);
    psql("create table t (id bigint primary key, label text, extra int); create index by_extra on t (extra)");
    let plan = project.command(["plan", SPEC, "--probe", "--json"]).exits(0).json();
    let table = |name: &str| {
        let tables = plan["tables"].as_array().unwrap();
        tables.iter().find(|table| table["table"] == name).unwrap().clone()
    };
    assert_eq!(
        table("T")["probed"],
        json!([
            { "column": "Label", "cases": [{ "what": "with a NUL", "values": 1 }, { "what": "too long", "values": 2 }] },
            { "column": "Amount", "cases": [{ "what": "with more digits behind the point", "values": 1 }, { "what": "too large", "values": 1 }] },
        ]),
        "{plan}"
    );
    assert_eq!(table("Clean")["probed"], json!([]), "{plan}");
    let drift = table("T")["drift"].to_string();
    for difference in [
        "`label` is `text`, not `character varying(5)`",
        "it has no column `amount`",
        "its column `extra` is none of the source's",
        "it has an index over `extra`",
    ] {
        assert!(drift.contains(difference), "{difference}: {drift}");
    }
    project
        .command(["plan", SPEC, "--probe"])
        .exits(0)
        .says("found: Label has 1 value with a NUL, 2 values too long")
        .says("found: every value goes over as it is")
        .says("what stands there differs: it has no column `amount`");
}

#[test]
fn a_table_that_was_replicated_does_not_differ() {
    for project in [into_postgres(SCRIPT, "alike"), into_sqlite(SCRIPT)] {
        project.run().exits(0);
        let plan = project.command(["plan", SPEC, "--json"]).exits(0).json();
        for table in plan["tables"].as_array().unwrap() {
            assert_eq!(table["drift"], json!([]), "{table}");
        }
    }
}

#[test]
fn a_key_is_not_taken_for_there_because_an_index_has_its_name() {
    postgres().create_database("names_from");
    let project = into_postgres(SCRIPT, "names_into");
    postgres().psql(
        "names_from",
        "create table parent (id int primary key); create table child (id int primary key, parent int, \
         constraint link foreign key (parent) references parent (id)); create index link on child (parent)",
    );
    let connections = project.read("jobs/connections.toml");
    let campaign = connections.lines().find(|line| line.starts_with("campaign.")).unwrap();
    let crm = campaign
        .replace("campaign.", "crm.")
        .replace("names_into", "names_from");
    project.write("jobs/connections.toml", format!("[local]\n{crm}\n{campaign}\n"));
    let into = |text: &str| postgres().psql("names_into", text);
    project.command(["run", SPEC, "--stage", "data"]);
    let index = project.command(["plan", SPEC, "--json"]).exits(0).json();
    let statements = index["tables"].to_string();
    let name = statements
        .split("create index \\\"")
        .nth(1)
        .unwrap()
        .split('\\')
        .next()
        .unwrap();
    // A run that was killed has come as far as this.
    into(&format!("create index \"{name}\" on child (parent)"));
    project.command(["run", SPEC]).exits(0);
    assert_eq!(into("select count(*) from pg_constraint where contype = 'f'"), "1");
    assert_eq!(into("select count(*) from pg_indexes where tablename = 'child'"), "2");
}
