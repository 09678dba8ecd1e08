use std::collections::BTreeMap;

use crate::model::{ChunkPolicy, FileFormat, ParquetCompression, Value};

use super::Template;

/// Rows that go from one database, or from files, to another, in tables.
#[derive(Clone, Debug)]
pub struct TableWork {
    pub source: TableSource,
    pub sink: TableSink,
    pub naming: TableNaming,
}

#[derive(Clone, Debug)]
pub struct TableSource {
    pub connection: String,
    pub selection: TableSelection,
    pub chunks: ChunkPolicy,
    /// Nobody writes to it until the job is done.
    pub is_quiet: bool,
    /// Present where the tables are files.
    pub files: Option<FileSource>,
}

/// Files as tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSource {
    /// Types of columns by their names, where a file does not tell them.
    pub types: BTreeMap<String, String>,
}

/// Which rows are meant.
#[derive(Clone, Debug)]
pub enum TableSelection {
    Tables {
        /// Patterns of names; empty: all.
        include: Vec<String>,
        exclude: Vec<String>,
        /// In the order of the patterns, not of the names.
        is_by_pattern: bool,
    },
    Query {
        text: String,
        parameters: Vec<(String, Value)>,
    },
}

#[derive(Clone, Debug)]
pub struct TableSink {
    pub connection: String,
    /// Absent: that of the source.
    pub schema: Option<String>,
    pub mode: RowMode,
    /// Rows that it gets at once, at most.
    pub batch: Option<usize>,
    pub on_bad_row: OnBadRow,
    pub on_partial: OnPartial,
    pub contract: Contract,
    /// Types of the sink by patterns of source types.
    pub types: BTreeMap<String, String>,
    /// Present where the tables become files.
    pub files: Option<FileSink>,
}

impl TableSink {
    /// Whether its tables are made by statements: they are those of a database.
    pub fn is_of_statements(&self) -> bool {
        self.files.is_none()
    }
}

/// How tables become files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSink {
    pub format: FileFormat,
    /// Of Parquet.
    pub compression: ParquetCompression,
}

/// What happens to the rows that are at the sink already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowMode {
    /// Rows are gathered beside the table and take its place when they are all there.
    #[default]
    Replace,
    /// The table is emptied first.
    Truncate,
    /// Rows are added.
    Append,
    /// A row of the same key is replaced, others are added.
    Upsert,
}

impl RowMode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Truncate => "truncate",
            Self::Append => "append",
            Self::Upsert => "upsert",
        }
    }
}

/// What becomes of a row that the sink refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadRow {
    #[default]
    Fail,
    /// It is written to a file, and the others go on.
    Reject,
}

/// What becomes of a table whose loading was interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPartial {
    /// It is loaded from its beginning.
    #[default]
    Reload,
    /// The chunks that are there stay.
    Keep,
}

/// What becomes of a table at the sink that has another shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contract {
    /// It is refused.
    #[default]
    Freeze,
    /// It gets the columns that it lacks.
    Evolve,
}

#[derive(Clone, Debug)]
pub struct TableNaming {
    /// Scope: `table`.
    pub table: Template,
    /// Scope: `table`, `column`.
    pub column: Template,
}
