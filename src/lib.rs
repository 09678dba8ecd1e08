//! `pipeline` runs declarative bulk-data jobs: items → (files | rows in chunks) → sink → steps.
//!
//! Folders are floors and read as the way of the data; `tests/architecture.rs` holds which may import which.

pub mod connect;
pub mod engine;
pub mod format;
pub mod model;
pub mod monitor;
pub mod plan;
pub mod report;
pub mod resolve;
pub mod spec;
pub mod stages;
pub mod state;
