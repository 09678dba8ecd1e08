use schemars::JsonSchema;
use serde::Deserialize;

use super::NAME_PATTERN;

/// A step: one key, its kind, and under it the kind's options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// Sends messages to a queue.
    pub notify: NotifySpec,
}

/// Sends messages to a queue: at least one for each file, with the same id when one is sent again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifySpec {
    /// The step's name, which no other stage of the job may have. Default `notify`.
    #[schemars(regex(pattern = NAME_PATTERN), length(max = 64))]
    pub name: Option<String>,
    /// The name of a connection to a queue.
    pub connection: String,
    /// What a message is sent for: each `file`.
    pub each: EachSpec,
    /// Which files get a message: `written` (default), those that this job wrote, or `present`, those as well that were there already.
    pub when: Option<NotifyWhenSpec>,
    /// The message's body: a map of fields, which makes a JSON object, or a template of the whole text. Templates may name `item`, `file`
    /// and `target.name`; a field that is exactly one `{{…}}` keeps its type.
    pub message: MessageSpec,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum EachSpec {
    File,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum NotifyWhenSpec {
    Written,
    Present,
}

/// A text, or a map of fields to texts, numbers, true, false or null.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend(
    "type" = ["string", "object"],
    "minLength" = 1,
    "minProperties" = 1,
    "additionalProperties" = {"type": ["string", "number", "boolean", "null"]}
))]
pub struct MessageSpec(pub serde_json::Value);
