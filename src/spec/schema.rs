use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::Value;

use super::wire::{ConnectionsSpec, JobSpec};

/// The two JSON schemas as files, pretty-printed, the same for every build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schemas {
    /// `schemas/job.schema.json`
    pub job: String,
    /// `schemas/connections.schema.json`
    pub connections: String,
}

/// What specs are validated against: the checked-in text, so that no run has to generate it. `tests/schemas.rs` keeps it that of the wire types.
pub(super) const JOB_SCHEMA: &str = include_str!("../../schemas/job.schema.json");
pub(super) const CONNECTIONS_SCHEMA: &str = include_str!("../../schemas/connections.schema.json");

/// The schemas of both kinds of file, generated from the wire types.
pub fn schema() -> Schemas {
    Schemas {
        job: format!("{:#}\n", generate::<JobSpec>()),
        connections: format!("{:#}\n", generate::<ConnectionsSpec>()),
    }
}

fn generate<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with_transform(WithoutNull)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// A key that may be left out is not a key that may be null: takes the `null` that `Option` brings with it out of the schema.
#[derive(Clone, Debug)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            object.retain(|key, value| !(key == "default" && (value.is_null() || is_empty(value))));
            let is_option = |types: &&mut Vec<Value>| types.len() == 2;
            if let Some(types) = object.get_mut("type").and_then(Value::as_array_mut).filter(is_option) {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(values) = object.get_mut("enum").and_then(Value::as_array_mut) {
                values.retain(|value| !value.is_null());
            }
            if let Some(Value::Array(alternatives)) = object.get("anyOf")
                && let [Value::Object(only), Value::Object(null)] = &alternatives[..]
                && null.get("type").is_some_and(|name| name == "null")
            {
                let only = only.clone();
                object.remove("anyOf");
                object.extend(only);
            }
        }
        transform_subschemas(self, schema);
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}
