//! The audit log of a run, one file each, readable by other processes while it is written. Derived: nothing is resumed from it.
//!
//! Owns which failures are told one by one and which are only counted, so that millions of them do not write gigabytes.

mod entry;
mod reader;
mod tally;
mod writer;

pub use entry::{JournalEntry, JournalLine};
pub use reader::JournalReader;
pub use writer::Journal;
