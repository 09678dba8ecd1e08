//! The real binary in a project of its own: a temporary folder with a spec, connections, lists and sources, and a folder as the sink.
//!
//! Shared by several test binaries through `#[path]`. A test says what its job is like (`Job::new().items(3).files(10)`), makes the
//! project (`create`) or runs it at once (`run`), and asks the project for what then stands where.
#![expect(clippy::expect_used, reason = "a harness that cannot do its work ends the test")]

mod bytes;
mod gate;
mod inbox;
mod job;
mod ledger;
mod loopback;
mod process;
mod project;
mod tree;
mod watched;

pub use bytes::bytes_of;
pub use gate::{Behaviour, Gate};
pub use inbox::Inbox;
pub use job::{File, Job};
pub use process::{Output, Running};
pub use project::{Project, SPEC};
pub use tree::{Object, Tree, read as read_tree};
