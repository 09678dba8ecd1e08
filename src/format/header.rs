use std::collections::{BTreeMap, HashSet};

use crate::model::{ColumnType, Columns, Failure, Value};

/// The columns of a text format, with the type that each is parsed as.
pub(super) struct Header {
    pub columns: Columns,
    types: Vec<ColumnType>,
}

impl Header {
    /// Checks the names: none empty, none twice, and every typed one there.
    pub fn new(names: Vec<String>, types: &BTreeMap<String, ColumnType>, line: u64) -> Result<Self, Failure> {
        let mut seen = HashSet::new();
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(Failure::data(
                    "csv.empty_column",
                    format!("line {line}: column {} has no name in the header", index + 1),
                ));
            }
            if !seen.insert(name.as_str()) {
                return Err(Failure::data(
                    "csv.duplicate_column",
                    format!("line {line}: the header names the column `{name}` twice"),
                ));
            }
        }
        if let Some(unknown) = types.keys().find(|name| !seen.contains(name.as_str())) {
            return Err(Failure::data(
                "csv.unknown_column",
                format!(
                    "`types` names the column `{unknown}`; the header has: {}",
                    names.join(", ")
                ),
            ));
        }
        let types = names
            .iter()
            .map(|name| types.get(name).copied().unwrap_or(ColumnType::Text))
            .collect();
        Ok(Self {
            columns: names.into(),
            types,
        })
    }

    /// One field of a record as its column's type says.
    pub fn parse(&self, index: usize, text: String, line: u64) -> Result<Value, Failure> {
        let column_type = self.types.get(index).copied().unwrap_or(ColumnType::Text);
        column_type.parse(text).map_err(|told| {
            let column = self.columns.get(index).map_or("", String::as_str);
            Failure::data("csv.value", format!("line {line}, column `{column}`: {told}"))
        })
    }
}
