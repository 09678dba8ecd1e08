use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::{
    ColumnType, Concurrency, ConnectionConfig, HashKind, Limits, RetryPolicy, Row, SinkMode, UnitKind, Value,
};

use super::{Step, TableWork, Template};

/// A job with nothing left to look up: variables are in, references are checked, every default is filled in.
///
/// Only secrets are still references; they are read when their connection is first opened. `W` is what the job does: [`Work`] where that is
/// still to be looked at, [`FileWork`] or [`TableWork`] behind that.
#[derive(Clone, Debug)]
pub struct ResolvedJob<W = Work> {
    pub name: String,
    pub description: Option<String>,
    pub profile: String,
    /// The spec as it was named on the command line.
    pub spec_path: PathBuf,
    /// The folder in which `.pipeline` lies: the parent of the spec's folder when that is called `jobs`, the spec's own folder otherwise.
    pub project: PathBuf,
    /// What this run was started with, all defaults applied; fixed in the state by the first run.
    pub vars: BTreeMap<String, Value>,
    /// Those whose value came from the environment. It may be a secret, and is neither kept nor shown.
    pub hidden_vars: BTreeSet<String>,
    /// Connections that the job names, by name.
    pub connections: BTreeMap<String, ConnectionConfig>,
    pub work: W,
    pub concurrency: Concurrency,
    pub retry: RetryPolicy,
    pub limits: Limits,
}

/// A job that copies files.
pub type FileJob = ResolvedJob<FileWork>;

/// A job that moves the rows of tables.
pub type TableJob = ResolvedJob<TableWork>;

/// What a job does.
#[derive(Clone, Debug)]
pub enum Work {
    Files(FileWork),
    Tables(TableWork),
}

/// Files that go from one store to another.
#[derive(Clone, Debug)]
pub struct FileWork {
    pub source: Source,
    pub sink: Sink,
    pub naming: Naming,
    /// What follows for each file that is at its target, in the order of the spec; no two have the same name.
    pub steps: Vec<Step>,
}

/// A job that knows what it does.
#[derive(Clone, Debug)]
pub enum KnownJob {
    Files(FileJob),
    Tables(TableJob),
}

impl ResolvedJob {
    /// What the job's units are.
    pub fn unit_kind(&self) -> UnitKind {
        match self.work {
            Work::Files(_) => UnitKind::File,
            Work::Tables(_) => UnitKind::Chunk,
        }
    }

    /// The job by what it does.
    pub fn known(self) -> KnownJob {
        match self.work.clone() {
            Work::Files(work) => KnownJob::Files(self.with(work)),
            Work::Tables(work) => KnownJob::Tables(self.with(work)),
        }
    }
}

impl<W> ResolvedJob<W> {
    /// The same job with other work.
    fn with<V>(self, work: V) -> ResolvedJob<V> {
        let Self {
            name,
            description,
            profile,
            spec_path,
            project,
            vars,
            hidden_vars,
            connections,
            concurrency,
            retry,
            limits,
            ..
        } = self;
        ResolvedJob {
            name,
            description,
            profile,
            spec_path,
            project,
            vars,
            hidden_vars,
            connections,
            work,
            concurrency,
            retry,
            limits,
        }
    }

    /// The variables as texts, as the state, the journal and a plan keep them: without those that came from the environment. That one of these
    /// has changed is told by the fingerprints of the stages.
    pub fn kept_vars(&self) -> BTreeMap<String, String> {
        let kept = self.vars.iter().filter(|(name, _)| !self.hidden_vars.contains(*name));
        kept.map(|(name, value)| (name.clone(), value.to_string())).collect()
    }

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
