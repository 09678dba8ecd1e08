use jsonschema::JsonType;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::wire::{
    BANDWIDTH_PATTERN, DURATION_PATTERN, JOB_PATTERN, NAME_PATTERN, QUEUE_PATTERN, RATE_PATTERN, SIZE_PATTERN,
};
use super::{Problem, closest};

/// Where a value comes from a reference, its type is that of what the reference stands for.
const TYPE_OF_REFERENCE: &str = "a variable has the type of its default in `vars`, which is what wants quotes or not: `default: \"10\"` is a text, `default: 10` a number";

/// A value that is not what its key takes; the whole file has no key. `reference` is what stands there in place of the value, if anything does.
pub(super) fn value_problem(
    kind: &ValidationErrorKind,
    instance: &Value,
    key: &str,
    reference: Option<&str>,
) -> Problem {
    let found = |instance: &Value| match reference {
        Some(text) => format!("what `{text}` stands for"),
        None => found(instance),
    };
    match kind {
        ValidationErrorKind::Type { kind } => {
            let (expected, help) = match kind {
                TypeKind::Single(name) => type_words(&name.to_string()),
                TypeKind::Multiple(types) if types.contains(JsonType::Object) => {
                    ("a text or a map", "write keys and values under it, or a text in quotes")
                }
                TypeKind::Multiple(_) => ("a text, a number, true or false", "write a single value"),
            };
            let help = if key.is_empty() {
                "begin with `job: my-job`, or start from what `pipeline init` writes"
            } else {
                reference.map_or(help, |_| TYPE_OF_REFERENCE)
            };
            let what = if key.is_empty() {
                "this file".to_owned()
            } else {
                format!("`{key}`")
            };
            Problem::new(format!("{what}: expected {expected}, found {}", found(instance))).help(help)
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let list = format!("`{key}` is one of `{}`", options.join("`, `"));
            let help = match instance
                .as_str()
                .filter(|_| reference.is_none())
                .and_then(|word| closest(word, options.iter().copied()))
            {
                Some(close) => format!("did you mean `{close}`? {list}"),
                None => list,
            };
            Problem::new(format!("`{key}` cannot be {}", found(instance))).help(help)
        }
        ValidationErrorKind::Minimum { limit } => {
            Problem::new(format!("`{key}` is {instance}, and must be at least {limit}"))
                .label("too small")
                .help(format!("write {limit} or more"))
        }
        ValidationErrorKind::Maximum { limit } => {
            Problem::new(format!("`{key}` is {instance}, and must be at most {limit}"))
                .label("too large")
                .help(format!("write {limit} or less"))
        }
        ValidationErrorKind::Pattern { pattern } => {
            let (what, help) = pattern_words(pattern);
            Problem::new(format!("`{key}`: {} is not {what}", found(instance))).help(help)
        }
        ValidationErrorKind::MinLength { .. }
        | ValidationErrorKind::MinItems { .. }
        | ValidationErrorKind::MinProperties { .. } => {
            Problem::new(format!("`{key}` is empty")).help("give it a value, or take the key out if it may be left out")
        }
        ValidationErrorKind::MaxLength { limit } => {
            Problem::new(format!("`{key}` is longer than {limit} characters")).help("make it shorter")
        }
        kind => Problem::new(format!("`{key}` is not what belongs here (`{}`)", kind.keyword()))
            .help("see docs/spec.md for what this key takes"),
    }
}

fn pattern_words(pattern: &str) -> (&'static str, &'static str) {
    match pattern {
        DURATION_PATTERN => (
            "a duration",
            "write numbers with units, as in `500ms`, `10s` or `1h30m`",
        ),
        SIZE_PATTERN => ("a size", "write a number and a unit, as in `64KiB` or `8MiB`"),
        RATE_PATTERN => ("a rate", "write a number and a time, as in `500/s`, `30/m` or `1000/h`"),
        BANDWIDTH_PATTERN => ("a bandwidth", "write a size for each second, as in `50MiB/s`"),
        JOB_PATTERN => (
            "a name for a job",
            "use small letters, digits, `-` and `_`, beginning with a letter or a digit: the name is a folder's too",
        ),
        QUEUE_PATTERN => (
            "a name for a queue",
            "use 3 to 63 small letters, digits and single `-`, beginning and ending with a letter or a digit",
        ),
        NAME_PATTERN => ("a name", "use letters, digits, `_` and `-`, beginning with a letter"),
        _ => ("of the right form", "see docs/spec.md for what this key takes"),
    }
}

/// A JSON type in our words, and how to write it.
fn type_words(name: &str) -> (&'static str, &'static str) {
    match name {
        "object" => ("a map", "write keys and values under it: `key: value`"),
        "array" => ("a list", "write its elements in brackets: `[a, b]`"),
        "string" => ("a text", "put it in quotes: `\"…\"`"),
        "integer" => ("a whole number", "write digits without quotes, as in `3`"),
        "number" => ("a number", "write it without quotes, as in `1.5`"),
        "boolean" => ("true or false", "write `true` or `false`, without quotes"),
        _ => ("nothing", "take the value out"),
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => format!("text `{text}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}
