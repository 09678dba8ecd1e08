use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Columns, Row, Value};
use crate::spec::{ColumnTypeSpec, FilesSpec, ItemsSpec, QuerySpec, ScalarSpec};

use super::scope::{LISTING_COLUMNS, Prefix};

/// The part that the lists of items and of files have in common.
#[derive(Clone, Copy)]
pub(super) struct RowsView<'a> {
    /// JSON pointer of the list.
    pub pointer: &'static str,
    pub connection: Option<&'a String>,
    pub form: FormView<'a>,
    pub params: &'a BTreeMap<String, String>,
    pub types: &'a BTreeMap<String, ColumnTypeSpec>,
}

#[derive(Clone, Copy)]
pub(super) enum FormView<'a> {
    Csv(&'a str),
    Jsonl(&'a str),
    List(&'a [BTreeMap<String, ScalarSpec>]),
    Glob(&'a str),
    Query(&'a QuerySpec),
    /// None of the five or several: a problem that is known already.
    Missing,
}

/// The one of the five keys that is there; the schema makes sure that it is exactly one.
macro_rules! view {
    ($spec:expr, $pointer:literal) => {{
        let spec = $spec;
        let form = match (&spec.csv, &spec.jsonl, &spec.list, &spec.glob, &spec.query) {
            (Some(path), None, None, None, None) => FormView::Csv(path),
            (None, Some(path), None, None, None) => FormView::Jsonl(path),
            (None, None, Some(rows), None, None) => FormView::List(rows),
            (None, None, None, Some(pattern), None) => FormView::Glob(pattern),
            (None, None, None, None, Some(query)) => FormView::Query(query),
            _ => FormView::Missing,
        };
        RowsView {
            pointer: $pointer,
            connection: spec.connection.as_ref(),
            form,
            params: &spec.params,
            types: &spec.types,
        }
    }};
}

impl<'a> RowsView<'a> {
    pub fn of_items(spec: &'a ItemsSpec) -> Self {
        view!(spec, "/source/items")
    }

    pub fn of_files(spec: &'a FilesSpec) -> Self {
        view!(spec, "/source/files")
    }

    /// The columns that its rows will have, as far as the spec tells.
    pub fn columns(&self) -> Prefix {
        match self.form {
            FormView::List(rows) => Prefix::Columns(list_columns(rows)),
            FormView::Glob(_) => Prefix::Columns(LISTING_COLUMNS.map(str::to_owned).to_vec()),
            FormView::Csv(_) | FormView::Jsonl(_) | FormView::Query(_) | FormView::Missing => Prefix::Unknown,
        }
    }
}

impl FormView<'_> {
    /// The key that it stands under.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Jsonl(_) => "jsonl",
            Self::List(_) => "list",
            Self::Glob(_) => "glob",
            Self::Query(_) => "query",
            Self::Missing => "nothing",
        }
    }
}

/// The rows of an inline list; a column that a row leaves out is NULL there.
pub(super) fn list_rows(rows: &[BTreeMap<String, ScalarSpec>]) -> Vec<Row> {
    let columns: Columns = list_columns(rows).into();
    let row = |row: &BTreeMap<String, ScalarSpec>| {
        let values = columns.iter().map(|column| {
            row.get(column)
                .map(|ScalarSpec(value)| scalar(value))
                .unwrap_or_default()
        });
        Row::new(columns.clone(), values.collect())
    };
    rows.iter().map(row).collect()
}

fn list_columns(rows: &[BTreeMap<String, ScalarSpec>]) -> Vec<String> {
    let columns: BTreeSet<&String> = rows.iter().flat_map(BTreeMap::keys).collect();
    columns.into_iter().cloned().collect()
}

/// A single value as a spec has it; NULL for anything else.
pub(super) fn scalar(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Bool(value) => Value::Boolean(*value),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(float)) => Value::Number(float),
            (None, None) => Value::Null,
        },
        _ => Value::Null,
    }
}
