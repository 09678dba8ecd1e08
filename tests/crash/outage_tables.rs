//! A database that goes away while tables are loaded into it.

use std::collections::BTreeMap;

use super::job::Place;
use super::proxy::Proxy;
use super::servers::Postgres;
use super::tables::sqlite_script;

const TABLES: usize = 60;

const SPEC: &str = "
job: tables
source: { tables: { connection: crm, chunks: { rows: 100 } } }
sink: { connection: campaign }
naming: { table: \"{{snake table.name}}\" }
concurrency: { limit: 4, items: { limit: 3, units: { limit: 2 } } }
retry: { max_attempts: 3, initial_delay: 50ms, max_delay: 200ms, outage: OUTAGE }
";

fn place(postgres: &Postgres, proxy: &Proxy, outage: &str) -> Place {
    postgres.create_database("campaign");
    let password = BTreeMap::from([("PG_PASSWORD", Postgres::PASSWORD.to_owned())]);
    let place = Place::new(Vec::new(), password);
    place.write("job.yaml", &SPEC.replace("OUTAGE", outage));
    place.write("crm.sql", &(0..TABLES).map(sqlite_script).collect::<String>());
    place.write(
        "connections.toml",
        &format!(
            "[local]\ncrm.sqlite = {{ path = 'crm.sqlite', script = 'crm.sql' }}\n\
             [local.campaign.postgres]\nhost = '127.0.0.1'\nport = {}\ndatabase = 'campaign'\nuser = '{}'\npassword = '${{env:PG_PASSWORD}}'\n",
            proxy.port(),
            Postgres::USER
        ),
    );
    place
}

fn complete(postgres: &Postgres) -> usize {
    let count = "select count(*) from pg_tables where schemaname = 'public' and tablename not like 'pipeline%'";
    postgres.psql("campaign", count).parse().unwrap()
}

/// A further run loads what is missing, and all rows are those of the source.
fn assert_completed(place: &Place, postgres: &Postgres) {
    let ended = place.run();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(complete(postgres), TABLES);
    let verified = place.command(&["verify", "--checksum"]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn a_database_that_is_gone_pauses_the_tables_until_it_is_back() {
    let postgres = Postgres::start();
    let proxy = Proxy::to(([127, 0, 0, 1], postgres.port).into());
    let place = place(&postgres, &proxy, "10m");
    let mut running = place.start();
    assert!(running.wait_until(|| complete(&postgres) >= 3));
    proxy.break_off();
    assert!(
        running.wait_until(|| place.probes().is_some_and(|probes| probes >= 2)),
        "it is noticed, and asked for"
    );
    proxy.mend();
    let ended = running.wait();
    assert_eq!(ended.code, 5, "{ended:?}");
    assert_eq!(ended.json["account"]["balanced"], true, "{ended:?}");
    // Besides those that showed it, only those whose last attempt was under way.
    let failed = ended.account("items", "failed");
    assert!((1..=15).contains(&failed), "{failed} of {TABLES}: {ended:?}");
    assert_completed(&place, &postgres);
}

#[test]
fn a_database_that_says_nothing_any_more_is_waited_for_as_one_that_is_gone() {
    let postgres = Postgres::start();
    let proxy = Proxy::to(([127, 0, 0, 1], postgres.port).into());
    let place = place(&postgres, &proxy, "10m");
    let connections = std::fs::read_to_string(place.path().join("connections.toml")).unwrap();
    place.write("connections.toml", &format!("{connections}timeout = '1s'\n"));
    let mut running = place.start();
    assert!(running.wait_until(|| complete(&postgres) >= 3));
    proxy.freeze();
    assert!(
        running.wait_until(|| place.probes().is_some_and(|probes| probes >= 2)),
        "it is noticed, and asked for"
    );
    proxy.thaw();
    let ended = running.wait();
    assert!([0, 5].contains(&ended.code), "{ended:?}");
    assert_eq!(ended.json["account"]["balanced"], true, "{ended:?}");
    assert_completed(&place, &postgres);
}

#[test]
fn a_database_that_stays_away_ends_the_run_and_a_later_one_completes() {
    let postgres = Postgres::start();
    let proxy = Proxy::to(([127, 0, 0, 1], postgres.port).into());
    let place = place(&postgres, &proxy, "1s");
    let mut running = place.start();
    assert!(running.wait_until(|| complete(&postgres) >= 3));
    proxy.break_off();
    let ended = running.wait();
    assert_eq!(ended.code, 7, "{ended:?}");
    let told = "connection `campaign` is gone: it gave no answer for 1.0 s";
    assert!(ended.stderr.contains(told), "{ended:?}");
    assert!(ended.stderr.contains("Next: pipeline run"), "{ended:?}");
    assert!(ended.account("items", "failed") <= 15, "{ended:?}");
    assert_eq!(ended.json["account"]["balanced"], true, "{ended:?}");
    proxy.mend();
    assert_completed(&place, &postgres);
}
