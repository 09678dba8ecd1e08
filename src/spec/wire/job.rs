use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    CompressionSpec, ConcurrencySpec, ConnectionSpec, ContractSpec, JOB_PATTERN, LimitsSpec, OnBadRowSpec,
    OnPartialSpec, RetrySpec, SIZE_PATTERN, ScalarSpec, SourceSpec, StepSpec, TableFormatSpec,
};

/// A bulk-data job: items → files → sink → steps.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "if" = {"properties": {"source": {"required": ["files"]}}},
    "then" = {"required": ["naming"], "properties": {"naming": {"required": ["object"]}}}
))]
pub struct JobSpec {
    /// The job's name; it names the folder of its state. Small letters, digits, `-` and `_`.
    #[schemars(regex(pattern = JOB_PATTERN), length(max = 64))]
    pub job: String,
    /// What the job is for, in a sentence.
    pub description: Option<String>,
    /// Variables, used as `${name}` and given with `--var name=value`.
    #[serde(default)]
    pub vars: BTreeMap<String, VarSpec>,
    /// Connections of this job alone. A connection of the same name in the profile takes the place of one here.
    #[serde(default)]
    pub connections: BTreeMap<String, ConnectionSpec>,
    /// Where the work and its bytes come from.
    pub source: SourceSpec,
    /// Where the bytes go.
    pub sink: SinkSpec,
    /// How targets are named.
    #[serde(default)]
    pub naming: NamingSpec,
    /// What follows for each file that is at its target.
    #[serde(default)]
    pub then: Vec<StepSpec>,
    /// How much is done at once: a tree of limits, each held per instance of its parent.
    pub concurrency: Option<ConcurrencySpec>,
    /// How often and how patiently a unit is tried.
    pub retry: Option<RetrySpec>,
    /// Bounds of the run as a whole.
    pub limits: Option<LimitsSpec>,
}

/// A variable. Without a default it must be given.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VarSpec {
    /// Its value when none is given; may refer to other variables and to the environment.
    pub default: Option<ScalarSpec>,
    /// Whether it must be given with `--var`.
    #[serde(default)]
    pub required: bool,
    /// What it is for.
    pub description: Option<String>,
}

/// Where the bytes go, and what happens to what is there already.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkSpec {
    /// The name of a connection that can be written to: a store for files, a database or a store for tables and
    /// rows.
    pub connection: String,
    /// What happens to what is already there. Of files: `create` refuses an object that is there, `skip` (default) leaves it alone and counts it
    /// as present, `overwrite` replaces it, `overwrite_if_different` replaces it when its size differs or the source is newer. Of tables:
    /// `replace` (default) loads beside the table and takes its place when complete, `truncate` empties it first, `append` adds rows,
    /// `upsert` replaces rows of the same primary key.
    pub mode: Option<SinkModeSpec>,
    /// The hash computed over the content on its way: `sha256` (default), `blake3`, `crc32c` or `none`.
    pub hash: Option<HashSpec>,
    /// The size of one part of a large file, at least 5MiB. Default `6MiB`.
    #[schemars(regex(pattern = SIZE_PATTERN))]
    pub part_size: Option<String>,
    /// The schema that tables go into. Default: that of the source, where the engine has schemas.
    #[schemars(length(min = 1))]
    pub schema: Option<String>,
    /// Rows that the sink gets at once. Default 8192, which is also the most.
    #[schemars(range(min = 1, max = 8192))]
    pub batch: Option<u32>,
    /// What becomes of a row that the sink refuses: `fail` (default) fails its chunk, `reject` writes it to a file and goes on.
    pub on_bad_row: Option<OnBadRowSpec>,
    /// What becomes of a table whose loading was interrupted: `reload` (default) loads it from its beginning, `keep` goes on behind the chunks that
    /// are there. The latter needs a source that is `quiet`, cut by a key.
    pub on_partial: Option<OnPartialSpec>,
    /// What becomes of a table that is there with another shape, in the modes `truncate`, `append` and `upsert`: `evolve` adds the columns that
    /// are missing, `freeze` (default) refuses it.
    pub contract: Option<ContractSpec>,
    /// What tables become in a store: `parquet`, `csv` or `jsonl`.
    pub format: Option<TableFormatSpec>,
    /// How the columns of `parquet` are compressed: `zstd` (default), `snappy` or `none`.
    pub compression: Option<CompressionSpec>,
    /// Types at the sink in place of those of the type table, as in `{ money: "numeric(19,4)" }`.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SinkModeSpec {
    Create,
    Skip,
    Overwrite,
    OverwriteIfDifferent,
    Append,
    Truncate,
    Replace,
    Upsert,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum HashSpec {
    Sha256,
    Blake3,
    Crc32c,
    None,
}

/// How targets are named.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamingSpec {
    /// Of files: a template of the object's name at the sink, as in `{{item.WorkItemId}}-{{file.FileName}}`.
    #[schemars(length(min = 1))]
    pub object: Option<String>,
    /// Of tables: a template of the table's name at the sink, as in `{{snake table.name}}`. Default `{{table.name}}`. Of the rows of a query: the
    /// name itself.
    #[schemars(length(min = 1))]
    pub table: Option<String>,
    /// Of tables and rows: a template of a column's name at the sink, as in `{{snake column.name}}`. Default `{{column.name}}`.
    #[schemars(length(min = 1))]
    pub column: Option<String>,
}
