use std::collections::BTreeMap;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::segments;
use super::schema::{CONNECTIONS_SCHEMA, JOB_SCHEMA};
use super::wire::{ConnectionsSpec, DURATION_PATTERN, JOB_PATTERN, JobSpec, NAME_PATTERN, SIZE_PATTERN};
use super::{Document, Problem};

/// Keys of a job that the language has and this version has not.
const LATER_KEYS: [&str; 5] = ["lookups", "then", "on_failure", "verify", "results"];

/// A document as a job, or all that keeps it from being one.
pub fn read_job(document: &Document) -> Result<JobSpec, Vec<Problem>> {
    read(document, &JOB_SCHEMA)
}

/// A document as a connections file, or all that keeps it from being one.
pub fn read_connections(document: &Document) -> Result<ConnectionsSpec, Vec<Problem>> {
    read(document, &CONNECTIONS_SCHEMA)
}

/// The name that a mistyped one was probably meant to be.
pub fn closest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    names
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn read<T: DeserializeOwned>(document: &Document, schema: &Value) -> Result<T, Vec<Problem>> {
    let instance = document.root.to_json();
    let validator = jsonschema::validator_for(schema)
        .map_err(|error| vec![Problem::new(format!("the schema of this version is broken: {error}"))])?;
    let errors: Vec<ValidationError<'_>> = validator.iter_errors(&instance).collect();
    let translator = Translator {
        document,
        schema,
        unknown: unknown_keys(&errors, schema),
    };
    let problems: Vec<Problem> = errors.iter().flat_map(|error| translator.translate(error)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    serde_json::from_value(instance).map_err(|error| {
        // What the schema lets pass and the types do not: values that wait for a `${…}` which is a problem of its own.
        let mut unresolved = false;
        document
            .root
            .visit_scalars("", &mut |_, node| unresolved |= node.unresolved);
        if unresolved {
            Vec::new()
        } else {
            vec![Problem::new(format!("this cannot be read: {error}")).at(document.place(""))]
        }
    })
}

/// Unknown keys by the pointer of their map, each with the key it was probably meant to be.
fn unknown_keys<'a>(errors: &[ValidationError<'a>], schema: &Value) -> BTreeMap<String, Vec<Option<String>>> {
    let mut unknown: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for error in errors {
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            let allowed = allowed_keys(schema, error);
            let meant = unexpected
                .iter()
                .map(|key| closest(key, allowed.iter().map(String::as_str)).map(str::to_owned));
            unknown
                .entry(error.instance_path().as_str().to_owned())
                .or_default()
                .extend(meant);
        }
    }
    unknown
}

/// The keys that the map of an `additionalProperties` error may have.
fn allowed_keys(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    let pointer = error.schema_path().as_str();
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|object| object.get("properties"));
    properties
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

/// Errors of the validator in our words, at their places.
struct Translator<'a> {
    document: &'a Document,
    schema: &'a Value,
    unknown: BTreeMap<String, Vec<Option<String>>>,
}

impl Translator<'_> {
    fn translate(&self, error: &ValidationError<'_>) -> Vec<Problem> {
        let pointer = error.instance_path().as_str();
        let node = self.document.get(pointer);
        if node.is_some_and(|node| node.unresolved) {
            return Vec::new();
        }
        let problem = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let allowed = allowed_keys(self.schema, error);
                return unexpected
                    .iter()
                    .map(|key| self.unknown_key(pointer, key, &allowed))
                    .collect();
            }
            ValidationErrorKind::Required { property } => self.missing_key(pointer, property),
            ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
                self.one_of(pointer, error)
            }
            ValidationErrorKind::PropertyNames { error } => {
                let name = error.instance().as_str().unwrap_or_default();
                let problem = Problem::new(format!("`{name}` cannot be a name"))
                    .help("use letters, digits, `_` and `-`, beginning with a letter");
                return vec![problem.at(self.document.key_place(pointer, name))];
            }
            kind => Some(value_problem(kind, error.instance(), &last(pointer))),
        };
        let place = |problem: Problem| problem.at(self.document.place(pointer));
        problem.into_iter().map(place).collect()
    }

    fn unknown_key(&self, pointer: &str, key: &str, allowed: &[String]) -> Problem {
        let place = self.document.key_place(pointer, key);
        if pointer.is_empty() && LATER_KEYS.contains(&key) {
            return Problem::new(format!("this version does not have `{key}` yet"))
                .at(place)
                .label("not in this version")
                .help("take it out, or use a later version");
        }
        let list = format!("the keys here are `{}`", allowed.join("`, `"));
        let help = match closest(key, allowed.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`? {list}"),
            None if allowed.is_empty() => "no keys can stand here".to_owned(),
            None => list,
        };
        Problem::new(format!("unknown key `{key}`{}", within(pointer)))
            .at(place)
            .help(help)
    }

    /// Nothing when an unknown key beside it is probably a typing error for it.
    fn missing_key(&self, pointer: &str, property: &Value) -> Option<Problem> {
        let key = property.as_str().unwrap_or_default();
        let mistyped = self
            .unknown
            .get(pointer)
            .is_some_and(|meant| meant.iter().flatten().any(|meant| meant == key));
        (!mistyped).then(|| {
            let pointer = format!("{pointer}/{key}");
            let place = if pointer.matches('/').count() == 1 {
                "this job".to_owned()
            } else {
                place_name(&pointer)
            };
            Problem::new(format!("`{key}` is missing in {place}"))
                .label(format!("`{key}` is missing here"))
                .help(format!("add `{}`", example(&pointer, key)))
        })
    }

    /// A map that must have exactly one of several keys.
    fn one_of(&self, pointer: &str, error: &ValidationError<'_>) -> Option<Problem> {
        let instance = error.instance().as_object()?;
        if self.unknown.contains_key(pointer) {
            return None;
        }
        let alternatives: Vec<&str> = self
            .schema
            .pointer(error.schema_path().as_str())?
            .as_array()?
            .iter()
            .filter_map(|alternative| alternative.pointer("/required/0")?.as_str())
            .collect();
        let given: Vec<&str> = alternatives
            .iter()
            .copied()
            .filter(|key| instance.contains_key(*key))
            .collect();
        let given = match &given[..] {
            [] => "none is there".to_owned(),
            keys => format!("`{}` are there", keys.join("`, `")),
        };
        Some(
            Problem::new(format!(
                "exactly one of `{}` is needed{}",
                alternatives.join("` | `"),
                within(pointer)
            ))
            .label(given)
            .help("keep one of them"),
        )
    }
}

/// A value that is not what its key takes.
fn value_problem(kind: &ValidationErrorKind, instance: &Value, key: &str) -> Problem {
    match kind {
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(name) => kind_name(&name.to_string()).to_owned(),
                TypeKind::Multiple(_) => "a text, a number, true or false".to_owned(),
            };
            let problem = Problem::new(format!("`{key}`: expected {expected}, found {}", found(instance)));
            problem.label(format!("expected {expected}"))
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
        JOB_PATTERN => (
            "a name for a job",
            "use small letters, digits, `-` and `_`, beginning with a letter or a digit: the name is a folder's too",
        ),
        NAME_PATTERN => ("a name", "use letters, digits, `_` and `-`, beginning with a letter"),
        _ => ("of the right form", "see docs/spec.md for what this key takes"),
    }
}

fn kind_name(name: &str) -> &str {
    match name {
        "object" => "a map",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "null" => "nothing",
        other => other,
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

fn last(pointer: &str) -> String {
    segments(pointer).last().unwrap_or_else(|| "the spec".to_owned())
}

/// `` in `sink` ``, or nothing at the root.
fn within(pointer: &str) -> String {
    let path: Vec<String> = segments(pointer).collect();
    if path.is_empty() {
        String::new()
    } else {
        format!(" in `{}`", path.join("."))
    }
}

fn place_name(pointer: &str) -> String {
    let path: Vec<String> = segments(pointer).collect();
    let parents = path.len().saturating_sub(1);
    format!("`{}`", path[..parents].join("."))
}

/// A line to add for a missing key.
fn example(pointer: &str, key: &str) -> String {
    let value = match pointer {
        "/job" => "my-job",
        "/source" => "{ files: { … } }",
        "/source/files" => "{ connection: …, glob: \"**/*\" }",
        "/sink" => "{ connection: … }",
        "/naming" => "{ object: \"{{file.path}}\" }",
        "/naming/object" => "\"{{file.path}}\"",
        "/source/items/key" => "\"{{item.Column}}\"",
        _ => "…",
    };
    format!("{key}: {value}")
}
