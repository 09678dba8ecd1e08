//! The single writer: takes changes from a bounded channel, commits everything that waits as one group, and says when.
//!
//! Owns the order in which things reach the disk. It computes nothing about units: what it is sent is what is recorded.

mod committer;
mod state_writer;

pub use state_writer::{Durable, StateWriter};
