use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    BANDWIDTH_PATTERN, DURATION_PATTERN, NAME_PATTERN, PerSlotSpec, QUEUE_PATTERN, RATE_PATTERN, RetrySpec,
    SIZE_PATTERN,
};

/// Connections by profile and by name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ConnectionsSpec(pub BTreeMap<String, BTreeMap<String, ConnectionSpec>>);

/// A connection: one key, its kind, and under it the kind's options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [
    {"required": ["fs"]}, {"required": ["memory"]}, {"required": ["azblob"]}, {"required": ["s3"]}, {"required": ["sample"]},
    {"required": ["null"]}, {"required": ["csv-sqlite"]}, {"required": ["azqueue"]}, {"required": ["jsonl-queue"]}
]))]
pub struct ConnectionSpec {
    /// A folder.
    pub fs: Option<FsSpec>,
    /// Objects in the memory of the process, for trials.
    pub memory: Option<MemorySpec>,
    /// A container of an Azure Blob Storage account.
    pub azblob: Option<AzblobSpec>,
    /// A bucket of Amazon S3 or of a compatible store.
    pub s3: Option<S3Spec>,
    /// Generated objects: any path can be read, and gives the same bytes every time.
    pub sample: Option<SampleSpec>,
    /// Takes every object and keeps none: for measuring a source, or this program alone.
    pub null: Option<NullSpec>,
    /// CSV files queried with SQL, through an in-memory SQLite database.
    pub csv_sqlite: Option<CsvSqliteSpec>,
    /// A queue of an Azure Storage account.
    pub azqueue: Option<AzureQueueSpec>,
    /// A file to which messages are appended, one JSON object to a line.
    pub jsonl_queue: Option<JsonlQueueSpec>,
}

/// A folder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FsSpec {
    /// The folder, relative to the file in which this stands.
    #[schemars(length(min = 1))]
    pub root: String,
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

/// Objects in the memory of the process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemorySpec {
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

/// A container of an Azure Blob Storage account.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AzblobSpec {
    /// The storage account's name.
    pub account: Option<String>,
    /// The container.
    #[schemars(length(min = 1))]
    pub container: String,
    /// The address of the blob service. Default `https://{account}.blob.core.windows.net`.
    pub endpoint: Option<String>,
    /// The account's key: a secret, given as `${env:NAME}` or `${file:PATH}`.
    pub account_key: Option<String>,
    /// A shared access signature: a secret, given as `${env:NAME}` or `${file:PATH}`.
    pub sas_token: Option<String>,
    /// A prefix of all names.
    pub root: Option<String>,
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

/// A bucket of Amazon S3 or of a compatible store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3Spec {
    /// The bucket.
    #[schemars(length(min = 1))]
    pub bucket: String,
    /// The region, as in `eu-central-1`.
    pub region: Option<String>,
    /// The address of a compatible store. Default: Amazon's own.
    pub endpoint: Option<String>,
    /// A secret, given as `${env:NAME}` or `${file:PATH}`.
    pub access_key_id: Option<String>,
    /// A secret, given as `${env:NAME}` or `${file:PATH}`.
    pub secret_access_key: Option<String>,
    /// A secret, given as `${env:NAME}` or `${file:PATH}`.
    pub session_token: Option<String>,
    /// A prefix of all names.
    pub root: Option<String>,
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

/// Generated objects. A part of the file's name that is a size (`big.64MiB.bin`, `none.empty.bin`) is its size; others get one from the seed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleSpec {
    /// Another seed gives other bytes and sizes. Default 0.
    #[schemars(range(min = 0, max = 9_223_372_036_854_775_807_i64))]
    pub seed: Option<u64>,
    /// The bound of sizes that no name tells. Default `64KiB`.
    #[schemars(regex(pattern = SIZE_PATTERN))]
    pub size_max: Option<String>,
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

/// Takes every object and keeps none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NullSpec {
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

/// CSV files as tables.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvSqliteSpec {
    /// Tables by name, each a CSV file, its path relative to the file in which this stands.
    #[schemars(extend("minProperties" = 1, "propertyNames" = {"pattern": NAME_PATTERN}))]
    pub tables: BTreeMap<String, String>,
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

/// A queue of an Azure Storage account.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AzureQueueSpec {
    /// The storage account's name.
    pub account: Option<String>,
    /// The queue.
    #[schemars(regex(pattern = QUEUE_PATTERN), length(max = 63))]
    pub queue: String,
    /// The address of the queue service. Default `https://{account}.queue.core.windows.net`.
    pub endpoint: Option<String>,
    /// The account's key: a secret, given as `${env:NAME}` or `${file:PATH}`.
    pub account_key: Option<String>,
    /// A shared access signature: a secret, given as `${env:NAME}` or `${file:PATH}`.
    pub sas_token: Option<String>,
    /// How a message's text travels: `base64` (default), which most consumers expect and which carries every character, or `text`.
    pub encoding: Option<MessageEncodingSpec>,
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum MessageEncodingSpec {
    Base64,
    Text,
}

/// A file to which messages are appended, one JSON object to a line: `{"id": …, "body": …}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonlQueueSpec {
    /// The file, relative to the file in which this stands. It is created with its folder when the first message comes.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The longest that one call may take. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// Calls in flight to this connection in the whole run. No bound of its own when left out.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// What each item slot may ask of it.
    pub per_slot: Option<PerSlotSpec>,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetrySpec>,
}
