use rusqlite::Connection;

use super::error::failure;
use crate::model::{Column, Failure, ForeignKey, Index, Key, Table, TableName};

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
    names.into_iter().map(|name| table(connection, name)).collect()
}

fn table(connection: &Connection, name: String) -> Result<Table, rusqlite::Error> {
    struct Described {
        column: Column,
        key_place: i64,
    }
    // `hidden` is 1 for columns of virtual tables, 2 and 3 for generated ones.
    let described = connection
        .prepare(
            "select name, type, \"notnull\", pk, hidden from pragma_table_xinfo(?1) where hidden <> 1 order by cid",
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
            })
        })?
        .collect::<Rows<_>>()?;
    let mut key: Vec<(i64, String)> = described
        .iter()
        .filter(|described| described.key_place > 0)
        .map(|described| (described.key_place, described.column.name.clone()))
        .collect();
    key.sort();
    let mut columns: Vec<Column> = described.into_iter().map(|described| described.column).collect();
    if let [(_, only)] = &key[..]
        && let Some(column) = columns.iter_mut().find(|column| column.name == *only)
        && column.native == "integer"
    {
        // Another name of the row id: SQLite numbers it, and never lets it be NULL.
        column.is_identity = true;
        column.is_nullable = false;
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
