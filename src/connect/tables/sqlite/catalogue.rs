use std::collections::HashMap;

use rusqlite::Connection;

use super::error::failure;
use crate::connect::tables::parameters::aside;
use crate::model::{Column, Extras, Failure, ForeignKey, Index, Key, Table, TableName};

type Rows<T> = Result<Vec<T>, rusqlite::Error>;

/// All tables of the file but SQLite's own and virtual ones.
pub(super) fn tables(connection: &Connection) -> Result<Vec<Table>, Failure> {
    read_tables(connection).map_err(|error| failure(&error))
}

fn read_tables(connection: &Connection) -> Rows<Table> {
    let names: Vec<String> = connection
        .prepare("select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name")?
        .query_map([], |row| row.get(0))?
        .collect::<Rows<_>>()?;
    let mut tables = names
        .into_iter()
        .map(|name| table(connection, name))
        .collect::<Rows<_>>()?;
    read_extras(connection, &mut tables)?;
    Ok(tables)
}

/// What only the definitions of tables and triggers tell. Triggers name their table as their author wrote it, in any case.
fn read_extras(connection: &Connection, tables: &mut [Table]) -> Result<(), rusqlite::Error> {
    let mut places: HashMap<String, &mut Extras> = tables
        .iter_mut()
        .map(|table| (table.name.name.to_lowercase(), &mut table.extras))
        .collect();
    let mut definitions = connection.prepare(
        "select type, name, tbl_name, coalesce(sql, '') from main.sqlite_schema where type in ('table', 'trigger') order by name",
    )?;
    let mut rows = definitions.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, table): (String, String) = (row.get(0)?, row.get(2)?);
        let Some(extras) = places.get_mut(&table.to_lowercase()) else {
            continue;
        };
        if kind == "trigger" {
            extras.triggers.push(row.get(1)?);
        } else {
            extras.checks = count_checks(&row.get::<_, String>(3)?);
        }
    }
    Ok(())
}

/// The conditions in a table's definition: `check` is no name unless it is quoted.
fn count_checks(definition: &str) -> u64 {
    let (mut count, mut rest) = (0, definition);
    while let Some(next) = rest.chars().next() {
        let is_of_word = |sign: char| sign.is_alphanumeric() || sign == '_';
        // What does not end is no definition that SQLite has taken.
        let Ok(aside) = aside(rest, true) else { break };
        let word = rest.find(|sign| !is_of_word(sign)).unwrap_or(rest.len());
        count += u64::from(rest[..word].eq_ignore_ascii_case("check"));
        let length = if aside > 0 { aside } else { word.max(next.len_utf8()) };
        rest = &rest[length..];
    }
    count
}

fn table(connection: &Connection, name: String) -> Result<Table, rusqlite::Error> {
    struct Described {
        column: Column,
        key_place: i64,
        has_default: bool,
    }
    // `hidden` is 1 for columns of virtual tables, 2 and 3 for generated ones.
    let described = connection
        .prepare(
            "select name, type, \"notnull\", pk, hidden, upper(coalesce(dflt_value, 'NULL')) <> 'NULL' \
             from pragma_table_xinfo(?1) where hidden <> 1 order by cid",
        )?
        .query_map([&name], |row| {
            Ok(Described {
                column: Column {
                    name: row.get(0)?,
                    native: normal_type(&row.get::<_, String>(1)?),
                    is_nullable: !row.get::<_, bool>(2)?,
                    is_identity: false,
                    is_computed: row.get::<_, i64>(4)? > 1,
                },
                key_place: row.get(3)?,
                has_default: row.get(5)?,
            })
        })?
        .collect::<Rows<_>>()?;
    let mut key: Vec<(i64, String)> = described
        .iter()
        .filter(|described| described.key_place > 0)
        .map(|described| (described.key_place, described.column.name.clone()))
        .collect();
    key.sort();
    let defaults = described
        .iter()
        .filter(|described| described.has_default && !described.column.is_computed)
        .map(|described| described.column.name.clone());
    let mut defaults: Vec<String> = defaults.collect();
    let mut columns: Vec<Column> = described.into_iter().map(|described| described.column).collect();
    if let [(_, only)] = &key[..]
        && let Some(column) = columns.iter_mut().find(|column| column.name == *only)
        && column.native == "integer"
    {
        // Another name of the row id: SQLite numbers it, and never lets it be NULL.
        column.is_identity = true;
        column.is_nullable = false;
        let identity = &column.name;
        defaults.retain(|name| name != identity);
    }
    let rows: Option<u64> = connection
        .query_row(
            "select cast(substr(stat, 1, instr(stat || ' ', ' ') - 1) as integer) from sqlite_stat1 where tbl = ?1 limit 1",
            [&name],
            |row| row.get(0),
        )
        .ok();
    Ok(Table {
        indexes: indexes(connection, &name)?,
        foreign_keys: foreign_keys(connection, &name)?,
        primary_key: (!key.is_empty()).then(|| Key {
            columns: key.into_iter().map(|(_, name)| name).collect(),
        }),
        name: TableName::new("", name),
        columns,
        rows_estimate: rows,
        extras: Extras {
            defaults,
            ..Extras::default()
        },
        trouble: None,
    })
}

fn indexes(connection: &Connection, table: &str) -> Rows<Index> {
    let mut list =
        connection.prepare("select name, \"unique\", origin, partial from pragma_index_list(?1) order by seq desc")?;
    let found = list
        .query_map([table], |row| {
            let (name, is_unique): (String, bool) = (row.get(0)?, row.get(1)?);
            Ok((name, is_unique, row.get::<_, String>(2)?, row.get::<_, bool>(3)?))
        })?
        .collect::<Rows<_>>()?;
    let mut indexes = Vec::new();
    for (number, (name, is_unique, origin, is_partial)) in found.into_iter().enumerate() {
        if origin == "pk" {
            continue;
        }
        let columns: Vec<Option<String>> = connection
            .prepare("select name from pragma_index_info(?1) order by seqno")?
            .query_map([&name], |row| row.get(0))?
            .collect::<Rows<_>>()?;
        let peculiarity = if is_partial {
            Some("it holds a part of the rows only".to_owned())
        } else if columns.contains(&None) {
            Some("it is over an expression".to_owned())
        } else {
            None
        };
        let is_nameless = name.starts_with("sqlite_autoindex_");
        indexes.push(Index {
            name: if is_nameless { format!("unique_{number}") } else { name },
            columns: columns.into_iter().flatten().collect(),
            is_unique,
            peculiarity,
        });
    }
    Ok(indexes)
}

fn foreign_keys(connection: &Connection, table: &str) -> Rows<ForeignKey> {
    let mut list = connection.prepare(
        "select id, \"table\", \"from\", \"to\", on_update, on_delete from pragma_foreign_key_list(?1) order by id desc, seq",
    )?;
    let parts = list
        .query_map([table], |row| {
            let (id, to): (i64, Option<String>) = (row.get(0)?, row.get(3)?);
            Ok((
                id,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                to,
                row.get::<_, String>(4)?,
                row.get::<_, String>(5)?,
            ))
        })?
        .collect::<Rows<_>>()?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    for (id, references, from, to, on_update, on_delete) in parts {
        let same = keys.last().is_some_and(|(last, _)| *last == id);
        if !same {
            keys.push((
                id,
                ForeignKey {
                    name: String::new(),
                    columns: Vec::new(),
                    references: TableName::new("", references),
                    referenced_columns: Vec::new(),
                    on_delete,
                    on_update,
                },
            ));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(from);
            key.referenced_columns.extend(to);
        }
    }
    let mut keys: Vec<ForeignKey> = keys.into_iter().map(|(_, key)| key).collect();
    for key in &mut keys {
        if key.referenced_columns.is_empty() {
            // Written without columns, a key means the other table's primary key.
            key.referenced_columns = connection
                .prepare("select name from pragma_table_info(?1) where pk > 0 order by pk")?
                .query_map([&key.references.name], |row| row.get(0))?
                .collect::<Rows<_>>()?;
        }
    }
    Ok(keys)
}

/// The columns of a query. An expression has no declared type: its values travel as text.
pub(super) fn describe(connection: &Connection, text: &str) -> Result<Vec<Column>, Failure> {
    let statement = connection.prepare(text).map_err(|error| failure(&error))?;
    let columns = statement.columns().into_iter().map(|column| Column {
        name: column.name().to_owned(),
        native: column.decl_type().map_or_else(|| "text".to_owned(), normal_type),
        is_nullable: true,
        is_identity: false,
        is_computed: false,
    });
    Ok(columns.collect())
}

/// A declared type in small letters, with single spaces and none around its arguments; none at all is `blob`, SQLite's own rule.
fn normal_type(declared: &str) -> String {
    let lower = declared.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let joined = words
        .join(" ")
        .replace(" (", "(")
        .replace("( ", "(")
        .replace(" )", ")")
        .replace(", ", ",");
    if joined.is_empty() { "blob".to_owned() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_counted_and_nothing_that_only_looks_like_one() {
        let definition = "CREATE TABLE t (a int CHECK (a > 0), \"check\" text default 'check (1)', [check] int, `check` int, -- check\n \
                          b text check(b in ('check', \"check\")), checked int /* check */, constraint c check (a < 9))";
        assert_eq!(count_checks(definition), 3);
        assert_eq!(count_checks("create table größe (ö int)"), 0);
        assert_eq!(count_checks(""), 0);
    }
}
