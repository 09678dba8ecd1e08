//! The real binary, killed at any moment and met with outages and full disks: what it leaves behind, and how it goes on.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

#[expect(dead_code, unused_imports, reason = "only the emulator is needed here")]
#[path = "../servers/mod.rs"]
mod servers;

#[expect(dead_code, unused_imports, reason = "only folders and the ledger are needed here")]
#[path = "../harness/mod.rs"]
mod harness;

mod commands;
mod containers;
mod files;
mod job;
mod process;
mod proxy;
mod random;
mod recorded;

mod full_disk;
mod kills_containers;
mod kills_folders;
mod lost_answers;
mod messages;
mod opening;
mod outage;
mod outage_tables;
mod pages;
mod second_run;
mod tables;
mod tables_mssql;

/// The size of a test that has two: small each time, large when asked for by `PIPELINE_LONG`.
fn size(short: usize, long: usize) -> usize {
    if std::env::var_os("PIPELINE_LONG").is_some() {
        long
    } else {
        short
    }
}
