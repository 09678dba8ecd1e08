use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::{ColumnType, Concurrency, ConnectionConfig, HashKind, Limits, RetryPolicy, Row, SinkMode, Value};

use super::{Step, Template};

/// A job with nothing left to look up: variables are in, references are checked, every default is filled in.
///
/// Only secrets are still references; they are read when their connection is first opened.
#[derive(Clone, Debug)]
pub struct ResolvedJob {
    pub name: String,
    pub description: Option<String>,
    pub profile: String,
    /// The spec as it was named on the command line.
    pub spec_path: PathBuf,
    /// The folder in which `.pipeline` lies: the parent of the spec's folder when that is called `jobs`, the spec's own folder otherwise.
    pub project: PathBuf,
    /// What this run was started with, all defaults applied; fixed in the state by the first run.
    pub vars: BTreeMap<String, Value>,
    /// Connections that the job names, by name.
    pub connections: BTreeMap<String, ConnectionConfig>,
    pub source: Source,
    pub sink: Sink,
    pub naming: Naming,
    /// What follows for each file that is at its target, in the order of the spec; no two have the same name.
    pub steps: Vec<Step>,
    pub concurrency: Concurrency,
    pub retry: RetryPolicy,
    pub limits: Limits,
}

impl ResolvedJob {
    /// A connection that `resolve` has checked to exist.
    ///
    /// # Panics
    /// When the name did not come out of this job.
    pub fn connection(&self, name: &str) -> &ConnectionConfig {
        &self.connections[name]
    }
}

#[derive(Clone, Debug)]
pub struct Source {
    /// Absent: the job has one item, itself, and its key is the job's name.
    pub items: Option<ItemsSource>,
    pub files: FilesSource,
}

#[derive(Clone, Debug)]
pub struct ItemsSource {
    pub rows: RowsSource,
    /// Scope: `item`.
    pub key: Template,
}

#[derive(Clone, Debug)]
pub struct FilesSource {
    /// Its templates' scope: `item`.
    pub rows: RowsSource,
    pub read: ReadSource,
    /// Scope: `item`, `file`. Renders to the file's bytes where the list tells them; listings (`glob`) tell them anyway.
    pub size: Option<Template>,
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub struct ReadSource {
    pub connection: String,
    /// Scope: `item`, `file`.
    pub path: Template,
}

/// Rows of any origin.
#[derive(Clone, Debug)]
pub struct RowsSource {
    /// Absent for inline lists only.
    pub connection: Option<String>,
    pub form: RowsForm,
    /// Types of columns of text formats; columns not named stay text.
    pub types: BTreeMap<String, ColumnType>,
}

#[derive(Clone, Debug)]
pub enum RowsForm {
    /// A CSV object with a header line.
    Csv { path: Template },
    /// A JSON-lines object.
    Jsonl { path: Template },
    /// Rows written in the spec itself.
    List { rows: Vec<Row> },
    /// Objects of a store whose name matches; columns `path`, `name`, `size`, `modified`, `etag`.
    Glob { pattern: Template },
    /// The answer to a query, in the dialect of the connection; parameters are bound.
    Query {
        text: String,
        parameters: Vec<(String, Template)>,
    },
}

#[derive(Clone, Debug)]
pub struct Sink {
    pub connection: String,
    pub mode: SinkMode,
    pub hash: HashKind,
    /// Bytes of one part of a large file.
    pub part_size: u64,
}

#[derive(Clone, Debug)]
pub struct Naming {
    /// The object's name at the sink. Scope: `item`, `file`.
    pub object: Template,
}
