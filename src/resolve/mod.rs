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
mod peek;
mod resolver;
mod row_lists;
mod rows;
mod scope;
mod step;
mod steps;
mod stores;
mod table_files;
mod table_work;
mod tables;
mod template;
mod usage;
mod variables;

pub use files::{JobFiles, resolve};
pub use job::{
    FileJob, FileWork, FilesSource, ItemsSource, KnownJob, Naming, ReadSource, ResolvedJob, RowsForm, RowsSource, Sink,
    Source, TableJob, Work,
};
pub use load::{LoadError, LoadOptions, load};
pub use peek::{Peek, peek};
pub use scope::{Scope, column_row, table_row, target_row};
pub use step::{FieldValue, MessageBody, Notify, NotifyWhen, Step, StepKind};
pub use table_work::{
    Contract, FileSink, FileSource, OnBadRow, OnPartial, RowMode, TableNaming, TableSelection, TableSink, TableSource,
    TableWork,
};
pub use template::{Reference, Template, TemplateProblem};
