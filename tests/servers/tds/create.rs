//! Definitions of tables: what SQLite is told, and what is kept beside it.

use super::error::SqlError;
use super::types::SqlType;
use super::words::{self, Word, bracketed, by_comma, quoted};

/// A column as it was defined.
#[derive(Clone, Debug)]
pub struct ColumnDefinition {
    pub name: String,
    pub sql_type: SqlType,
    pub is_nullable: bool,
    pub is_identity: bool,
    pub is_computed: bool,
    /// Only the catalogue knows of it: what is written here always has a value.
    pub has_default: bool,
    /// What SQLite is told after the name.
    rest: String,
}

impl ColumnDefinition {
    pub fn sqlite(&self) -> String {
        format!("{} {}", quoted(&self.name), self.rest)
    }
}

/// A key into another table.
#[derive(Clone, Debug, Default)]
pub struct KeyDefinition {
    pub name: String,
    pub columns: Vec<String>,
    pub references: (String, String),
    pub referenced: Vec<String>,
    pub on_delete: String,
    pub on_update: String,
}

/// What stands between the brackets of a `create table`.
#[derive(Clone, Debug, Default)]
pub struct TableDefinition {
    pub columns: Vec<ColumnDefinition>,
    pub primary_key: Vec<String>,
    pub keys: Vec<KeyDefinition>,
    /// Conditions, as SQLite reads them.
    pub checks: Vec<String>,
    /// With those that stand behind a column.
    pub check_count: usize,
}

/// A type under a name by which SQLite changes no value: one with `BLOB` in it.
pub fn declared(sql_type: &SqlType) -> String {
    quoted(&format!("{} BLOB", sql_type.definition()))
}

/// The type that [`declared`] wrote.
pub fn declared_type(written: &str) -> SqlType {
    SqlType::parse(written.trim_matches('"').trim_end_matches(" BLOB"))
}

pub fn table(between: &[Word]) -> Result<TableDefinition, SqlError> {
    let mut table = TableDefinition::default();
    for part in by_comma(between) {
        let is_constraint = ["constraint", "primary", "foreign", "check", "unique"];
        if part
            .first()
            .is_some_and(|word| is_constraint.iter().any(|known| word.is(known)))
        {
            constraint(part, &mut table)?;
        } else {
            let column = column(part, &mut table)?;
            table.columns.push(column);
        }
    }
    for column in &mut table.columns {
        if table
            .primary_key
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&column.name))
            && column.is_nullable
        {
            column.is_nullable = false;
            column.rest.push_str(" not null");
        }
    }
    Ok(table)
}

const ENDS_TYPE: &[&str] = &[
    "not",
    "null",
    "primary",
    "identity",
    "check",
    "default",
    "references",
    "constraint",
    "unique",
    "as",
    "generated",
    "collate",
];

pub fn column(part: &[Word], table: &mut TableDefinition) -> Result<ColumnDefinition, SqlError> {
    let wrong = || SqlError::syntax(&words::sqlite(part));
    let name = part.first().and_then(Word::name).ok_or_else(wrong)?.to_owned();
    let end = part[1..]
        .iter()
        .position(|word| ENDS_TYPE.iter().any(|known| word.is(known)))
        .map_or(part.len(), |at| at + 1);
    let written = words::sqlite(&part[1..end]);
    let is_max = part[1..end].iter().any(|word| word.is("max"));
    let written = written.replace(' ', "") + if is_max { "(max)" } else { "" };
    let mut column = ColumnDefinition {
        name: name.clone(),
        sql_type: SqlType::parse(&written.replace("doubleprecision", "double precision")),
        is_nullable: true,
        is_identity: false,
        is_computed: false,
        has_default: false,
        rest: String::new(),
    };
    let mut rest = String::new();
    let mut at = end;
    while let Some(word) = part.get(at) {
        if word.is("not") {
            column.is_nullable = false;
            rest.push_str(" not null");
            at += 2;
        } else if word.is("primary") {
            table.primary_key.push(name.clone());
            at += 2;
        } else if word.is("identity") {
            column.is_identity = true;
            at += 1 + bracketed(&part[at + 1..]).map_or(0, |(_, count)| count);
        } else if word.is("default") {
            column.has_default = true;
            at += 1;
        } else if word.is("check") {
            let (condition, count) = bracketed(&part[at + 1..]).ok_or_else(wrong)?;
            rest.push_str(&format!(" check ({})", words::sqlite(condition)));
            table.check_count += 1;
            at += 1 + count;
        } else if word.is("as") {
            let (expression, count) = bracketed(&part[at + 1..]).ok_or_else(wrong)?;
            rest.push_str(&format!(" generated always as ({}) stored", words::sqlite(expression)));
            column.is_computed = true;
            column.sql_type = SqlType::Int(4);
            at += 1 + count;
        } else {
            at += 1;
        }
    }
    column.rest = declared(&column.sql_type) + &rest;
    Ok(column)
}

fn constraint(part: &[Word], table: &mut TableDefinition) -> Result<(), SqlError> {
    let wrong = || SqlError::syntax(&words::sqlite(part));
    let (name, part) = if part[0].is("constraint") {
        (
            part.get(1).and_then(Word::name).ok_or_else(wrong)?,
            part.get(2..).unwrap_or_default(),
        )
    } else {
        ("", part)
    };
    let first = part.first().ok_or_else(wrong)?;
    if first.is("primary") {
        let (columns, _) = names(part.get(2..).unwrap_or_default()).ok_or_else(wrong)?;
        table.primary_key = columns;
    } else if first.is("foreign") {
        table.keys.push(foreign_key(name, part).ok_or_else(wrong)?);
    } else if first.is("check") {
        let (condition, _) = bracketed(&part[1..]).ok_or_else(wrong)?;
        table.checks.push(words::sqlite(condition));
        table.check_count += 1;
    }
    Ok(())
}

/// `foreign key (a, b) references t (c, d) on delete cascade on update set null`
pub fn foreign_key(name: &str, part: &[Word]) -> Option<KeyDefinition> {
    let (columns, count) = names(part.get(2..)?)?;
    let rest = part.get(2 + count..)?;
    rest.first().filter(|word| word.is("references"))?;
    let (references, count) = words::table_name(rest.get(1..)?)?;
    let rest = rest.get(1 + count..)?;
    let (referenced, count) = names(rest)?;
    let mut key = KeyDefinition {
        name: name.to_owned(),
        columns,
        references,
        referenced,
        on_delete: "NO_ACTION".to_owned(),
        on_update: "NO_ACTION".to_owned(),
    };
    for event in rest
        .get(count..)?
        .split(|word| word.is("on"))
        .filter(|words| !words.is_empty())
    {
        let action: Vec<String> = event[1..]
            .iter()
            .filter_map(|word| word.name().map(str::to_uppercase))
            .collect();
        // Nothing else is an action: the real server refuses what it does not know.
        matches!(
            action.join("_").as_str(),
            "NO_ACTION" | "CASCADE" | "SET_NULL" | "SET_DEFAULT"
        )
        .then_some(())?;
        if event[0].is("delete") {
            key.on_delete = action.join("_");
        } else {
            key.on_update = action.join("_");
        }
    }
    Some(key)
}

/// The names between brackets, and how many words that takes.
pub fn names(part: &[Word]) -> Option<(Vec<String>, usize)> {
    let (between, count) = bracketed(part)?;
    let names = by_comma(between);
    let names: Option<Vec<String>> = names
        .iter()
        .map(|words| Some(words.first()?.name()?.to_owned()))
        .collect();
    Some((names?, count))
}
