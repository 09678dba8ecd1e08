use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One field of a row. Text unless the spec's `types` or the source's own type says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    #[default]
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text itself, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The value as it stands in a rendered template; NULL is empty.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Number(value) => value.fmt(formatter),
            Self::Text(value) => formatter.write_str(value),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A type that a spec gives to a column of a text format (`types: {Size: integer}`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    Integer,
    Number,
    Boolean,
}

impl ColumnType {
    /// Reads one text field. An empty field of a type other than text is NULL.
    pub fn parse(self, text: String) -> Result<Value, String> {
        if self == Self::Text {
            return Ok(Value::Text(text));
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Value::Null);
        }
        let parsed = match self {
            Self::Text => None,
            Self::Integer => trimmed.parse().ok().map(Value::Integer),
            Self::Number => trimmed
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Value::Number),
            Self::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Some(Value::Boolean(true)),
                "false" | "0" | "no" => Some(Value::Boolean(false)),
                _ => None,
            },
        };
        parsed.ok_or_else(|| format!("`{text}` is not {}", self.article()))
    }

    fn article(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
        }
    }
}

/// Column names, shared by all rows of one enumeration.
pub type Columns = Arc<[String]>;

/// One row of a list, a query's answer or a listing: what an item or a file is known by.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub columns: Columns,
    /// One value for each column.
    pub values: Vec<Value>,
    /// The line of the text it was read from, counted from 1, for messages.
    pub line: Option<u64>,
}

impl Row {
    pub fn new(columns: Columns, values: Vec<Value>) -> Self {
        debug_assert_eq!(columns.len(), values.len(), "a row has one value for each column");
        Self {
            columns,
            values,
            line: None,
        }
    }

    /// The value of a column, compared with case.
    pub fn get(&self, column: &str) -> Option<&Value> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.values.get(index)
    }
}
