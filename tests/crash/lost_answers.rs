//! Databases that have done what they were asked for, and whose answer never came.

use std::collections::BTreeMap;

use super::job::Place;
use super::process::Ended;
use super::proxy::{Loss, Proxy};
use super::servers::{Mariadb, Postgres};
use super::tables::{rows, sqlite_script};

const TABLES: usize = 6;

/// Rows that are committed, by COPY in PostgreSQL and by `load data` in MariaDB.
const ROWS: [Loss; 2] = [
    Loss {
        behind: "copy ",
        request: "commit",
        answer: "COMMIT",
    },
    Loss {
        behind: "load data",
        request: "commit",
        answer: "",
    },
];

/// A table that has taken the place of another.
const SWAP: [Loss; 2] = [
    Loss {
        behind: "rename to",
        request: "commit",
        answer: "COMMIT",
    },
    Loss {
        behind: "rename table",
        request: "rename table",
        answer: "",
    },
];

/// A key that has been made.
const KEY: [Loss; 2] = [
    Loss {
        behind: "primary key (",
        request: "commit",
        answer: "COMMIT",
    },
    Loss {
        behind: "primary key (",
        request: "primary key (",
        answer: "",
    },
];

enum Sink {
    Postgres(Postgres),
    Mariadb(Mariadb),
}

impl Sink {
    fn both() -> [Self; 2] {
        let (postgres, mariadb) = (Postgres::start(), Mariadb::start());
        postgres.create_database("campaign");
        mariadb.create_database("campaign");
        [Self::Postgres(postgres), Self::Mariadb(mariadb)]
    }

    fn sql(&self, text: &str) -> String {
        match self {
            Self::Postgres(server) => server.psql("campaign", text),
            Self::Mariadb(server) => server.sql("campaign", text),
        }
    }

    /// Tables by name and rows, what a run leaves behind among them.
    fn tables(&self) -> Vec<String> {
        let schema = match self {
            Self::Postgres(_) => "public",
            Self::Mariadb(_) => "campaign",
        };
        let names = self.sql(&format!(
            "select table_name from information_schema.tables where table_schema = '{schema}' order by table_name"
        ));
        let count = |name: &str| format!("{name} {}", self.sql(&format!("select count(*) from {name}")));
        names.lines().map(count).collect()
    }

    fn place(&self, proxy: &Proxy, sink: &str) -> Place {
        let (kind, user, password) = match self {
            Self::Postgres(_) => ("postgres", Postgres::USER, Postgres::PASSWORD),
            Self::Mariadb(_) => ("mysql", Mariadb::USER, Mariadb::PASSWORD),
        };
        let place = Place::new(Vec::new(), BTreeMap::from([("SINK_PASSWORD", password.to_owned())]));
        place.write(
            "job.yaml",
            &format!(
                "job: tables\nsource: {{ tables: {{ connection: crm, quiet: true, chunks: {{ rows: 40, by: key }} }} }}\n\
                 sink: {{ connection: campaign, {sink} }}\nnaming: {{ table: \"{{{{snake table.name}}}}\" }}\n\
                 retry: {{ max_attempts: 3, initial_delay: 50ms, max_delay: 200ms }}\n"
            ),
        );
        place.write("crm.sql", &(0..TABLES).map(sqlite_script).collect::<String>());
        place.write(
            "connections.toml",
            &format!(
                "[local]\ncrm.sqlite = {{ path = 'crm.sqlite', script = 'crm.sql' }}\n\
                 [local.campaign.{kind}]\nhost = '127.0.0.1'\nport = {}\ndatabase = 'campaign'\nuser = '{user}'\n\
                 password = '${{env:SINK_PASSWORD}}'\n",
                proxy.port(),
            ),
        );
        place
    }

    fn proxy(&self) -> Proxy {
        let port = match self {
            Self::Postgres(server) => server.port,
            Self::Mariadb(server) => server.port,
        };
        Proxy::to(([127, 0, 0, 1], port).into())
    }
}

/// Runs a job whose sink loses an answer; what was told, and the job for another run.
fn run_with(sink: &Sink, options: &str, loss: Loss) -> (Ended, Place, Proxy) {
    let proxy = sink.proxy();
    let place = sink.place(&proxy, options);
    proxy.lose(loss);
    let ended = place.run();
    assert!(proxy.has_lost_it(), "{ended:?}");
    (ended, place, proxy)
}

fn assert_whole(place: &Place, sink: &Sink) {
    let verified = place.command(&["verify", "--checksum"]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    assert_eq!(sink.tables().len(), TABLES, "{:?}", sink.tables());
}

#[test]
fn a_swap_whose_answer_is_lost_is_done_once() {
    for (sink, loss) in Sink::both().iter().zip(SWAP) {
        // The first run makes the tables, so that the second has some to replace.
        let proxy = sink.proxy();
        let place = sink.place(&proxy, "mode: replace");
        assert_eq!(place.run().code, 0);
        proxy.lose(loss);
        let again = place.command(&["run", "--restart", "--yes"]).output().unwrap();
        assert!(proxy.has_lost_it(), "{again:?}");
        assert!(again.status.success(), "{again:?}");
        assert_whole(&place, sink);
    }
}

/// A new table of one chunk takes its place in PostgreSQL in the transaction of its rows; both are known by whether it stands there.
#[test]
fn a_new_table_whose_commit_was_not_answered_is_in_its_place_once() {
    let [sink, _] = Sink::both();
    for request in ["commit", "rename to"] {
        sink.sql("drop schema public cascade");
        let proxy = sink.proxy();
        let place = sink.place(&proxy, "mode: replace");
        let job = place.path().join("job.yaml");
        let text = std::fs::read_to_string(&job).unwrap();
        place.write("job.yaml", &text.replace("rows: 40, by: key", "by: none"));
        proxy.lose(Loss {
            behind: "copy ",
            request,
            answer: if request == "commit" { "COMMIT" } else { "ALTER TABLE" },
        });
        let ended = place.run();
        assert!(proxy.has_lost_it(), "{ended:?}");
        assert_eq!(ended.code, 0, "{request}: {ended:?}");
        assert_eq!(
            ended.json["account"]["rows"]["written"],
            (0..TABLES).map(rows).sum::<usize>(),
            "{request}: {ended:?}"
        );
        assert_whole(&place, &sink);
    }
}

#[test]
fn a_key_whose_answer_is_lost_is_made_once() {
    for (sink, loss) in Sink::both().iter().zip(KEY) {
        let (ended, place, _proxy) = run_with(sink, "mode: replace", loss);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_whole(&place, sink);
    }
}

#[test]
fn rows_whose_commit_was_not_answered_are_never_there_twice() {
    for (sink, loss) in Sink::both().iter().zip(ROWS) {
        // Gathered rows are dropped and gathered again.
        let (ended, place, _proxy) = run_with(sink, "mode: replace", loss);
        assert_eq!(ended.code, 5, "{ended:?}");
        assert!(ended.json.to_string().contains("database.outcome_unknown"), "{ended:?}");
        assert_eq!(place.run().code, 0);
        assert_whole(&place, sink);

        // What the sink has noted beside the rows tells.
        let (ended, place, _proxy) = run_with(sink, "mode: truncate, on_partial: keep", loss);
        assert_eq!(ended.code, 0, "{ended:?}");
        let cleaned = place.command(&["cleanup"]).output().unwrap();
        assert!(cleaned.status.success(), "{cleaned:?}");
        assert_whole(&place, sink);
    }
}

#[test]
fn added_rows_whose_commit_was_not_answered_are_not_added_again() {
    for (sink, loss) in Sink::both().iter().zip(ROWS) {
        let (ended, place, _proxy) = run_with(sink, "mode: append", loss);
        assert_eq!(ended.code, 5, "{ended:?}");
        let added = sink.tables();
        let again = place.run();
        assert_eq!(again.code, 6, "{again:?}");
        assert!(again.json.to_string().contains("tables.partial"), "{again:?}");
        assert_eq!(sink.tables(), added);
        let once: Vec<String> = (0..TABLES)
            .map(|number| format!("table{number} {}", rows(number)))
            .collect();
        assert_eq!(added, once, "whatever is known of them");
    }
}
