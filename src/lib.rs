//! `pipeline` runs declarative bulk-data jobs: items → (files | rows in chunks) → sink → steps.
//!
//! Folders are floors and read as the way of the data; `tests/architecture.rs` holds which may import which.

pub mod connect;
pub mod model;
pub mod resolve;
pub mod state;
