//! From a spec that is well-formed to a job that can be compiled: variables, profile, connections, templates, defaults.
//!
//! Reads the connections file and the environment, never the network. All problems of a job are reported together.

mod azure;
mod checks;
mod connections;
mod files;
mod findings;
mod helpers;
mod job;
mod load;
mod resolver;
mod rows;
mod scope;
mod step;
mod steps;
mod stores;
mod template;
mod usage;
mod variables;

pub use files::{JobFiles, resolve};
pub use job::{FilesSource, ItemsSource, Naming, ReadSource, ResolvedJob, RowsForm, RowsSource, Sink, Source};
pub use load::{LoadError, LoadOptions, load};
pub use step::{FieldValue, MessageBody, Notify, NotifyWhen, Step, StepKind};
pub use template::{Reference, Scope, Template, TemplateProblem, target_row};
