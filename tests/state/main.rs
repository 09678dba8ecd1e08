//! The state by itself: what it keeps across openings, kills and damage. Nothing but `pipeline::state` and `pipeline::model`.

mod damage;
mod fixture;
mod harness;
mod kill;
mod records;
mod workload;
