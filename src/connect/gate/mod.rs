//! How much may be asked of a connection, by whom, and how fast: one gate for each connection of a run, which every call passes.
//!
//! A call holds a pass while it is under way. Work that talks to several connections takes its passes before it begins and is given
//! views of them that ask for none; every other caller has a view that takes a pass for each call.

mod adaptive;
mod database;
mod door;
mod pace;
mod queue;
mod store;
mod stream;
mod tables;
mod watch;

pub(super) use database::GatedDatabase;
pub(super) use door::Gate;
pub(super) use queue::GatedQueue;
pub(super) use store::GatedStore;
pub(super) use tables::GatedTables;

pub use door::{Door, Pass};
pub use pace::{Paces, further_parts, paced};
