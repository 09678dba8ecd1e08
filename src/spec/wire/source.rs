use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RowsSpec, ScalarSpec, TablesSpec};

/// Where the work comes from: files, tables, or the rows of a query.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["files"]}, {"required": ["tables"]}, {"required": ["rows"]}]))]
pub struct SourceSpec {
    /// The list of items, each with files. Left out, the job has one item: itself.
    pub items: Option<ItemsSpec>,
    /// The files of one item.
    pub files: Option<FilesSpec>,
    /// Tables of a database; each is an item, and its rows go over in chunks.
    pub tables: Option<TablesSpec>,
    /// The rows of one query, which go over in chunks into one table.
    pub rows: Option<RowsSpec>,
}

/// The list of items: one row, one item.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["csv"]}, {"required": ["jsonl"]}, {"required": ["list"]}, {"required": ["glob"]}, {"required": ["query"]}
]))]
pub struct ItemsSpec {
    /// The connection that holds the list; not with `list`.
    pub connection: Option<String>,
    /// The path of a CSV file with a header line.
    pub csv: Option<String>,
    /// The path of a file with one JSON object to a line.
    pub jsonl: Option<String>,
    /// Rows written here.
    #[schemars(length(min = 1))]
    pub list: Option<Vec<BTreeMap<String, ScalarSpec>>>,
    /// A pattern of object names (`in/**/*.bin`); the rows have the columns `path`, `name`, `size`, `modified` and `etag`.
    pub glob: Option<String>,
    /// A query, one text for each dialect.
    pub query: Option<QuerySpec>,
    /// Parameters of the query, used in its text as `:name`.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Types of columns of `csv` and `jsonl`; other columns are text.
    #[serde(default)]
    pub types: BTreeMap<String, ColumnTypeSpec>,
    /// A template of the item's key, which no other item may have.
    #[schemars(length(min = 1))]
    pub key: String,
}

/// The files of one item: one row, one file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["csv"]}, {"required": ["jsonl"]}, {"required": ["list"]}, {"required": ["glob"]}, {"required": ["query"]}
]))]
pub struct FilesSpec {
    /// The connection that holds the list; not with `list`.
    pub connection: Option<String>,
    /// The path of a CSV file with a header line.
    pub csv: Option<String>,
    /// The path of a file with one JSON object to a line.
    pub jsonl: Option<String>,
    /// Rows written here.
    #[schemars(length(min = 1))]
    pub list: Option<Vec<BTreeMap<String, ScalarSpec>>>,
    /// A pattern of object names (`in/**/*.bin`); the rows have the columns `path`, `name`, `size`, `modified` and `etag`.
    pub glob: Option<String>,
    /// A query, one text for each dialect.
    pub query: Option<QuerySpec>,
    /// Parameters of the query, used in its text as `:name`; templates over `item`.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Types of columns of `csv` and `jsonl`; other columns are text.
    #[serde(default)]
    pub types: BTreeMap<String, ColumnTypeSpec>,
    /// A template of the file's size in bytes, where the list tells it.
    pub size: Option<String>,
    /// Where the file's bytes are. May be left out with `glob`: the objects found.
    pub read: Option<ReadSpec>,
}

/// One text for each dialect; the connection's kind picks it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct QuerySpec {
    /// SQL, with parameters as `:name`.
    pub sql: Option<String>,
    /// Kusto's language, with parameters declared by `declare query_parameters(…)`.
    pub kql: Option<String>,
}

/// Where a file's bytes are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadSpec {
    /// The name of a connection to a store.
    pub connection: String,
    /// A template of the object's path in it, as in `{{url_path file.Uri}}`.
    #[schemars(length(min = 1))]
    pub path: String,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ColumnTypeSpec {
    Text,
    Integer,
    Number,
    Boolean,
}
