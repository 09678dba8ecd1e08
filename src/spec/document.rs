use std::ops::Range;

use super::SourceFile;

/// Bytes of the text, from the first to after the last.
pub type Span = Range<usize>;

/// A parsed spec: a tree of values that each know where they stand in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub file: SourceFile,
    pub root: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub value: NodeValue,
    pub span: Span,
    /// Set where a `${…}` could not be replaced: the value is not what it will be, so nothing more is said about it.
    pub unresolved: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    /// In the order of the text; no key twice.
    Map(Vec<Entry>),
}

/// One key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Document {
    /// The node at a JSON pointer (`/source/items/csv`).
    pub fn get(&self, pointer: &str) -> Option<&Node> {
        segments(pointer).try_fold(&self.root, |node, segment| node.child(&segment))
    }

    /// The place to show for a JSON pointer: a scalar itself, a map or list by its key, and for what is not there the nearest thing
    /// around it that is.
    pub fn place(&self, pointer: &str) -> Span {
        let mut node = &self.root;
        let mut place = node.first_place();
        for segment in segments(pointer) {
            let (span, child) = match &node.value {
                NodeValue::Map(entries) => match entries.iter().find(|entry| entry.key == segment) {
                    Some(entry) => (entry.key_span.clone(), &entry.value),
                    None => return place,
                },
                _ => match node.child(&segment) {
                    Some(child) => (child.first_place(), child),
                    None => return place,
                },
            };
            place = if child.is_container() || child.span.is_empty() {
                span
            } else {
                child.span.clone()
            };
            node = child;
        }
        place
    }

    /// The place of a key itself, for problems with the key rather than its value.
    pub fn key_place(&self, pointer: &str, key: &str) -> Span {
        match self.get(pointer).map(|node| &node.value) {
            Some(NodeValue::Map(entries)) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| entry.key_span.clone()),
            _ => None,
        }
        .unwrap_or_else(|| self.place(pointer))
    }
}

impl Node {
    pub fn new(value: NodeValue, span: Span) -> Self {
        Self {
            value,
            span,
            unresolved: false,
        }
    }

    /// The entry of a map or the element of a list.
    pub fn child(&self, segment: &str) -> Option<&Self> {
        match &self.value {
            NodeValue::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == segment)
                .map(|entry| &entry.value),
            NodeValue::List(nodes) => segment.parse().ok().and_then(|index: usize| nodes.get(index)),
            _ => None,
        }
    }

    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            NodeValue::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_container(&self) -> bool {
        matches!(self.value, NodeValue::List(_) | NodeValue::Map(_))
    }

    /// The same values without places. Numbers that JSON cannot hold do not occur: the parsers refuse them.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;

        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Boolean(value) => Value::Bool(*value),
            NodeValue::Integer(value) => Value::from(*value),
            NodeValue::Number(value) => Value::from(*value),
            NodeValue::Text(text) => Value::String(text.clone()),
            NodeValue::List(nodes) => Value::Array(nodes.iter().map(Self::to_json).collect()),
            NodeValue::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }

    /// Calls `visit` for every scalar under this node, with its JSON pointer; `pointer` is this node's own.
    pub fn visit_scalars<'a>(&'a self, pointer: &str, visit: &mut dyn FnMut(&str, &'a Self)) {
        match &self.value {
            NodeValue::List(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    node.visit_scalars(&child_pointer(pointer, &index.to_string()), visit);
                }
            }
            NodeValue::Map(entries) => {
                for entry in entries {
                    entry.value.visit_scalars(&child_pointer(pointer, &entry.key), visit);
                }
            }
            _ => visit(pointer, self),
        }
    }

    /// As [`Self::visit_scalars`], to change them.
    pub fn visit_scalars_mut(&mut self, pointer: &str, visit: &mut dyn FnMut(&str, &mut Self)) {
        match &mut self.value {
            NodeValue::List(nodes) => {
                for (index, node) in nodes.iter_mut().enumerate() {
                    node.visit_scalars_mut(&child_pointer(pointer, &index.to_string()), visit);
                }
            }
            NodeValue::Map(entries) => {
                for entry in entries {
                    let pointer = child_pointer(pointer, &entry.key);
                    entry.value.visit_scalars_mut(&pointer, visit);
                }
            }
            _ => visit(pointer, self),
        }
    }

    /// A short span that stands for the whole node: its first key, its first element, or itself.
    fn first_place(&self) -> Span {
        match &self.value {
            NodeValue::Map(entries) => entries.first().map(|entry| entry.key_span.clone()),
            NodeValue::List(nodes) => nodes.first().map(Self::first_place),
            _ => None,
        }
        .unwrap_or_else(|| self.span.clone())
    }
}

/// `/a` and `b/c` → `/a/b~1c`.
pub(super) fn child_pointer(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The keys of a JSON pointer, unescaped.
pub(super) fn segments(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer
        .split('/')
        .skip(1)
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}
