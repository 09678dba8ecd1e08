use crate::model::{ChunkPolicy, ChunkWay, Value};
use crate::spec::{
    ChunksBySpec, ChunksSpec, ContractSpec, OnBadRowSpec, OnPartialSpec, Problem, RowsSpec, SinkModeSpec,
    TableOrderSpec, TablesSpec,
};

use super::resolver::Resolver;
use super::scope::{COLUMN_COLUMNS, KnownScope, Prefix, TABLE_COLUMNS};
use super::table_work::{
    Contract, OnBadRow, OnPartial, RowMode, TableNaming, TableSelection, TableSink, TableSource, TableWork,
};
use super::usage::Use;

/// Rows in one chunk, where the spec does not say.
const CHUNK_ROWS: u64 = 50_000;

/// The same where each chunk becomes a file: readers of many small ones are slow.
const FILE_ROWS: u64 = 250_000;

impl Resolver<'_, '_> {
    /// A job that moves tables, or the rows of a query.
    pub fn table_work(&mut self) -> Option<TableWork> {
        let source = match (&self.job.source.tables, &self.job.source.rows) {
            (Some(tables), None) => self.tables(tables),
            (None, Some(rows)) => self.query_rows(rows),
            // The schema makes sure that it is exactly one.
            _ => None,
        };
        let sink = self.table_sink();
        let naming = self.table_naming();
        self.check_file_keys();
        let (mut source, sink) = (source?, sink?);
        if sink.on_partial == OnPartial::Keep {
            self.check_kept(&mut source, &sink)?;
        }
        if source.files.is_some() && sink.files.is_some() {
            self.check_apart(&sink.connection, std::slice::from_ref(&source.connection));
        }
        Some(TableWork {
            source,
            sink,
            naming: naming?,
        })
    }

    fn tables(&mut self, spec: &TablesSpec) -> Option<TableSource> {
        let connection = self.connection("/source/tables/connection", &spec.connection, Use::ReadTables);
        let include = spec.include.clone().unwrap_or_default();
        for (key, patterns) in [("include", &include), ("exclude", &spec.exclude)] {
            for (index, pattern) in patterns.iter().enumerate() {
                if let Err(error) = globset::Glob::new(pattern) {
                    let problem = Problem::new(format!("`{pattern}` is not a pattern: {}", error.kind()));
                    let help = "use `*` for any characters, as in `dbo.*`";
                    self.findings
                        .add(&format!("/source/tables/{key}/{index}"), problem.help(help));
                }
            }
        }
        let chunks = self.chunks("/source/tables/chunks", spec.chunks.as_ref(), true);
        let files = self.file_source(spec);
        Some(TableSource {
            connection: connection?,
            selection: TableSelection::Tables {
                include,
                exclude: spec.exclude.clone(),
                is_by_pattern: matches!(spec.order, Some(TableOrderSpec::Include)),
            },
            chunks: chunks?,
            is_quiet: spec.quiet,
            files: files?,
        })
    }

    fn query_rows(&mut self, spec: &RowsSpec) -> Option<TableSource> {
        let connection = self.connection("/source/rows/connection", &spec.connection, Use::ReadRows);
        let dialect = connection
            .as_ref()
            .and_then(|name| self.connections[name].kind.dialect());
        let text = self.query_text("/source/rows/query", &spec.query, dialect);
        // There is neither an item nor a file: a template here can only be a mistake, and is found as one.
        let nothing = KnownScope {
            item: Prefix::Absent("the rows are those of one query"),
            file: Prefix::Absent("the rows are those of one query"),
            target: Prefix::NO_TARGET,
            table: Prefix::Absent("the rows are those of one query"),
            column: Prefix::Absent("the rows are those of one query"),
        };
        let parameters: Vec<Option<(String, Value)>> = spec
            .params
            .iter()
            .map(|(name, text)| {
                self.template(&format!("/source/rows/params/{name}"), text, &nothing)?;
                Some((name.clone(), Value::from(text.as_str())))
            })
            .collect();
        let chunks = self.chunks("/source/rows/chunks", spec.chunks.as_ref(), false);
        Some(TableSource {
            connection: connection?,
            selection: TableSelection::Query {
                text: text?,
                parameters: parameters.into_iter().collect::<Option<_>>()?,
            },
            chunks: chunks?,
            is_quiet: spec.quiet,
            files: None,
        })
    }

    fn chunks(&mut self, pointer: &str, spec: Option<&ChunksSpec>, is_table: bool) -> Option<ChunkPolicy> {
        let default = if is_table { ChunkWay::Auto } else { ChunkWay::Whole };
        let Some(spec) = spec else {
            return Some(ChunkPolicy {
                rows: self.chunk_rows(),
                way: default,
            });
        };
        let by = spec.by.unwrap_or(match &spec.key {
            Some(_) => ChunksBySpec::Key,
            None => ChunksBySpec::Auto,
        });
        let wrong = match (by, &spec.key, is_table) {
            (ChunksBySpec::Auto | ChunksBySpec::Ctid | ChunksBySpec::None, Some(_), _) => {
                Some(("key", "`key` has no use without `by: key`", "take one of the two out"))
            }
            (ChunksBySpec::Ctid, None, false) => Some((
                "by",
                "a query has no physical blocks",
                "write `by: key` and `key: Column`, or leave `chunks` out",
            )),
            (ChunksBySpec::Key | ChunksBySpec::Auto, None, false) => Some((
                "by",
                "a query is cut by a named key only",
                "name a column that tells its rows apart, as in `chunks: { by: key, key: Id }`, or leave `chunks` out",
            )),
            _ => None,
        };
        if let Some((key, message, help)) = wrong {
            let at = format!("{pointer}/{key}");
            let at = if self.findings.document.get(&at).is_some() {
                at
            } else {
                pointer.to_owned()
            };
            self.findings.add(&at, Problem::new(message).help(help));
            return None;
        }
        Some(ChunkPolicy {
            rows: spec.rows.unwrap_or_else(|| self.chunk_rows()),
            way: match by {
                ChunksBySpec::Auto => ChunkWay::Auto,
                ChunksBySpec::Key => ChunkWay::Key(spec.key.clone()),
                ChunksBySpec::Ctid => ChunkWay::Blocks,
                ChunksBySpec::None => ChunkWay::Whole,
            },
        })
    }

    /// Chunks can stay only where the source is cut in the same way again.
    fn check_kept(&mut self, source: &mut TableSource, sink: &TableSink) -> Option<()> {
        let problem = match source.chunks.way {
            _ if sink.files.is_some() => {
                Problem::new("`on_partial: keep` needs a database as the sink, where chunks can be noted")
                    .help("take it out: a job into files loads a table that was interrupted again")
            }
            _ if !source.is_quiet => Problem::new(
                "`on_partial: keep` needs a source that nobody writes to until the job is done",
            )
            .help("write `quiet: true` beside the source's `connection` where that is so, or leave `on_partial` out"),
            ChunkWay::Blocks => Problem::new("`on_partial: keep` needs chunks that are ranges of a key")
                .help("write `by: key` in `chunks`: physical blocks are not the same for another process"),
            ChunkWay::Auto | ChunkWay::KeyOrWhole | ChunkWay::Key(_) | ChunkWay::Whole => {
                if source.chunks.way == ChunkWay::Auto {
                    source.chunks.way = ChunkWay::KeyOrWhole;
                }
                return Some(());
            }
        };
        self.findings.add("/sink/on_partial", problem);
        None
    }

    fn chunk_rows(&self) -> u64 {
        if self.is_store(&self.job.sink.connection) {
            FILE_ROWS
        } else {
            CHUNK_ROWS
        }
    }

    fn table_sink(&mut self) -> Option<TableSink> {
        let spec = &self.job.sink;
        let connection = self.connection("/sink/connection", &spec.connection, Use::WriteTables);
        let mode = match spec.mode {
            None | Some(SinkModeSpec::Replace) => Some(RowMode::Replace),
            Some(SinkModeSpec::Truncate) => Some(RowMode::Truncate),
            Some(SinkModeSpec::Append) => Some(RowMode::Append),
            Some(SinkModeSpec::Upsert) => Some(RowMode::Upsert),
            Some(
                SinkModeSpec::Create
                | SinkModeSpec::Skip
                | SinkModeSpec::Overwrite
                | SinkModeSpec::OverwriteIfDifferent,
            ) => {
                let problem = Problem::new("this mode is one of files, and the source has tables or rows");
                let help = "write `replace`, `truncate`, `append` or `upsert`";
                self.findings.add("/sink/mode", problem.help(help));
                None
            }
        };
        let files = self.file_sink();
        Some(TableSink {
            connection: connection?,
            schema: spec.schema.clone(),
            mode: mode?,
            batch: spec.batch.and_then(|rows| usize::try_from(rows).ok()),
            on_bad_row: match spec.on_bad_row {
                None | Some(OnBadRowSpec::Fail) => OnBadRow::Fail,
                Some(OnBadRowSpec::Reject) => OnBadRow::Reject,
            },
            on_partial: match spec.on_partial {
                None | Some(OnPartialSpec::Reload) => OnPartial::Reload,
                Some(OnPartialSpec::Keep) => OnPartial::Keep,
            },
            contract: match spec.contract {
                None | Some(ContractSpec::Freeze) => Contract::Freeze,
                Some(ContractSpec::Evolve) => Contract::Evolve,
            },
            types: spec.types.clone(),
            files: files?,
        })
    }

    fn table_naming(&mut self) -> Option<TableNaming> {
        let known = |columns: [&str; 2]| Prefix::Columns(columns.map(str::to_owned).to_vec());
        let is_query = self.job.source.rows.is_some();
        let table = if is_query {
            Prefix::Absent("the rows are those of one query, which has no name")
        } else {
            known(TABLE_COLUMNS)
        };
        let scope = KnownScope {
            item: Prefix::Absent("tables are named by `table`"),
            file: Prefix::Absent("tables are named by `table`"),
            target: Prefix::NO_TARGET,
            table: table.clone(),
            column: Prefix::Absent("a table has many columns"),
        };
        let of_column = KnownScope {
            column: known(COLUMN_COLUMNS),
            ..scope.clone()
        };
        let naming = &self.job.naming;
        if is_query && naming.table.is_none() {
            let problem =
                Problem::new("`naming.table` is missing: the rows of a query have no table to take a name from");
            self.findings
                .add("/source/rows", problem.help("add `naming: { table: orders_of_2024 }`"));
            return None;
        }
        let table = naming.table.as_deref().unwrap_or("{{table.name}}");
        let column = naming.column.as_deref().unwrap_or("{{column.name}}");
        let table = self.template("/naming/table", table, &scope);
        let column = self.template("/naming/column", column, &of_column);
        Some(TableNaming {
            table: table?,
            column: column?,
        })
    }

    /// Keys that say nothing about files.
    pub(super) fn check_table_keys(&mut self) {
        let (sink, naming) = (&self.job.sink, &self.job.naming);
        let idle = [
            ("/sink/schema", sink.schema.is_some()),
            ("/sink/batch", sink.batch.is_some()),
            ("/sink/on_bad_row", sink.on_bad_row.is_some()),
            ("/sink/on_partial", sink.on_partial.is_some()),
            ("/sink/contract", sink.contract.is_some()),
            ("/sink/types", !sink.types.is_empty()),
            ("/sink/format", sink.format.is_some()),
            ("/sink/compression", sink.compression.is_some()),
            ("/naming/table", naming.table.is_some()),
            ("/naming/column", naming.column.is_some()),
        ];
        for (pointer, is_there) in idle {
            if is_there {
                let key = pointer.rsplit('/').next().unwrap_or_default();
                let problem = Problem::new(format!("`{key}` has no use in a job of files: it is about tables"));
                self.findings.add(pointer, problem.help("take it out"));
            }
        }
    }

    /// Keys that say nothing about tables.
    fn check_file_keys(&mut self) {
        let job = self.job;
        let idle = [
            (
                "/source/items",
                job.source.items.is_some(),
                "the items of this job are its tables",
            ),
            ("/sink/hash", job.sink.hash.is_some(), "rows have no content hash"),
            (
                "/sink/part_size",
                job.sink.part_size.is_some(),
                "rows go over in chunks, not in parts",
            ),
            (
                "/naming/object",
                job.naming.object.is_some(),
                "tables are named by `naming.table`",
            ),
            ("/then", !job.then.is_empty(), "this version has steps for files only"),
        ];
        for (pointer, is_there, reason) in idle {
            if is_there {
                let key = pointer.rsplit('/').next().unwrap_or_default();
                let problem = Problem::new(format!("`{key}` has no use in a job of tables: {reason}"));
                self.findings.add(pointer, problem.help("take it out"));
            }
        }
    }
}
