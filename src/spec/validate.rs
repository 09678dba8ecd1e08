use std::collections::{BTreeMap, BTreeSet};

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::segments;
use super::schema::{CONNECTIONS_SCHEMA, JOB_SCHEMA};
use super::wire::{ConnectionSpec, ConnectionsSpec, JobSpec};
use super::wording::value_problem;
use super::{Document, Node, Problem};

/// Keys of a job that the language has and this version has not.
const LATER_KEYS: [&str; 4] = ["lookups", "on_failure", "verify", "results"];

/// What could be read of a document, and what is wrong with it.
///
/// Both can be there: what is wrong is left out where it may be left out, so that later floors find their problems in the same pass.
#[derive(Clone, Debug)]
pub struct Reading<T> {
    pub spec: Option<T>,
    pub problems: Vec<Problem>,
}

/// A document as a job. Of its own connections only those that it uses are kept.
pub fn read_job(document: &Document) -> Reading<JobSpec> {
    let used = used_connections(document);
    read(document, JOB_SCHEMA, |instance| {
        if let Some(connections) = instance.get_mut("connections").and_then(Value::as_object_mut) {
            connections.retain(|name, _| used.contains(name));
        }
    })
}

/// The connections of one profile that a job uses; the whole file is checked.
pub fn read_connections(
    document: &Document,
    profile: &str,
    used: &BTreeSet<String>,
) -> Reading<BTreeMap<String, ConnectionSpec>> {
    let read: Reading<ConnectionsSpec> = read(document, CONNECTIONS_SCHEMA, |instance| {
        if let Some(profiles) = instance.as_object_mut() {
            profiles.retain(|name, _| name == profile);
            for connections in profiles.values_mut().filter_map(Value::as_object_mut) {
                connections.retain(|name, _| used.contains(name));
            }
        }
    });
    Reading {
        spec: read.spec.and_then(|mut profiles| profiles.0.remove(profile)),
        problems: read.problems,
    }
}

/// The names that stand under a key `connection` anywhere in a job: known even where the job is wrong otherwise.
pub fn used_connections(document: &Document) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    document.root.visit_scalars("", &mut |pointer, node| {
        if let Some(name) = node.as_text().filter(|_| pointer.ends_with("/connection")) {
            used.insert(name.to_owned());
        }
    });
    used
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

/// `prune` takes out what is checked but not needed: it may hold values that are not known here.
fn read<T: DeserializeOwned>(document: &Document, schema: &str, prune: impl FnOnce(&mut Value)) -> Reading<T> {
    let mut instance = document.root.to_json();
    let parsed: Result<Value, _> = serde_json::from_str(schema);
    let parsed = parsed.map_err(|error| error.to_string());
    let validator = parsed.and_then(|schema| {
        let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
        Ok((schema, validator))
    });
    let (schema, validator) = match validator {
        Ok(validator) => validator,
        Err(error) => {
            let problems = vec![Problem::new(format!("the schema of this version is broken: {error}"))];
            return Reading { spec: None, problems };
        }
    };
    let schema = &schema;
    let errors: Vec<ValidationError<'_>> = validator
        .iter_errors(&instance)
        .map(ValidationError::to_owned)
        .collect();
    let translator = Translator {
        document,
        schema,
        unknown: unknown_keys(&errors, schema),
    };
    let mut problems: Vec<Problem> = errors.iter().flat_map(|error| translator.translate(error)).collect();
    for error in &errors {
        leave_out(&mut instance, error);
    }
    prune(&mut instance);
    match serde_json::from_value(instance) {
        Ok(spec) => Reading {
            spec: Some(spec),
            problems,
        },
        Err(error) => {
            // With errors of the schema, the reason is known already.
            if errors.is_empty() {
                problems.push(Problem::new(format!("this cannot be read: {error}")).at(document.place("")));
            }
            Reading { spec: None, problems }
        }
    }
}

/// Takes what an error is about out of its map, so that the rest can be read.
fn leave_out(instance: &mut Value, error: &ValidationError<'_>) {
    let pointer = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            if let Some(map) = instance.pointer_mut(pointer).and_then(Value::as_object_mut) {
                unexpected.iter().for_each(|key| drop(map.remove(key)));
            }
        }
        ValidationErrorKind::Required { .. }
        | ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::OneOfMultipleValid { .. }
        | ValidationErrorKind::PropertyNames { .. } => {}
        _ => {
            let Some((parent, key)) = pointer.rsplit_once('/') else {
                return;
            };
            if let Some(map) = instance.pointer_mut(parent).and_then(Value::as_object_mut) {
                map.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
        }
    }
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
            kind => {
                let reference = node.and_then(|node| self.reference(node));
                Some(value_problem(kind, error.instance(), &last(pointer), reference))
            }
        };
        let place = |problem: Problem| problem.at(self.document.place(pointer));
        problem.into_iter().map(place).collect()
    }

    /// What stands in the file where a value came from somewhere else: that may be a secret, and is not shown.
    fn reference(&self, node: &Node) -> Option<&str> {
        let text = self.document.file.text.get(node.span.clone())?;
        text.contains("${").then(|| text.trim().trim_matches(['"', '\'']))
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
        let (given, help) = match &given[..] {
            [] => ("none is there".to_owned(), "add one of them"),
            keys => (format!("`{}` are there", keys.join("`, `")), "keep one of them"),
        };
        Some(
            Problem::new(format!(
                "exactly one of `{}` is needed{}",
                alternatives.join("` | `"),
                within(pointer)
            ))
            .label(given)
            .help(help),
        )
    }
}

fn last(pointer: &str) -> String {
    segments(pointer).last().unwrap_or_default()
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
        _ if pointer.ends_with("/notify") => "{ connection: …, each: file, message: { … } }",
        _ if pointer.ends_with("/notify/each") => "file",
        _ if pointer.ends_with("/notify/message") => "{ name: \"{{target.name}}\" }",
        _ => "…",
    };
    format!("{key}: {value}")
}
