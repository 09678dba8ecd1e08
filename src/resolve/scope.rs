use std::sync::LazyLock;

use super::findings::remedy;
use super::template::Reference;
use crate::model::{Columns, Row, TableName, Value};
use crate::spec::Problem;

/// The values a template may name: rows by prefix.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    pub item: Option<&'a Row>,
    pub file: Option<&'a Row>,
    /// What is known of a file's object at the sink, as [`target_row`] makes it; steps alone have it.
    pub target: Option<&'a Row>,
    /// A table as its source names it, made by [`table_row`].
    pub table: Option<&'a Row>,
    /// One of its columns, made by [`column_row`].
    pub column: Option<&'a Row>,
}

impl<'a> Scope<'a> {
    /// The row that a prefix stands for; `None` where it has no value.
    pub(super) fn row(&self, prefix: &str) -> Option<&'a Row> {
        match prefix {
            "item" => self.item,
            "file" => self.file,
            "target" => self.target,
            "table" => self.table,
            "column" => self.column,
            _ => None,
        }
    }
}

/// Columns of `target`, `table` and `column` in templates.
pub(super) const TARGET_COLUMNS: [&str; 1] = ["name"];
pub(super) const TABLE_COLUMNS: [&str; 2] = ["schema", "name"];
pub(super) const COLUMN_COLUMNS: [&str; 2] = ["name", "type"];

/// The values of `target` for one file: the name of its object at the sink.
pub fn target_row(name: &str) -> Row {
    static COLUMNS: LazyLock<Columns> = LazyLock::new(|| TARGET_COLUMNS.map(str::to_owned).into());
    Row::new(COLUMNS.clone(), vec![Value::from(name)])
}

/// The values of `table`: its schema, empty where the source has none, and its name.
pub fn table_row(table: &TableName) -> Row {
    static COLUMNS: LazyLock<Columns> = LazyLock::new(|| TABLE_COLUMNS.map(str::to_owned).into());
    let values = [&table.schema, &table.name].map(|text| Value::Text(text.clone()));
    Row::new(COLUMNS.clone(), values.into())
}

/// The values of `column`: its name, and its type as the source has it.
pub fn column_row(name: &str, native: &str) -> Row {
    static COLUMNS: LazyLock<Columns> = LazyLock::new(|| COLUMN_COLUMNS.map(str::to_owned).into());
    Row::new(COLUMNS.clone(), vec![Value::from(name), Value::from(native)])
}

/// Columns of a listing (`glob`).
pub(super) const LISTING_COLUMNS: [&str; 5] = ["path", "name", "size", "modified", "etag"];

/// What is known, before anything runs, of one prefix where a template stands.
#[derive(Clone, Debug)]
pub(super) enum Prefix {
    /// It has no value there; why.
    Absent(&'static str),
    /// It has columns that only the run will know.
    Unknown,
    /// It has exactly these columns.
    Columns(Vec<String>),
}

impl Prefix {
    /// `target` everywhere but in steps.
    pub const NO_TARGET: Self = Self::Absent("a target is known only to the steps under `then`");
    /// `table` and `column` in a job of files.
    pub const NO_TABLE: Self = Self::Absent("the source has files, not tables");
}

/// What templates at one place may name.
#[derive(Clone, Debug)]
pub(super) struct KnownScope {
    pub item: Prefix,
    pub file: Prefix,
    pub target: Prefix,
    pub table: Prefix,
    pub column: Prefix,
}

impl KnownScope {
    /// In a job of files, everywhere but in steps.
    pub fn of_files(item: Prefix, file: Prefix) -> Self {
        Self {
            item,
            file,
            target: Prefix::NO_TARGET,
            table: Prefix::NO_TABLE,
            column: Prefix::NO_TABLE,
        }
    }

    /// Why a reference cannot have a value, if it cannot.
    pub fn check(&self, reference: &Reference) -> Option<Problem> {
        let Reference { prefix, field, .. } = reference;
        let known = match prefix.as_str() {
            "item" => &self.item,
            "file" => &self.file,
            "target" => &self.target,
            "table" => &self.table,
            "column" => &self.column,
            _ => {
                let problem = Problem::new(format!("`{prefix}.{field}`: there is no `{prefix}` in templates"));
                return Some(problem.help(remedy(prefix, "prefixes", self.names())));
            }
        };
        match known {
            Prefix::Unknown => None,
            Prefix::Absent(reason) => Some(
                Problem::new(format!("`{prefix}.{field}` has no value here: {reason}"))
                    .label(format!("no `{prefix}` here"))
                    .help(match (&self.item, &self.file) {
                        (Prefix::Absent(_), Prefix::Absent(_)) if matches!(self.column, Prefix::Columns(_)) => {
                            "name a value of `table` or `column`"
                        }
                        (Prefix::Absent(_), Prefix::Absent(_)) if matches!(self.table, Prefix::Columns(_)) => {
                            "name a value of `table`"
                        }
                        (Prefix::Absent(_), Prefix::Absent(_)) => "write it without `{{…}}`",
                        (Prefix::Absent(_), _) => "name a value of `file`, or add `source.items`",
                        _ => "name a value of `item`",
                    }),
            ),
            Prefix::Columns(columns) => (!columns.contains(field)).then(|| {
                Problem::new(format!(
                    "`{prefix}.{field}`: the rows of `{prefix}` have no column `{field}`"
                ))
                .help(remedy(field, "columns", columns.iter().map(String::as_str)))
            }),
        }
    }

    /// The prefixes to choose from: `target` is one only where it has a value.
    fn names(&self) -> impl Iterator<Item = &'static str> + use<'_> {
        let of = [
            ("item", &self.item),
            ("file", &self.file),
            ("target", &self.target),
            ("table", &self.table),
            ("column", &self.column),
        ];
        // Items and files are named even where they have no value: that is what most specs have.
        let is_tables = matches!(self.table, Prefix::Columns(_));
        of.into_iter()
            .filter(move |(name, known)| match *name {
                "item" | "file" => !is_tables,
                _ => matches!(known, Prefix::Columns(_)),
            })
            .map(|(name, _)| name)
    }
}
