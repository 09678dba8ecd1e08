//! What users meet, through the real binary.

#[path = "../harness/mod.rs"]
mod harness;

mod checked_in_jobs;
mod stop;
