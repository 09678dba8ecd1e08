use std::fmt;

use super::{Column, Extras};
use crate::model::Failure;

/// A table's name within its database.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// Empty where the database has no schemas.
    pub schema: String,
    pub name: String,
}

impl TableName {
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

/// `dbo.Orders`, as patterns, messages and records have it.
impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema.is_empty() {
            formatter.write_str(&self.name)
        } else {
            write!(formatter, "{}.{}", self.schema, self.name)
        }
    }
}

/// A table as its database's catalogue describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub name: TableName,
    /// In their order.
    pub columns: Vec<Column>,
    pub primary_key: Option<Key>,
    /// Without the primary key's own.
    pub indexes: Vec<Index>,
    pub foreign_keys: Vec<ForeignKey>,
    pub extras: Extras,
    /// What the catalogue's statistics say; `None` where it has none.
    pub rows_estimate: Option<u64>,
    /// Why nothing of it can be read. That is its fault, and no other table's.
    pub trouble: Option<Failure>,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Columns that tell rows apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    pub columns: Vec<String>,
    pub is_unique: bool,
    /// Why another database cannot be given it as it is: it is over an expression, partial, of a special kind.
    pub peculiarity: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// Empty where the database gives none a name.
    pub name: String,
    pub columns: Vec<String>,
    pub references: TableName,
    pub referenced_columns: Vec<String>,
    /// `CASCADE`, `SET NULL`, …; `NO ACTION` where none is declared.
    pub on_delete: String,
    pub on_update: String,
}
