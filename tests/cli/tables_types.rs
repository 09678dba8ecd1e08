//! Types that a spec gives: from MariaDB into PostgreSQL, and compared row by row afterwards.

use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::{Job, Project, SPEC};
use crate::servers::{Mariadb, Postgres};
use crate::tables::postgres;

/// A table as a framework makes it, and one with a column of each kind whose type is given anew.
const SCRIPT: &str = "create table users (id bigint unsigned auto_increment primary key, name varchar(40) not null); \
    insert into users (name) values ('Ada'), ('Grace'), ('Edsger'); \
    create table kinds (id int primary key, big bigint unsigned, flag tinyint(1), one bit(1), small smallint unsigned, \
      total decimal(10,2), ratio double, fixed char(5), at datetime(3), note text, data varbinary(10), \
      code char(36), amount varchar(20), settings longtext); \
    insert into kinds values \
      (1, 9007199254740993, 7, b'1', 65535, 12.50, 0.1, 'ab', '2024-02-29 23:59:59.125', 'x', x'00ff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '012.5', '{\"b\": 1, \"a\":[]}'), \
      (2, 0, 0, b'0', 0, -0.01, -1e20, '', '2000-01-01 00:00:00', 'y', x'', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', '-7', '[1.50]'), \
      (3, null, null, null, null, null, null, null, null, null, null, null, null, null);";

fn mariadb() -> &'static Mariadb {
    static MARIADB: OnceLock<Mariadb> = OnceLock::new();
    MARIADB.get_or_init(|| {
        let server = Mariadb::start();
        server.create_database("crm");
        server.sql("crm", SCRIPT);
        server
    })
}

fn server(kind: &str, port: u16, database: &str, user: &str) -> String {
    let password = format!("${{env:{}_PASSWORD}}", kind.to_uppercase());
    format!(
        "{kind} = {{ host = \"127.0.0.1\", port = {port}, database = \"{database}\", user = \"{user}\", password = \"{password}\" }}"
    )
}

fn from_mariadb() -> String {
    server("mysql", mariadb().port, "crm", Mariadb::USER)
}

fn into_postgres(database: &str) -> String {
    server("postgres", postgres().port, database, Postgres::USER)
}

/// A project with the connections `crm` and `campaign`.
fn between(crm: &str, campaign: &str) -> Project {
    let project = Job::new()
        .env("MYSQL_PASSWORD", Mariadb::PASSWORD)
        .env("POSTGRES_PASSWORD", Postgres::PASSWORD)
        .create();
    project.write(
        "jobs/connections.toml",
        format!("[local]\ncrm.{crm}\ncampaign.{campaign}\n"),
    );
    project
}

fn project(database: &str) -> Project {
    postgres().create_database(database);
    between(&from_mariadb(), &into_postgres(database))
}

fn give(project: &Project, table: &str, mode: &str, types: &str) {
    project.write(
        SPEC,
        format!(
            "job: job\nsource: {{ tables: {{ connection: crm, include: [crm.{table}] }} }}\n\
             sink: {{ connection: campaign, schema: public, mode: {mode}, types: {{ {types} }} }}\n"
        ),
    );
}

fn planned(project: &Project) -> Value {
    project.plan_json()["tables"][0].clone()
}

#[test]
fn a_column_whose_type_takes_no_numbering_is_made_without_and_the_plan_says_so() {
    let project = project("numbers");
    let psql = |text: &str| postgres().psql("numbers", text);
    let identity =
        "select is_identity from information_schema.columns where table_name = 'users' and column_name = 'id'";
    give(&project, "users", "replace", "");
    let table = planned(&project);
    let told = table["left_out"][0].as_str().unwrap_or_else(|| panic!("{table}"));
    assert!(told.starts_with("numbering of `id`"), "{told}");
    assert!(told.contains("types: { \"bigint unsigned\": bigint }"), "{told}");
    project.run().exits(0);
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    assert_eq!(psql(identity), "NO");

    give(&project, "users", "replace", "\"bigint unsigned\": bigint");
    assert_eq!(planned(&project)["left_out"], serde_json::json!([]));
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    assert_eq!(psql(identity), "YES");
    psql("insert into users (name) values ('Barbara')");
    assert_eq!(
        psql("select max(id) from users"),
        "4",
        "numbers go on behind the highest"
    );
    project.command(["verify", SPEC, "--checksum"]).exits(11);
}

#[test]
fn rows_are_the_same_whatever_type_is_given_and_a_changed_one_is_not() {
    let project = project("kinds");
    let psql = |text: &str| postgres().psql("kinds", text);
    for (numbers, flag_is) in [
        ("smallint", "7"),
        ("integer", "7"),
        ("bigint", "7"),
        ("text", "7"),
        ("\"numeric(5,2)\"", "7.00"),
        ("\"double precision\"", "7"),
    ] {
        give(
            &project,
            "kinds",
            "replace",
            &format!("\"tinyint(1)\": {numbers}, \"bit(1)\": {numbers}, int: {numbers}, \"bigint unsigned\": bigint"),
        );
        project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
        project.command(["verify", SPEC, "--checksum"]).exits(0);
        assert_eq!(psql("select flag from kinds where big > 0"), flag_is, "{numbers}");
        assert_eq!(
            psql("select one::text::numeric::int from kinds where big > 0"),
            "1",
            "{numbers}"
        );
        psql("update kinds set flag = '6' where big > 0");
        project.command(["verify", SPEC, "--checksum"]).exits(11);
    }
    give(
        &project,
        "kinds",
        "replace",
        "\"tinyint(1)\": smallint, \"bigint unsigned\": text, \"smallint unsigned\": numeric, \"decimal({p},{s})\": money, double: text, \
         \"char({n})\": \"char({n})\", \"datetime({p})\": timestamptz, text: varchar, \"varbinary({n})\": text, \"char(36)\": uuid, \"varchar(20)\": \"numeric(10,2)\", longtext: jsonb",
    );
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    for change in [
        "fixed = 'ac'",
        "at = at + interval '1 ms'",
        "ratio = '0.2'",
        "amount = 12.05",
        "settings = '{}'",
        "data = '\\x00'",
    ] {
        psql(&format!(
            "create table kept as select * from kinds; update kinds set {change} where id = 1"
        ));
        project.command(["verify", SPEC, "--checksum"]).exits(11);
        psql("truncate kinds; insert into kinds select * from kept; drop table kept");
    }
    project.command(["verify", SPEC, "--checksum"]).exits(0);
}

#[test]
fn a_type_under_another_of_its_names_is_the_one_of_the_table_that_the_job_made() {
    let project = project("aliases");
    let types = "int: INT4, \"bigint unsigned\": \"decimal(20, 0)\", \"tinyint(1)\": int2, double: float8, \"datetime({p})\": \"timestamp({p})\", \
                 \"char({n})\": \"varchar({n})\", \"smallint unsigned\": int8";
    give(&project, "kinds", "truncate", types);
    for _ in 0..2 {
        assert_eq!(planned(&project)["drift"], serde_json::json!([]));
        project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    }
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    let native = "select data_type from information_schema.columns where table_name = 'kinds' and column_name = 'id'";
    assert_eq!(postgres().psql("aliases", native), "integer");
}

#[test]
fn rows_are_the_same_in_a_file_of_sqlite_too() {
    let project = between(&from_mariadb(), "sqlite = { path = \"campaign.sqlite\" }");
    for (numbers, decimals) in [("text", "text"), ("real", "real"), ("numeric", "integer")] {
        project.write(
            SPEC,
            format!(
                "job: job\nsource: {{ tables: {{ connection: crm, include: [crm.kinds] }} }}\n\
                 sink: {{ connection: campaign, types: {{ \"tinyint(1)\": {numbers}, \"bit(1)\": {numbers}, int: {numbers}, \
                 \"smallint unsigned\": {numbers}, double: {decimals} }} }}\n"
            ),
        );
        project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
        project.command(["verify", SPEC, "--checksum"]).exits(0);
        let connection = rusqlite::Connection::open(project.path("jobs/campaign.sqlite")).unwrap();
        connection
            .execute("update kinds set flag = 6 where flag = 7", [])
            .unwrap();
        drop(connection);
        project.command(["verify", SPEC, "--checksum"]).exits(11);
    }
}

#[test]
fn truth_values_of_postgres_become_numbers_or_their_words() {
    postgres().create_database("truth");
    postgres().psql(
        "truth",
        "create table t (id int primary key, flag boolean, n smallint, total numeric(10,2)); \
         insert into t values (1, true, 7, 1.50), (2, false, -7, 0), (3, null, null, null)",
    );
    mariadb().create_database("truth");
    let project = between(
        &into_postgres("truth"),
        &server("mysql", mariadb().port, "truth", Mariadb::USER),
    );
    for (types, flag) in [
        ("boolean: int, smallint: \"decimal(7,2)\", numeric(10,2): double", "1"),
        (
            "boolean: \"char(5)\", smallint: text, integer: \"bigint unsigned\"",
            "true",
        ),
    ] {
        let types = types.replace("numeric(10,2)", "\"numeric(10,2)\"");
        project.write(
            SPEC,
            format!(
                "job: job\nsource: {{ tables: {{ connection: crm }} }}\n\
                 sink: {{ connection: campaign, schema: truth, types: {{ {types} }} }}\n"
            ),
        );
        project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
        project.command(["verify", SPEC, "--checksum"]).exits(0);
        assert_eq!(mariadb().sql("truth", "select flag from t where id = 1"), flag);
        mariadb().sql("truth", "update t set n = 6 where id = 1");
        project.command(["verify", SPEC, "--checksum"]).exits(11);
    }
}

#[test]
fn a_number_of_too_many_digits_is_refused_by_the_plan_until_it_gets_a_type() {
    postgres().create_database("digits");
    postgres().psql(
        "digits",
        "create table t (id int primary key, n numeric(80,2)); insert into t values (1, repeat('9', 70)::numeric)",
    );
    mariadb().create_database("digits");
    let project = between(
        &into_postgres("digits"),
        &server("mysql", mariadb().port, "digits", Mariadb::USER),
    );
    let spec = |types: &str| {
        format!(
            "job: job\nsource: {{ tables: {{ connection: crm }} }}\n\
             sink: {{ connection: campaign, schema: digits, types: {{ {types} }} }}\n"
        )
    };
    project.write(SPEC, spec(""));
    let table = planned(&project);
    assert_eq!(table["decision"], "refuse", "{table}");
    let told = table["reasons"][0].as_str().unwrap();
    assert!(told.contains("types: { \"numeric(80,2)\": \"text\" }"), "{told}");
    project.write(SPEC, spec("\"numeric(80,2)\": text"));
    project.run().exits(0);
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    let kept = mariadb().sql("digits", "select n from t");
    assert_eq!(kept, format!("{}.00", "9".repeat(70)));
}
