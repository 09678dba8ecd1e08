//! Jobs of tables that are files: databases into Parquet, CSV and JSON lines, and back.

use std::fs;

use serde_json::json;

use crate::duckdb::duckdb;
use crate::harness::{Job, Project, SPEC};
use crate::servers::Postgres;

const SCRIPT: &str = r#"
create table Country (CountryId integer primary key, Name varchar(40) not null unique);
insert into Country values (1, 'Ö'), (2, 'O''Neill, "x"'), (3, '');
create table "Order" (
  OrderId integer primary key, CountryId integer references Country (CountryId), Total decimal(10,2),
  PlacedAt datetime, Day date, At time, IsPaid boolean not null, Weight real, Picture blob, Doc json, Ref uuid, Note text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
insert into "Order" select i, 1 + i % 3, i || '.5', '2024-02-29 23:59:59.000001',
  case i % 2 when 0 then '-0044-03-15' else '12024-02-29' end, '23:59:59.5', i % 2, i / 7.0, x'00ff', '{"a": [' || i || ', null]}',
  '6ba7b810-9dad-11d1-80b4-00c04fd430c8', case i % 4 when 0 then null when 1 then '' when 2 then '😀' else 'a,"b"' || char(10) || 'c' end
from n;
create table Empty (EmptyId integer primary key, Label text);
"#;

fn tables(format: &str) -> String {
    format!(
        r#"
job: job
source: {{ tables: {{ connection: crm, chunks: {{ rows: 100 }} }} }}
sink: {{ connection: lake, format: {format} }}
naming: {{ table: "{{{{snake table.name}}}}" }}
retry: {{ max_attempts: 2, initial_delay: 10ms, max_delay: 20ms }}
"#
    )
}

/// Reads the files that [`tables`] made into another SQLite file. What text formats do not tell is said.
const BACK: &str = r#"
job: back
source:
  tables: { connection: lake, exclude: ["empty/*.jsonl"], TYPES }
sink: { connection: copy }
"#;

const TYPES: &str = r#"types: { CountryId: int64, OrderId: int64, Total: "decimal(10,2)", PlacedAt: timestamp, Day: date, At: time, IsPaid: boolean, Weight: float64, Picture: binary, Doc: json, Ref: uuid, EmptyId: int64 }"#;

fn project(format: &str) -> Project {
    let project = Job::new().create();
    project.write(SPEC, tables(format));
    let types = if format == "parquet" { "types: {}" } else { TYPES };
    project.write("jobs/back.yaml", BACK.replace("TYPES", types));
    project.write("jobs/crm.sql", SCRIPT);
    project.write(
        "jobs/connections.toml",
        "[local]\ncrm.sqlite = { path = \"crm.sqlite\", script = \"crm.sql\" }\nlake.fs = { root = \"lake\" }\n\
         copy.sqlite = { path = \"copy.sqlite\" }\n",
    );
    project
}

/// A value of a SQLite file of the project, as text.
fn sqlite(project: &Project, file: &str, text: &str) -> String {
    let connection = rusqlite::Connection::open(project.path(file)).unwrap();
    connection.query_row(text, [], |row| row.get(0)).unwrap()
}

fn files(project: &Project, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(project.path(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// One text for all rows of the table of orders, whose numbers are compared as texts.
fn digest(project: &Project, file: &str, table: &str) -> String {
    let row = "OrderId || '|' || CountryId || '|' || cast(Total as text) || '|' || PlacedAt || '|' || Day || '|' || At || '|' || \
         IsPaid || '|' || Weight || '|' || hex(Picture) || '|' || json(Doc) || '|' || Ref || '|' || coalesce('x' || Note, 'NULL')";
    sqlite(
        project,
        file,
        &format!("select group_concat(line, char(10)) from (select {row} as line from \"{table}\" order by OrderId)"),
    )
}

fn comes_back(format: &str) {
    let project = project(format);
    let plan = project.command(["plan", SPEC, "--exact", "--json"]).exits(0).json();
    assert_eq!(
        plan["line"],
        "Plan: 3 tables to load (503 rows), 0 to finish, 0 done, 0 skipped, 0 refused"
    );
    assert!(!project.path("jobs/lake").exists(), "a plan writes nothing");
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["rows"]["written"], json!(503), "{run}");
    let parts: Vec<String> = (1..=5).map(|number| format!("0000{number}.{format}")).collect();
    assert_eq!(
        files(&project, "jobs/lake/order"),
        [&parts[..], &["_SUCCESS".to_owned()]].concat()
    );
    project.run().exits(0).says("nothing left to do");
    project.command(["verify", SPEC]).exits(0).says("3 of 3 tables equal");
    project.command(["verify", SPEC, "--checksum"]).exits(0).says("digest");

    project.command(["run", "jobs/back.yaml"]).exits(0);
    project
        .command(["verify", "jobs/back.yaml", "--checksum"])
        .exits(0)
        .says("tables equal");
    assert_eq!(
        digest(&project, "jobs/copy.sqlite", "order").replace(".50|", ".5|"),
        digest(&project, "jobs/crm.sqlite", "Order").replace(".50|", ".5|")
    );
    assert_eq!(
        sqlite(
            &project,
            "jobs/copy.sqlite",
            "select name from country where CountryId = 2"
        ),
        "O'Neill, \"x\""
    );
    assert_eq!(
        sqlite(
            &project,
            "jobs/copy.sqlite",
            "select typeof(Name) || length(Name) from country where CountryId = 3"
        ),
        "text0"
    );
}

#[test]
fn parquet_comes_back_as_it_was() {
    comes_back("parquet");
}

#[test]
fn csv_comes_back_as_it_was_where_its_types_are_said() {
    comes_back("csv");
}

#[test]
fn json_lines_come_back_as_they_were_where_their_types_are_said() {
    comes_back("jsonl");
}

const WIDE: &str = r#"
create schema sales;
create table sales.orders (
  id bigint primary key, flag boolean, small smallint, n integer, price numeric(12,3), exact numeric, huge numeric(60,2), half real, whole double precision,
  day date, at time, moment timestamp, instant timestamptz, ref uuid, doc jsonb, raw bytea, note text not null, tags text[]);
insert into sales.orders select i, i % 2 = 0, i % 100, -i, i / 8.0, 1e-20 * i, 1e50 + i, i / 3.0, case i % 5 when 0 then 'NaN'::float8 when 1 then '-infinity' else i / 7.0 end,
  date '0001-01-01' + i, time '00:00' + i * interval '1 second', timestamp '1600-01-01' + i * interval '1 hour 0.000001 second',
  timestamptz '1900-01-01 00:00+00' + i * interval '1 day', md5(i::text)::uuid, jsonb_build_object('i', i, 'n', null), decode(md5(i::text), 'hex'),
  case i % 3 when 0 then '' when 1 then 'a "b",' || chr(10) else '😀 größe' end, array['x', null]
from generate_series(1, 3000) as i;
insert into sales.orders (id, note) values (0, 'nothing else');
insert into sales.orders (id, day, moment, note) values (-1, 'infinity', '-infinity', 'for ever'), (-2, '0044-03-15 BC', '0044-03-15 12:00 BC', 'long ago');
create index by_price on sales.orders (price);
"#;

const FROM_POSTGRES: &str = r#"
job: export
source: { tables: { connection: shop, include: ["sales.*"], chunks: { rows: 500 } } }
sink: { connection: lake, format: parquet }
"#;

const INTO_POSTGRES: &str = r#"
job: import
source: { tables: { connection: lake, include: ["sales/*.parquet"], chunks: { rows: 500 } } }
sink: { connection: copy, types: { text: "text" } }
"#;

fn with_postgres(name: &str) -> (Project, Postgres) {
    let postgres = Postgres::start();
    for database in ["shop", "copy"] {
        postgres.create_database(&format!("{database}_{name}"));
    }
    let project = Job::new().env("PG_PASSWORD", Postgres::PASSWORD).create();
    project.write(SPEC, FROM_POSTGRES);
    project.write("jobs/import.yaml", INTO_POSTGRES);
    let (port, user) = (postgres.port, Postgres::USER);
    let database = |name: &str| {
        format!(
            "postgres = {{ host = \"127.0.0.1\", port = {port}, database = \"{name}\", user = \"{user}\", \
             password = \"${{env:PG_PASSWORD}}\" }}"
        )
    };
    let (shop, copy) = (database(&format!("shop_{name}")), database(&format!("copy_{name}")));
    project.write(
        "jobs/connections.toml",
        format!("[local]\nshop.{shop}\ncopy.{copy}\nlake.fs = {{ root = \"lake\" }}\n"),
    );
    (project, postgres)
}

#[test]
fn postgres_goes_through_parquet_and_comes_back() {
    let (project, postgres) = with_postgres("types");
    postgres.psql("shop_types", WIDE);
    let plan = project.command(["plan", SPEC, "--json"]).exits(0).json();
    let columns = plan["tables"][0]["columns"].as_array().unwrap();
    let of = |name: &str| columns.iter().find(|column| column["source"] == name).unwrap();
    assert_eq!(of("price")["target_type"], "decimal(12,3)");
    assert_eq!(of("exact")["target_type"], "text");
    assert!(of("exact")["losses"][0].as_str().unwrap().contains("written as text"));
    assert_eq!(of("huge")["target_type"], "text");
    assert!(of("huge")["losses"][0].as_str().unwrap().contains("38 digits"));
    let left_out = plan["tables"][0]["left_out"].to_string();
    assert!(
        left_out.contains("by_price") && left_out.contains("primary key"),
        "{left_out}"
    );
    project.command(["run", SPEC]).exits(0);
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(0)
        .says("1 of 1 table equal");

    // An independent reader sees the same types and values.
    let lake = project.path("jobs/lake");
    let shape = duckdb(
        &lake,
        "select column_name, column_type from (describe select * from 'sales/orders/*.parquet')",
    );
    let expected = "id|BIGINT\nflag|BOOLEAN\nsmall|SMALLINT\nn|INTEGER\nprice|DECIMAL(12,3)\nexact|VARCHAR\nhuge|VARCHAR\nhalf|FLOAT\nwhole|DOUBLE\n\
        day|DATE\nat|TIME\nmoment|TIMESTAMP\ninstant|TIMESTAMP WITH TIME ZONE\nref|UUID\ndoc|JSON\nraw|BLOB\nnote|VARCHAR\ntags|VARCHAR";
    assert_eq!(shape, expected);
    let sums =
        "count(*), sum(price), count(distinct ref), count(day), min(\"at\"), max(n), count(*) filter (where note = '')";
    assert_eq!(
        duckdb(&lake, &format!("select {sums} from 'sales/orders/*.parquet'")),
        postgres.psql("shop_types", &format!("select {sums} from sales.orders"))
    );
    assert_eq!(
        duckdb(&lake, "select moment::text, ref::text, doc::text, hex(raw) from 'sales/orders/*.parquet' where id = 7"),
        postgres.psql("shop_types", "select moment::text, ref::text, replace(doc::text, ' ', ' '), upper(encode(raw, 'hex')) from sales.orders where id = 7")
    );

    project.command(["run", "jobs/import.yaml"]).exits(0);
    project
        .command(["verify", "jobs/import.yaml", "--checksum"])
        .exits(0)
        .says("1 of 1 table equal");
    let digest = "select count(*), md5(string_agg(o::text, chr(10) order by id)) from (select id, flag, small, n, price, exact::numeric, \
        huge::numeric, half, whole, day, at, moment, instant, ref, doc, raw, note, tags::text[] from sales.orders) o";
    assert_eq!(postgres.psql("copy_types", digest), postgres.psql("shop_types", digest));
    assert_eq!(
        postgres.psql(
            "copy_types",
            "select is_nullable from information_schema.columns where column_name = 'note'"
        ),
        "NO"
    );
}

#[test]
fn files_that_cannot_be_read_stop_no_other_table() {
    let project = project("jsonl");
    project.write("jobs/lake/sales/orders.jsonl", "{\"id\": 1}\n{\"id\": 2}\n");
    project.write("jobs/lake/sales/refunds.jsonl", "");
    project.write("jobs/lake/visits.csv", "id,page\n1,/\n");
    project.write("jobs/lake/nothing.csv", "");
    project.write("jobs/lake/broken.jsonl", "{\"id\": 1}\n{\"id\":\n");
    project.write("jobs/lake/cut.parquet", "PAR1");
    project.write("jobs/lake/open/00001.csv", "id\n1\n");
    project.write("jobs/lake/unlike/part-1.csv", "id\n1\n");
    project.write("jobs/lake/unlike/part-2.csv", "id,more\n1,2\n");
    // A part of a table may hold nothing, if another tells the columns.
    project.write("jobs/lake/parts/part-1.jsonl", "");
    project.write("jobs/lake/parts/part-2.jsonl", "{\"id\": 3}\n");
    project.write("jobs/back.yaml", BACK.replace("TYPES", "types: {}"));
    let plan = project.command(["plan", "jobs/back.yaml", "--json"]).exits(0).json();
    let tables = plan["tables"].as_array().unwrap();
    for table in tables {
        let is_whole = ["sales.orders", "visits", "parts"].contains(&table["table"].as_str().unwrap());
        assert_eq!(table["decision"], if is_whole { "load" } else { "refuse" }, "{table}");
    }
    assert_eq!(tables.len(), 9, "{plan}");
    let told = "sales.refunds: its files hold no values from which its columns could be told";
    project
        .command(["plan", "jobs/back.yaml"])
        .exits(0)
        .says(told)
        .says("`broken.jsonl`: line 2, column 6")
        .says("`cut.parquet` cannot be read as Parquet")
        .says("`open/` has no `_SUCCESS`")
        .says("`unlike/part-2.csv` has other columns than `unlike/part-1.csv`")
        .says("6 refused");
    let run = project.command(["run", "jobs/back.yaml", "--json"]).exits(6).json();
    assert_eq!(run["account"]["items"]["done"], json!(3), "{run}");
    assert_eq!(run["account"]["items"]["failed"], json!(6), "{run}");
    project
        .command(["failures", "jobs/back.yaml"])
        .says(told)
        .says("`exclude`");
    let rows = "select (select count(*) from orders) || ' ' || (select count(*) from visits) || ' ' || (select count(*) from parts)";
    assert_eq!(sqlite(&project, "jobs/copy.sqlite", rows), "2 1 1");
    project
        .command(["verify", "jobs/back.yaml"])
        .exits(11)
        .says("sales.refunds: not loaded to its end yet");
    project.edit(
        "jobs/back.yaml",
        "\"empty/*.jsonl\"",
        "\"sales/refunds.jsonl\", \"nothing.csv\", \"broken.jsonl\", \"cut.parquet\", \"open/*\", \"unlike/*\"",
    );
    project.command(["run", "jobs/back.yaml", "--accept-changes"]).exits(0);
}

#[test]
fn what_a_store_cannot_do_is_told_before_anything_is_touched() {
    let project = project("parquet");
    let refused = |sink: &str, words: &str| {
        project.write(SPEC, tables("parquet").replace("format: parquet", sink));
        project.command(["validate", SPEC]).exits(2).says(words);
    };
    refused("format: parquet, mode: append", "rows are not added to files");
    refused("format: parquet, mode: truncate", "`mode: replace`");
    refused("format: csv, compression: zstd", "that of Parquet");
    refused("mode: replace", "`format` is missing");
    refused("format: avro", "parquet");
    project.write(SPEC, tables("parquet").replace("connection: lake", "connection: copy"));
    project
        .command(["validate", SPEC])
        .exits(2)
        .says("the sink is a database");
    project.write("jobs/back.yaml", BACK.replace("TYPES", "types: { a: string }"));
    project
        .command(["validate", "jobs/back.yaml"])
        .exits(2)
        .says("`string` is no type of a column");
    project.write("jobs/back.yaml", BACK.replace("TYPES", "chunks: { by: key }"));
    project
        .command(["validate", "jobs/back.yaml"])
        .exits(2)
        .says("cannot be cut by a key");
}

const ODD: &str = r#"
create table Loose (Id integer primary key, Total decimal(5,2));
insert into Loose values (1, 1.5), (2, 12345.678), (3, '7'), (4, 'x');
create table "a/b" (Id integer primary key);
"#;

#[test]
fn bad_rows_are_written_down_and_bad_names_are_refused_in_the_plan() {
    let project = project("parquet");
    project.write("jobs/crm.sql", ODD);
    let reject = tables("parquet").replace("snake ", "");
    let reject = reject.replace("format: parquet", "format: parquet, on_bad_row: reject");
    project.write(SPEC, reject);
    project
        .command(["plan", SPEC])
        .exits(0)
        .says("cannot be that of a folder");
    let run = project.command(["run", SPEC, "--json"]).exits(6).json();
    assert_eq!(run["account"]["rows"]["written"], json!(2), "{run}");
    assert_eq!(run["account"]["rows"]["rejected"], json!(2), "{run}");
    assert_eq!(
        duckdb(&project.path("jobs/lake"), "select * from 'Loose/*.parquet' order by 1"),
        "1|1.50\n3|7.00"
    );
    project.edit(SPEC, ", on_bad_row: reject", "");
    project
        .command(["run", SPEC, "--restart", "--yes"])
        .exits(6)
        .says("`Total`, of type `decimal(5,2)` at the source");
    assert!(
        !project.path("jobs/lake/Loose/_SUCCESS").exists(),
        "a table that failed is not whole"
    );
}

#[test]
fn files_never_go_into_the_store_that_they_are_read_from() {
    let project = project("parquet");
    project.write(
        "jobs/back.yaml",
        BACK.replace("TYPES", "")
            .replace("connection: copy", "connection: lake, format: csv"),
    );
    project
        .command(["validate", "jobs/back.yaml"])
        .exits(2)
        .says("is also the source");
}
