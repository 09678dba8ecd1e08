//! Jobs of tables out of SQL Server and into it, by the test server that speaks its protocol.

use std::sync::OnceLock;

use serde_json::json;

use crate::harness::{Job, Project, SPEC};
use crate::servers::{Fault, Postgres, TdsServer};

const DEFINITIONS: &[&str] = &[
    "create table dbo.Country (CountryId int identity(1,1) not null primary key, Name nvarchar(40) not null, Code char(2))",
    "insert into dbo.Country values (1, N'Ö', 'AT'), (2, N'O''Neill 🎈', null), (3, N'', 'XX')",
    "create unique index CountryByName on dbo.Country (Name)",
    "create table dbo.[Order] (OrderId bigint not null primary key, CountryId int, Total money, PlacedAt datetime2(7), \
     PaidAt datetimeoffset(3), IsPaid bit not null, Picture varbinary(max), Token uniqueidentifier, Note nvarchar(max), Version timestamp, \
     Doubled as (CountryId * 2) persisted, \
     constraint OrderCountry foreign key (CountryId) references dbo.Country (CountryId) on delete cascade)",
    "with n (i) as (select 1 union all select i + 1 from n where i < 1000) insert into dbo.[Order] \
     (OrderId, CountryId, Total, PlacedAt, PaidAt, IsPaid, Picture, Token, Note, Version) \
     select i, 1 + i % 3, i || '.5', '2024-02-29 23:59:59.1234567', '2024-01-01 00:30:00.125+02:00', i % 2, 0x00ff, \
     '6ba7b810-9dad-11d1-80b4-00c04fd430c8', case i % 3 when 0 then null when 1 then N'' else replicate(N'😀', 3000) end, 0x00000000000007d1 from n",
    "create index OrderByCountry on dbo.[Order] (CountryId, PlacedAt)",
    "create table dbo.Empty (EmptyId int not null primary key, Label nvarchar(20))",
    "create table dbo.tmp_left_out (x int)",
];

const JOB: &str = r#"
job: job
source:
  tables: { connection: crm, exclude: ["*.tmp_*"], chunks: { rows: 200 } }
sink: { connection: campaign, mode: replace }
naming: { table: "{{snake table.name}}", column: "{{snake column.name}}" }
concurrency: { limit: 4, items: { limit: 2, units: { limit: 2 } } }
retry: { max_attempts: 3, initial_delay: 10ms, max_delay: 20ms }
"#;

fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(Postgres::start)
}

fn mssql(port: u16, database: &str) -> String {
    let user = TdsServer::USER;
    format!(
        "mssql = {{ host = \"127.0.0.1\", port = {port}, database = \"{database}\", user = \"{user}\", password = \"${{env:MSSQL_PASSWORD}}\" }}"
    )
}

fn postgres_connection(database: &str) -> String {
    postgres().create_database(database);
    let (port, user) = (postgres().port, Postgres::USER);
    format!(
        "postgres = {{ host = \"127.0.0.1\", port = {port}, database = \"{database}\", user = \"{user}\", password = \"${{env:PG_PASSWORD}}\" }}"
    )
}

fn project(crm: &str, campaign: &str) -> Project {
    let project = Job::new()
        .env("PG_PASSWORD", Postgres::PASSWORD)
        .env("MSSQL_PASSWORD", TdsServer::PASSWORD)
        .create();
    project.write(SPEC, JOB);
    project.write(
        "jobs/connections.toml",
        format!("[local]\ncrm.{crm}\ncampaign.{campaign}\n"),
    );
    project
}

#[test]
fn tables_of_sql_server_are_equal_in_postgresql() {
    let server = TdsServer::start();
    server.create_database("crm");
    server.sql("crm", DEFINITIONS);
    let project = project(&mssql(server.port, "crm"), &postgres_connection("from_mssql"));
    project.command(["validate", SPEC, "--connect"]).exits(0);
    let plan = project.command(["plan", SPEC, "--exact", "--json"]).exits(0).json();
    assert_eq!(
        plan["line"],
        "Plan: 3 tables to load (1,003 rows), 0 to finish, 0 done, 0 skipped, 0 refused"
    );
    project
        .command(["plan", SPEC, "--files"])
        .exits(0)
        .says("the seventh digit of a second is cut")
        .says("the offset: the moment stays the same");
    // The server loses a connection in mid-table and throws out a victim of a deadlock: both are tried again.
    server.plan_fault("from [dbo].[Order] where", 50, Fault::Cut);
    server.plan_fault("from [dbo].[Order] where", 100, Fault::Error(1_205, 13));
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["items"]["done"], json!(3), "{run}");
    assert_eq!(run["account"]["rows"]["written"], json!(1_003), "{run}");
    project.run().exits(0).says("nothing left to do");
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(0)
        .says("3 of 3 tables equal");
    let psql = |text: &str| postgres().psql("from_mssql", text);
    assert_eq!(
        psql(
            "select total, placed_at, paid_at at time zone 'utc', doubled, token, encode(version, 'hex') from \"order\" where order_id = 7"
        ),
        "7.5000|2024-02-29 23:59:59.123456|2023-12-31 22:30:00.125|4|6ba7b810-9dad-11d1-80b4-00c04fd430c8|00000000000007d1"
    );
    assert_eq!(psql("select sum(length(note)) from \"order\""), "999000");
    assert_eq!(psql("select count(*) from pg_constraint where contype = 'f'"), "1");
    assert_eq!(
        psql("insert into country (name) values ('new') returning country_id"),
        "4"
    );
    server.sql("crm", &["update dbo.[Order] set Total = '1.2345' where OrderId = 500"]);
    project.command(["verify", SPEC, "--checksum"]).exits(11);
}

#[test]
fn a_type_without_a_rule_is_a_problem_of_the_plan_until_it_is_given_one() {
    let server = TdsServer::start();
    server.create_database("crm");
    server.sql(
        "crm",
        &[
            "create table dbo.Mixed (Id int not null primary key, Anything sql_variant, Place hierarchyid)",
            "insert into dbo.Mixed values (1, 12, N'/1/2/'), (2, N'text 🎈', null)",
        ],
    );
    let project = project(&mssql(server.port, "crm"), &postgres_connection("variants"));
    project
        .command(["plan", SPEC])
        .says("no rule says what the mssql type `sql_variant` becomes in postgres")
        .says("hierarchyid");
    let types = "mode: replace, types: { sql_variant: text, hierarchyid: text } }";
    project.write(SPEC, JOB.replace("mode: replace }", types));
    project.run().exits(0);
    let rows = postgres().psql("variants", "select anything, place from mixed order by id");
    assert_eq!(rows, "12|/1/2/\ntext 🎈|");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
}

#[test]
fn tables_go_into_sql_server_and_take_the_place_of_others_with_their_grants() {
    let server = TdsServer::start();
    server.create_database("campaign");
    let crm = "sqlite = { path = \"crm.sqlite\", script = \"crm.sql\" }";
    let project = project(crm, &mssql(server.port, "campaign"));
    project.write(
        "jobs/crm.sql",
        "create table Country (CountryId integer primary key, Name varchar(40) not null);\n\
         insert into Country values (1, 'Ö'), (2, 'O''Neill');\n\
         create table Town (TownId integer primary key, CountryId integer references Country (CountryId), Size decimal(10,2), SeenAt datetime, Map blob);\n\
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)\n\
         insert into Town select i, 1 + i % 2, i || '.25', '2024-02-29 23:59:59', x'00ff' from n;\n\
         create index TownByCountry on Town (CountryId);",
    );
    project.run().exits(0);
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(0)
        .says("2 of 2 tables equal");
    let asked = |text: &str| server.sql("campaign", &[text]);
    assert_eq!(asked("select size || '' from dbo.town where town_id = 7"), "7.25");
    assert_eq!(asked("select count(*) from sys.foreign_keys"), "1");
    assert_eq!(asked("select count(*) from sys.indexes where is_primary_key = 1"), "2");
    server.sql(
        "campaign",
        &[
            "grant select on dbo.country to reader",
            "deny delete on dbo.country to reader",
        ],
    );
    let connection = rusqlite::Connection::open(project.path("jobs/crm.sqlite")).unwrap();
    connection.execute("insert into Country values (3, 'new')", []).unwrap();
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(0)
        .says("2 of 2 tables equal");
    assert_eq!(asked("select count(*) from dbo.country"), "3");
    assert_eq!(
        asked("select count(*) from sys.foreign_keys"),
        "1",
        "the key into the table is back"
    );
    assert_eq!(
        asked("select group_concat(state_desc || ' ' || permission_name) from sys.database_permissions"),
        "GRANT SELECT,DENY DELETE"
    );
    assert_eq!(
        asked("select count(*) from sys.tables where name like '%staging%'"),
        "0"
    );
    // The same rows by their keys: one is changed, one is new.
    connection
        .execute("update Country set Name = 'changed' where CountryId = 1", [])
        .unwrap();
    connection
        .execute("insert into Country values (4, 'another')", [])
        .unwrap();
    drop(connection);
    project.write(SPEC, JOB.replace("mode: replace", "mode: upsert"));
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(0)
        .says("2 of 2 tables equal");
    assert_eq!(asked("select name from dbo.country where country_id = 1"), "changed");
}

/// Encryption is believed when the certificate is among those that the machine trusts, and bears the name that was asked for.
#[test]
fn an_encrypted_connection_is_one_with_the_server_that_was_named() {
    let server = TdsServer::start_encrypted();
    server.create_database("crm");
    server.sql("crm", DEFINITIONS);
    let try_it = |host: &str, trusted: Option<&str>| {
        let mut job = Job::new().env("MSSQL_PASSWORD", TdsServer::PASSWORD);
        if let Some(trusted) = trusted {
            job = job.env("SSL_CERT_FILE", trusted);
        }
        let project = job.create();
        project.write(SPEC, JOB);
        let crm = mssql(server.port, "crm").replace("127.0.0.1", host);
        let crm = crm.replace("mssql = {", "mssql = { tls = \"verify\",");
        project.write(
            "jobs/connections.toml",
            format!("[local]\ncrm.{crm}\ncampaign.sqlite = {{ path = \"campaign.sqlite\" }}\n"),
        );
        project
    };
    let certificate = server.certificate();
    let certificate = certificate.to_str();
    let trusting = try_it("localhost", certificate);
    trusting.run().exits(0);
    trusting
        .command(["verify", SPEC, "--checksum"])
        .exits(0)
        .says("3 of 3 tables equal");
    for (host, trusted) in [("localhost", None), ("127.0.0.1", certificate)] {
        let refused = try_it(host, trusted).command(["validate", SPEC, "--connect"]);
        assert_ne!(refused.code, Some(0), "{host}");
        refused.says("no encryption");
    }
}
