//! Room on disk for what is too much for memory while one command runs. Nothing of it has a name or outlives the process.

mod folder;
mod name_log;
mod sorter;

pub use folder::Scratch;
pub use name_log::NameLog;
pub use sorter::{SortRecord, Sorter};
