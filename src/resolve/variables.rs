use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::Value;
use crate::spec::{
    Document, Entry, Environment, Interpolation, Node, NodeValue, Problem, Treatment, interpolate, references,
};

use super::findings::remedy;

/// The values of a job's variables. One that is missing, and reported, has none.
pub(super) struct Variables {
    pub values: BTreeMap<String, Option<NodeValue>>,
    /// Those whose value came from the environment, by themselves or by another variable: it may be a secret.
    pub of_environment: BTreeSet<String>,
    pub problems: Vec<Problem>,
}

impl Variables {
    /// Reads `vars` of a job: what was assigned on the command line, the defaults of the rest.
    pub fn read(document: &Document, assignments: &[(String, String)], environment: &Environment<'_>) -> Self {
        let declared = document.get("/vars").map(Node::entries).unwrap_or_default();
        let mut reader = Reader {
            document,
            environment,
            declared,
            assignments: BTreeMap::new(),
            values: BTreeMap::new(),
            of_environment: BTreeSet::new(),
            problems: Vec::new(),
        };
        for (name, value) in assignments {
            if declared.iter().any(|entry| entry.key == *name) {
                reader.assignments.insert(name, value);
            } else {
                let names = declared.iter().map(|entry| entry.key.as_str());
                let problem = Problem::new(format!("`--var {name}=…`: the job has no variable `{name}`"));
                reader
                    .problems
                    .push(problem.help(remedy(name, "variables of the job", names)));
            }
        }
        for entry in declared {
            reader.read(entry, &mut Vec::new());
        }
        Self {
            values: reader.values,
            of_environment: reader.of_environment,
            problems: reader.problems,
        }
    }

    /// The values as the state records them.
    pub fn to_values(&self) -> BTreeMap<String, Value> {
        let value = |value: &NodeValue| match value {
            NodeValue::Boolean(value) => Value::Boolean(*value),
            NodeValue::Integer(value) => Value::Integer(*value),
            NodeValue::Number(value) => Value::Number(*value),
            NodeValue::Text(text) => Value::Text(text.clone()),
            NodeValue::Null | NodeValue::List(_) | NodeValue::Map(_) => Value::Null,
        };
        let known = self.values.iter();
        known
            .filter_map(|(name, found)| Some((name.clone(), value(found.as_ref()?))))
            .collect()
    }
}

struct Reader<'a> {
    document: &'a Document,
    environment: &'a Environment<'a>,
    declared: &'a [Entry],
    assignments: BTreeMap<&'a str, &'a str>,
    values: BTreeMap<String, Option<NodeValue>>,
    of_environment: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Reads one variable after those that its default refers to. `path` holds the names on the way here.
    fn read(&mut self, entry: &'a Entry, path: &mut Vec<&'a str>) {
        if self.values.contains_key(&entry.key) {
            return;
        }
        if let Some(start) = path.iter().position(|name| *name == entry.key) {
            self.cycle(&path[start..], entry);
            return;
        }
        let default = entry.value.child("default");
        let value = match (self.assignments.get(entry.key.as_str()), default) {
            (Some(assigned), _) => self.assigned(entry, assigned, default),
            (None, Some(default)) if !is_required(entry) => self.default(entry, default, path),
            (None, _) => {
                let name = &entry.key;
                let problem = Problem::new(format!("the variable `{name}` has no value")).at(entry.key_span.clone());
                let problem = problem.label("needed by this job");
                self.problems
                    .push(problem.help(format!("give it on the command line: `--var {name}=…`")));
                None
            }
        };
        // A cycle found below has already given this variable up.
        self.values.entry(entry.key.clone()).or_insert(value);
    }

    fn cycle(&mut self, names: &[&str], entry: &Entry) {
        let circle = [names, &[entry.key.as_str()]].concat().join("` → `");
        let span = entry.value.child("default").map_or(&entry.key_span, |node| &node.span);
        self.problems.push(
            Problem::new(format!("variables refer to each other in a circle: `{circle}`"))
                .at(span.clone())
                .help("give one of them a value of its own"),
        );
        for name in names {
            self.values.insert((*name).to_owned(), None);
        }
    }

    fn default(&mut self, entry: &'a Entry, default: &'a Node, path: &mut Vec<&'a str>) -> Option<NodeValue> {
        let text = default.as_text().unwrap_or_default();
        path.push(&entry.key);
        let names = references(text);
        for name in &names {
            if let Some(other) = self.declared.iter().find(|other| other.key == *name) {
                self.read(other, path);
            }
        }
        path.pop();
        let mut document = Document {
            file: self.document.file.clone(),
            root: default.clone(),
        };
        let was_asked = Cell::new(names.iter().any(|name| self.of_environment.contains(*name)));
        let environment = |name: &str| {
            let found = (self.environment)(name);
            // An empty value gives way to a default, and is no secret.
            was_asked.set(was_asked.get() || found.as_ref().is_some_and(|value| !value.is_empty()));
            found
        };
        let interpolation = Interpolation {
            variables: &self.values,
            environment: &environment,
        };
        self.problems
            .extend(interpolate(&mut document, &interpolation, &|_| Treatment::Replace));
        if was_asked.get() {
            self.of_environment.insert(entry.key.clone());
        }
        (!document.root.unresolved).then_some(document.root.value)
    }

    /// A value of the command line takes the type of the default.
    fn assigned(&mut self, entry: &Entry, text: &str, default: Option<&Node>) -> Option<NodeValue> {
        let (value, expected) = match default.map(|node| &node.value) {
            Some(NodeValue::Integer(_)) => (text.parse().ok().map(NodeValue::Integer), "a whole number"),
            Some(NodeValue::Number(_)) => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                (number.map(NodeValue::Number), "a number")
            }
            Some(NodeValue::Boolean(_)) => (text.parse().ok().map(NodeValue::Boolean), "`true` or `false`"),
            _ => (Some(NodeValue::Text(text.to_owned())), "a text"),
        };
        if value.is_none() {
            let name = &entry.key;
            self.problems.push(
                Problem::new(format!("`--var {name}=…` is not {expected}"))
                    .at(entry.key_span.clone())
                    .label("declared here")
                    .help(format!("its default is {expected}, so give {expected}")),
            );
        }
        value
    }
}

fn is_required(entry: &Entry) -> bool {
    let required = entry.value.child("required").map(|node| &node.value);
    required == Some(&NodeValue::Boolean(true))
}
