//! Tables that are files: what a job must and must not say of them.

use crate::model::{FileFormat, FileType, ParquetCompression};
use crate::spec::{ChunksBySpec, CompressionSpec, Problem, SinkModeSpec, TableFormatSpec, TablesSpec};

use super::resolver::Resolver;
use super::table_work::{FileSink, FileSource};

impl Resolver<'_, '_> {
    pub(super) fn is_store(&self, connection: &str) -> bool {
        self.connections
            .get(connection)
            .is_some_and(|config| config.kind.is_store())
    }

    /// `None` when something is wrong, `Some(None)` when the tables are those of a database.
    #[expect(
        clippy::option_option,
        reason = "the outer says whether the spec is right, the inner what it means"
    )]
    pub(super) fn file_source(&mut self, spec: &TablesSpec) -> Option<Option<FileSource>> {
        let mut is_right = true;
        if !self.is_store(&spec.connection) {
            if !spec.types.is_empty() {
                let problem = Problem::new("`types` has no use here: a database tells the types of its columns");
                let help = "take it out; types at the sink stand in `sink.types`";
                self.findings.add("/source/tables/types", problem.help(help));
                is_right = false;
            }
            return is_right.then_some(None);
        }
        for (column, name) in &spec.types {
            if FileType::parse(name).is_none() {
                let problem = Problem::new(format!("`{name}` is no type of a column"));
                let help = format!("types are {}", FileType::NAMES);
                let place = column.replace('~', "~0").replace('/', "~1");
                self.findings
                    .add(&format!("/source/tables/types/{place}"), problem.help(help));
                is_right = false;
            }
        }
        if spec.chunks.as_ref().and_then(|chunks| chunks.by) == Some(ChunksBySpec::Key) {
            let problem = Problem::new("files cannot be cut by a key");
            let help = "take `by` out: Parquet is cut by its groups of rows, other formats file by file";
            self.findings.add("/source/tables/chunks/by", problem.help(help));
            is_right = false;
        }
        is_right.then(|| {
            Some(FileSource {
                types: spec.types.clone(),
            })
        })
    }

    /// `None` when something is wrong, `Some(None)` when the tables go into a database.
    #[expect(
        clippy::option_option,
        reason = "the outer says whether the spec is right, the inner what it means"
    )]
    pub(super) fn file_sink(&mut self) -> Option<Option<FileSink>> {
        let spec = &self.job.sink;
        if !self.is_store(&spec.connection) {
            return self.no_file_keys().then_some(None);
        }
        let mut is_right = true;
        if let Some(mode @ (SinkModeSpec::Append | SinkModeSpec::Truncate | SinkModeSpec::Upsert)) = spec.mode {
            let reason = match mode {
                SinkModeSpec::Truncate => "the files of a table are written over, not emptied",
                SinkModeSpec::Upsert => "rows of files are not replaced one by one",
                _ => "rows are not added to files that are there",
            };
            let problem = Problem::new(format!("this mode has no use in a store: {reason}"));
            self.findings.add("/sink/mode", problem.help("write `mode: replace`"));
            is_right = false;
        }
        if spec.contract.is_some() {
            let problem = Problem::new("`contract` has no use in a store: files are written anew");
            self.findings.add("/sink/contract", problem.help("take it out"));
            is_right = false;
        }
        let Some(format) = spec.format else {
            let problem = Problem::new("`format` is missing: the sink is a store, and tables become files there");
            let help = "add `format: parquet`, `csv` or `jsonl`";
            self.findings.add("/sink", problem.help(help));
            return None;
        };
        if spec.compression.is_some() && format != TableFormatSpec::Parquet {
            let problem = Problem::new("`compression` has no use here: it is that of Parquet");
            self.findings.add("/sink/compression", problem.help("take it out"));
            is_right = false;
        }
        let files = FileSink {
            format: match format {
                TableFormatSpec::Parquet => FileFormat::Parquet,
                TableFormatSpec::Csv => FileFormat::Csv,
                TableFormatSpec::Jsonl => FileFormat::JsonLines,
            },
            compression: match spec.compression {
                None | Some(CompressionSpec::Zstd) => ParquetCompression::Zstd,
                Some(CompressionSpec::Snappy) => ParquetCompression::Snappy,
                Some(CompressionSpec::None) => ParquetCompression::None,
            },
        };
        is_right.then_some(Some(files))
    }

    /// Keys that say nothing about a database.
    fn no_file_keys(&mut self) -> bool {
        let spec = &self.job.sink;
        let idle = [
            ("format", spec.format.is_some()),
            ("compression", spec.compression.is_some()),
        ];
        let mut is_right = true;
        for (key, is_there) in idle {
            if is_there {
                let problem = Problem::new(format!(
                    "`{key}` has no use here: it is about files, and the sink is a database"
                ));
                self.findings.add(&format!("/sink/{key}"), problem.help("take it out"));
                is_right = false;
            }
        }
        is_right
    }
}
