use schemars::JsonSchema;
use serde::Deserialize;

/// A text, a number, true, false or null.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("type" = ["string", "number", "boolean", "null"]))]
pub struct ScalarSpec(pub serde_json::Value);
