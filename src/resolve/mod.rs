//! From a spec that is well-formed to a job that can be compiled: variables, profile, connections, templates, defaults.
//!
//! Reads the connections file and the environment, never the network. All problems of a job are reported together.

mod helpers;
mod job;
mod template;

pub use job::{FilesSource, ItemsSource, Naming, ReadSource, ResolvedJob, RowsForm, RowsSource, Sink, Source};
pub use template::{Reference, Scope, Template, TemplateProblem};
