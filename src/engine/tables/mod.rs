//! Runs a job of tables: in each item slot a table is made and loaded chunk by chunk, and when all of them are there, behind a barrier,
//! indexes and keys are added.
//!
//! A table is an item, a chunk is a unit; accounts, events and state are those of every other job.

mod bookkeeping;
mod chunk;
mod constraints;
mod context;
mod drift;
mod fit;
mod item;
mod leftovers;
mod pages;
mod place;
mod preview;
mod put_back;
mod run;
mod taken_up;
mod verifier;

pub use leftovers::remove_leftovers;
pub use preview::{TableLook, TablePreview, preview_tables};
pub use put_back::put_table_back;
pub use run::run_tables;
pub use verifier::verify_tables;
