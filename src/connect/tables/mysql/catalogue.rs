use std::collections::{HashMap, HashSet};

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Params};

use super::error::failure;
use super::read;
use crate::model::{Column, Extras, Failure, ForeignKey, Index, Key, Table, TableName, Value};

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

type Places = HashMap<String, usize>;

/// All tables of a database, but for their triggers.
pub(super) async fn tables(connection: &mut Conn, database: &str) -> Result<Vec<Table>, Failure> {
    let found: Vec<(String, Option<u64>, i64, i64)> = ask(
        connection,
        "select table_name, table_rows, cast(table_comment <> '' as signed), cast(coalesce(create_options, '') like '%partitioned%' as signed) \
         from information_schema.tables \
         where table_schema = ? and table_type in ('BASE TABLE', 'SYSTEM VERSIONED') order by binary table_name",
        database,
    )
    .await?;
    let places = found
        .iter()
        .enumerate()
        .map(|(place, (name, ..))| (name.clone(), place))
        .collect();
    let mut tables: Vec<Table> = found
        .into_iter()
        .map(|(name, rows_estimate, has_comment, is_partitioned)| Table {
            name: TableName::new(database, name),
            rows_estimate,
            extras: Extras {
                comments: u64::from(has_comment != 0),
                is_partitioned: is_partitioned != 0,
                ..Extras::default()
            },
            ..Table::default()
        })
        .collect();
    read_columns(connection, database, &places, &mut tables).await?;
    read_indexes(connection, database, &places, &mut tables).await?;
    read_foreign_keys(connection, database, &places, &mut tables).await?;
    Ok(tables)
}

async fn ask<T: FromRow + Send + 'static>(
    connection: &mut Conn,
    text: &str,
    database: &str,
) -> Result<Vec<T>, Failure> {
    let answer = connection.exec(text, (database,)).await;
    answer.map_err(|error| failure(&error))
}

async fn read_columns(
    connection: &mut Conn,
    database: &str,
    places: &Places,
    tables: &mut [Table],
) -> Result<(), Failure> {
    /// Table, column, type, whether it may be NULL, what the server does with it, its expression; whether it has a default, whether that is spelled
    /// `NULL`, whether it has a comment. Defaults may hold any bytes.
    type Part = (String, String, String, String, String, Option<String>, i64, i64, i64);
    let version: Option<String> = connection
        .query_first("select version()")
        .await
        .map_err(|error| failure(&error))?;
    let is_mariadb = version.is_some_and(|version| version.contains("MariaDB"));
    let documents = read_checks(connection, database, is_mariadb, places, tables).await?;
    let rows: Vec<Part> = ask(
        connection,
        "select table_name, column_name, column_type, is_nullable, extra, generation_expression, \
         cast(column_default is not null as signed), cast(column_default <=> 'NULL' as signed), cast(column_comment <> '' as signed) \
         from information_schema.columns where table_schema = ? order by table_name, ordinal_position",
        database,
    )
    .await?;
    for (table, name, native, is_nullable, extra, expression, has_default, is_null, has_comment) in rows {
        let is_document = documents.contains(&(table.clone(), name.clone()));
        let Some(table) = places.get(&table).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        let extra = extra.to_lowercase();
        let column = Column {
            name,
            native: if is_document {
                "json".to_owned()
            } else {
                normal_type(&native)
            },
            is_nullable: is_nullable == "YES",
            is_identity: extra.contains("auto_increment"),
            is_computed: expression.is_some_and(|expression| !expression.is_empty()),
        };
        // MariaDB shows the word for a column that is NULL where nothing is given, and quotes texts; MySQL does neither.
        let has_default = has_default != 0 && !(is_mariadb && is_null != 0);
        if has_default && !column.is_identity && !column.is_computed {
            table.extras.defaults.push(column.name.clone());
        }
        if extra.contains("on update") {
            table.extras.updates.push(column.name.clone());
        }
        table.extras.comments += u64::from(has_comment != 0);
        table.columns.push(column);
    }
    Ok(())
}

/// Counts the conditions of each table. Gives table and name of the columns that were declared `json` to MariaDB, which keeps them as texts with a
/// condition that is none of the user's.
async fn read_checks(
    connection: &mut Conn,
    database: &str,
    is_mariadb: bool,
    places: &Places,
    tables: &mut [Table],
) -> Result<HashSet<(String, String)>, Failure> {
    // Only MariaDB says there which table a condition is of, and nowhere else has it those of columns.
    let text = if is_mariadb {
        "select table_name, constraint_name, \
         cast(check_clause = concat('json_valid(`', replace(constraint_name, '`', '``'), '`)') as signed) \
         from information_schema.check_constraints where constraint_schema = ?"
    } else {
        "select table_name, constraint_name, 0 from information_schema.table_constraints \
         where table_schema = ? and constraint_type = 'CHECK'"
    };
    let rows: Vec<(String, String, i64)> = ask(connection, text, database).await?;
    let mut documents = HashSet::new();
    for (table, name, is_document) in rows {
        if is_document == 1 {
            documents.insert((table, name));
        } else if let Some(table) = places.get(&table).and_then(|place| tables.get_mut(*place)) {
            table.extras.checks += 1;
        }
    }
    Ok(documents)
}

/// The triggers of all tables: what only those ask for who tell of them, since it takes the server a look at a file for each.
pub(super) async fn read_triggers(connection: &mut Conn, database: &str, tables: &mut [Table]) -> Result<(), Failure> {
    let rows: Vec<(String, String)> = ask(
        connection,
        "select event_object_table, trigger_name from information_schema.triggers where event_object_schema = ? order by binary trigger_name",
        database,
    )
    .await?;
    let mut triggers: HashMap<String, Vec<String>> = HashMap::new();
    for (table, name) in rows {
        triggers.entry(table).or_default().push(name);
    }
    for table in tables {
        table.extras.triggers = triggers.remove(&table.name.name).unwrap_or_default();
    }
    Ok(())
}

/// The type in small letters, without how its numbers are shown: the values of an `enum` keep their case, and a `tinyint(1)` says that it is
/// a truth value.
fn normal_type(declared: &str) -> String {
    let end = declared.find('(').unwrap_or(declared.len());
    let (name, rest) = declared.split_at(end);
    let name = name.to_lowercase();
    let rest = rest.strip_suffix(" zerofill").unwrap_or(rest);
    let is_shown_so = name.ends_with("int") && !(name == "tinyint" && rest == "(1)") || name == "year";
    match rest.split_once(')') {
        Some((_, rest)) if is_shown_so => format!("{name}{rest}"),
        _ => format!("{name}{rest}"),
    }
}

async fn read_indexes(
    connection: &mut Conn,
    database: &str,
    places: &Places,
    tables: &mut [Table],
) -> Result<(), Failure> {
    /// Table, index, column, not unique, prefix, kind.
    type Part = (String, String, Option<String>, i64, Option<u64>, String);
    let rows: Vec<Part> = ask(
        connection,
        "select table_name, index_name, column_name, cast(non_unique as signed), cast(sub_part as unsigned), index_type \
         from information_schema.statistics where table_schema = ? order by table_name, index_name, seq_in_index",
        database,
    )
    .await?;
    for (table, name, column, non_unique, prefix, kind) in rows {
        let Some(table) = places.get(&table).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        if name == "PRIMARY" {
            let key = table.primary_key.get_or_insert_with(|| Key { columns: Vec::new() });
            key.columns.extend(column);
            continue;
        }
        let peculiarity = match (&column, prefix, kind.as_str()) {
            (None, ..) => Some("it is over an expression".to_owned()),
            (_, Some(prefix), "BTREE" | "HASH") => {
                Some(format!("it holds the first {prefix} characters of a column only"))
            }
            (_, _, "BTREE" | "HASH") => None,
            (_, _, kind) => Some(format!("it is of the kind {}", kind.to_lowercase())),
        };
        match table.indexes.last_mut().filter(|index| index.name == name) {
            Some(index) => {
                index.columns.extend(column);
                index.peculiarity = index.peculiarity.take().or(peculiarity);
            }
            None => table.indexes.push(Index {
                name,
                columns: column.into_iter().collect(),
                is_unique: non_unique == 0,
                peculiarity,
            }),
        }
    }
    Ok(())
}

async fn read_foreign_keys(
    connection: &mut Conn,
    database: &str,
    places: &Places,
    tables: &mut [Table],
) -> Result<(), Failure> {
    type Part = (String, String, String, String, String, String, String, String);
    let rows: Vec<Part> = ask(
        connection,
        "select k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name, \
         k.referenced_column_name, r.delete_rule, r.update_rule \
         from information_schema.key_column_usage k join information_schema.referential_constraints r \
         on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name \
         where k.table_schema = ? and k.referenced_table_name is not null \
         order by k.table_name, k.constraint_name, k.ordinal_position",
        database,
    )
    .await?;
    for (table, name, column, schema, references, referenced, on_delete, on_update) in rows {
        let Some(table) = places.get(&table).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        if table.foreign_keys.last().is_none_or(|key| key.name != name) {
            table.foreign_keys.push(ForeignKey {
                name,
                columns: Vec::new(),
                references: TableName::new(schema, references),
                referenced_columns: Vec::new(),
                on_delete,
                on_update,
            });
        }
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(column);
            key.referenced_columns.push(referenced);
        }
    }
    Ok(())
}

/// The columns of a query, as the server describes them before it runs.
pub(super) async fn describe(
    connection: &mut Conn,
    text: &str,
    parameters: &[(String, Value)],
) -> Result<Vec<Column>, Failure> {
    let (text, _): (String, Params) = read::positional(text, parameters)?;
    let statement = connection.prep(text).await.map_err(|error| failure(&error))?;
    let described = statement.columns();
    let columns = described.iter().map(|column| Column {
        name: column.name_str().into_owned(),
        native: described_type(column),
        is_nullable: true,
        is_identity: false,
        is_computed: false,
    });
    let columns = columns.collect();
    drop(described);
    connection.close(statement).await.map_err(|error| failure(&error))?;
    Ok(columns)
}

/// A type in the catalogue's words. Text of any kind is as long as its bytes say at four to a character, which is the session's own set.
fn described_type(column: &mysql_async::Column) -> String {
    use ColumnType as Type;
    let (length, decimals) = (column.column_length(), column.decimals());
    let is_binary = column.character_set() == BINARY;
    let is_unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let whole = |name: &str| {
        if is_unsigned {
            format!("{name} unsigned")
        } else {
            name.to_owned()
        }
    };
    let moment = |name: &str| {
        if (1..=6).contains(&decimals) {
            format!("{name}({decimals})")
        } else {
            name.to_owned()
        }
    };
    match column.column_type() {
        Type::MYSQL_TYPE_TINY if length == 1 => "tinyint(1)".to_owned(),
        Type::MYSQL_TYPE_TINY => whole("tinyint"),
        Type::MYSQL_TYPE_SHORT => whole("smallint"),
        Type::MYSQL_TYPE_INT24 => whole("mediumint"),
        Type::MYSQL_TYPE_LONG => whole("int"),
        Type::MYSQL_TYPE_LONGLONG => whole("bigint"),
        Type::MYSQL_TYPE_YEAR => "year".to_owned(),
        Type::MYSQL_TYPE_FLOAT => "float".to_owned(),
        Type::MYSQL_TYPE_DOUBLE => "double".to_owned(),
        Type::MYSQL_TYPE_DECIMAL | Type::MYSQL_TYPE_NEWDECIMAL => {
            // The length counts the sign and the point.
            let digits = length.saturating_sub(u32::from(!is_unsigned) + u32::from(decimals > 0));
            format!("decimal({digits},{decimals})")
        }
        Type::MYSQL_TYPE_BIT => format!("bit({length})"),
        Type::MYSQL_TYPE_DATE | Type::MYSQL_TYPE_NEWDATE => "date".to_owned(),
        Type::MYSQL_TYPE_TIME | Type::MYSQL_TYPE_TIME2 => moment("time"),
        Type::MYSQL_TYPE_DATETIME | Type::MYSQL_TYPE_DATETIME2 => moment("datetime"),
        Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_TIMESTAMP2 => moment("timestamp"),
        Type::MYSQL_TYPE_JSON => "json".to_owned(),
        Type::MYSQL_TYPE_GEOMETRY => "geometry".to_owned(),
        Type::MYSQL_TYPE_STRING if is_binary => format!("binary({length})"),
        Type::MYSQL_TYPE_VAR_STRING | Type::MYSQL_TYPE_VARCHAR if is_binary => format!("varbinary({length})"),
        Type::MYSQL_TYPE_STRING | Type::MYSQL_TYPE_VAR_STRING | Type::MYSQL_TYPE_VARCHAR => {
            format!("varchar({})", length / 4)
        }
        Type::MYSQL_TYPE_ENUM | Type::MYSQL_TYPE_SET => "longtext".to_owned(),
        _ if is_binary => "longblob".to_owned(),
        _ => "longtext".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_without_how_it_is_shown() {
        assert_eq!(normal_type("INT(10) unsigned zerofill"), "int unsigned");
        assert_eq!(normal_type("bigint(20)"), "bigint");
        assert_eq!(normal_type("tinyint(1)"), "tinyint(1)");
        assert_eq!(normal_type("tinyint(4)"), "tinyint");
        assert_eq!(normal_type("year(4)"), "year");
        assert_eq!(normal_type("point"), "point");
        assert_eq!(normal_type("enum('A','b')"), "enum('A','b')");
        assert_eq!(normal_type("datetime"), "datetime");
    }
}
