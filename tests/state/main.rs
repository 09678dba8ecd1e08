//! The state by itself: what it keeps across openings, kills and damage. Nothing but `pipeline::state` and `pipeline::model`.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod damage;
mod fixture;
mod harness;
mod kill;
mod records;
mod workload;
