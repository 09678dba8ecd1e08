use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ConcurrencySpec, ConnectionSpec, JOB_PATTERN, LimitsSpec, RetrySpec, SIZE_PATTERN, ScalarSpec, SourceSpec, StepSpec,
};

/// A bulk-data job: items → files → sink → steps.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    /// The name of a connection to a store that can be written to.
    pub connection: String,
    /// What happens to an object that is already there: `create` refuses it, `skip` leaves it alone and counts it as present,
    /// `overwrite` replaces it, `overwrite_if_different` replaces it when its size differs or the source is newer. Default `skip`.
    pub mode: Option<SinkModeSpec>,
    /// The hash computed over the content on its way: `sha256` (default), `blake3`, `crc32c` or `none`.
    pub hash: Option<HashSpec>,
    /// The size of one part of a large file, at least 5MiB. Default `8MiB`.
    #[schemars(regex(pattern = SIZE_PATTERN))]
    pub part_size: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SinkModeSpec {
    Create,
    Skip,
    Overwrite,
    OverwriteIfDifferent,
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
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamingSpec {
    /// A template of the object's name at the sink, as in `{{item.WorkItemId}}-{{file.FileName}}`.
    #[schemars(length(min = 1))]
    pub object: String,
}
