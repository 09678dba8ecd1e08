use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::QuerySpec;

/// Tables of a database, or files of a store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TablesSpec {
    /// The connection to the database or store.
    pub connection: String,
    /// Patterns of table names (`dbo.*`), or of paths of files (`sales/*.parquet`); what fits any of them is taken. Left out: all.
    #[schemars(length(min = 1))]
    pub include: Option<Vec<String>>,
    /// Patterns of tables that are left out all the same.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// In which order tables are taken up: `name` (default), or `include`, the order of the patterns.
    pub order: Option<TableOrderSpec>,
    /// How the rows of a table are cut.
    pub chunks: Option<ChunksSpec>,
    /// Nobody writes to the source until the job is done. `on_partial: keep` needs that: a view of the data dies with the process that asked for it.
    #[serde(default)]
    pub quiet: bool,
    /// Types of columns of CSV and JSON lines, as in `{ Total: "decimal(10,2)" }`; other columns are text in CSV, and what their first values
    /// are in JSON lines.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TableOrderSpec {
    Name,
    Include,
}

/// The rows of one query.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowsSpec {
    /// The connection to the database.
    pub connection: String,
    /// The query, one text for each dialect.
    pub query: QuerySpec,
    /// Parameters of the query, used in its text as `:name`.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// How the rows are cut. A query is cut by a named key only; without one it is a single chunk.
    pub chunks: Option<ChunksSpec>,
    /// Nobody writes to what the query reads until the job is done. `on_partial: keep` needs that.
    #[serde(default)]
    pub quiet: bool,
}

/// How rows are cut into chunks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChunksSpec {
    /// Rows in one chunk. Default 50000; 250000 where each chunk becomes a file.
    #[schemars(range(min = 1))]
    pub rows: Option<u64>,
    /// What rows are told apart by: `auto` (default) takes a table's physical blocks where the engine reads by them, else the first column of
    /// its primary key; `key` takes a key, `ctid` physical blocks, `none` makes one chunk.
    pub by: Option<ChunksBySpec>,
    /// The column to cut by, with `by: key`; of a table its primary key when left out.
    #[schemars(length(min = 1))]
    pub key: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ChunksBySpec {
    Auto,
    Key,
    Ctid,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnBadRowSpec {
    Fail,
    Reject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnPartialSpec {
    Reload,
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ContractSpec {
    Evolve,
    Freeze,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TableFormatSpec {
    Parquet,
    Csv,
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CompressionSpec {
    Zstd,
    Snappy,
    None,
}
