use schemars::JsonSchema;
use serde::Deserialize;

use super::{BANDWIDTH_PATTERN, DURATION_PATTERN, RATE_PATTERN, SIZE_PATTERN};

/// Leaf work (copies, parts, queries) in the whole run, and below it items, units and parts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencySpec {
    /// Leaf work in flight in the whole run. Default 64.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Leaf work begun in a second, a minute or an hour: `500/s`, `30/m`. No bound when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes read in a second, of the whole run: `50MiB/s`. No bound when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// Items at once.
    pub items: Option<ConcurrencyItemsSpec>,
}

/// Item slots, and what each may do at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencyItemsSpec {
    /// Items at once. Default 4.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Items begun in a second, a minute or an hour: `500/s`, `30/m`. No bound when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes read in a second, of all items together: `50MiB/s`. No bound when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// Files at once in each item.
    pub units: Option<ConcurrencyUnitsSpec>,
}

/// Files at once in each item, and parts of each.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencyUnitsSpec {
    /// Files at once in each item. Default 16.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Files begun in a second, a minute or an hour: `500/s`, `30/m`. No bound when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes read in a second, of each item: `50MiB/s`. No bound when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
    /// Parts at once in each large file.
    pub parts: Option<ConcurrencyPartsSpec>,
}

/// Parts at once in each large file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencyPartsSpec {
    /// Parts at once in each large file. Default 4.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u32>,
    /// Parts begun in a second, a minute or an hour: `500/s`, `30/m`. No bound when left out.
    #[schemars(regex(pattern = RATE_PATTERN))]
    pub rate: Option<String>,
    /// Bytes read in a second, of each file: `50MiB/s`. No bound when left out.
    #[schemars(regex(pattern = BANDWIDTH_PATTERN))]
    pub bandwidth: Option<String>,
}

/// How often and how patiently a unit is tried.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrySpec {
    /// Attempts in all: the first one counts. Default 3.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_attempts: Option<u32>,
    /// The time before the second attempt. Default `1s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub initial_delay: Option<String>,
    /// The longest time between two attempts. Default `60s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub max_delay: Option<String>,
    /// Each delay is the one before times this. Default 2.
    #[schemars(range(min = 1, max = 100))]
    pub multiplier: Option<f64>,
    /// Whether each delay is drawn at random between half of it and the whole. Default true.
    pub jitter: Option<bool>,
    /// How long a connection that is gone is waited for before the run ends. Default `5m`; `0s` ends it at once.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub outage: Option<String>,
}

/// Bounds of the run as a whole.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// The memory that all copy buffers together may take. Default `256MiB`.
    #[schemars(regex(pattern = SIZE_PATTERN))]
    pub memory: Option<String>,
    /// The time between two progress lines where there is no terminal. Default `10s`.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub progress_every: Option<String>,
    /// In a job of tables, the number of tables behind which a summary is told. Default 10.
    #[schemars(range(min = 1))]
    pub summary_every: Option<u64>,
    /// Units in one page of an item's state. Default 1024.
    #[schemars(range(min = 1, max = 10_000))]
    pub page_units: Option<u32>,
}

/// Bounds of a connection within each item slot.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerSlotSpec {
    /// Calls in flight to this connection from each item slot.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: u32,
}
