//! What users meet, through the real binary.
#![expect(clippy::unwrap_used, reason = "a test may fail where something is not as it must be")]

#[path = "../harness/mod.rs"]
mod harness;

#[expect(
    dead_code,
    unused_imports,
    reason = "some of the servers are needed here, and of each a part"
)]
#[path = "../servers/mod.rs"]
mod servers;

#[path = "../servers/duckdb.rs"]
mod duckdb;

mod changed_spec;
mod checked_in_jobs;
mod cleanup;
mod concurrency;
mod credentials;
mod durability;
mod embedding;
mod failures;
mod history;
mod item_lists;
mod limits;
mod listed_sizes;
mod message_stages;
mod messages;
mod names;
mod plan_file;
mod plan_output;
mod plan_run_agree;
mod raw_copy;
mod report;
mod retry;
mod secrets;
mod settings;
mod state;
mod state_changes;
mod stop;
mod store_kinds;
mod stored_vars;
mod table_files;
mod tables;
mod tables_apart;
mod tables_interrupted;
mod tables_losses;
mod tables_mssql;
mod tables_rejected;
mod tables_reopened;
mod tables_resumed;
mod tables_told;
mod tables_types;
mod throttling;
mod told;
mod usage;
mod verify;
mod watch;
mod why;
