//! The views of the catalogue, as tables that are filled from what the definitions said.

use rusqlite::Connection;

use super::error::SqlError;
use super::types::SqlType;

/// What the definitions said, beside the data: SQLite keeps no type as it stands there, and no name of a key.
pub const KEPT: &str = "
    create table if not exists main.fake_columns (sch, tbl, ord integer, name, type, nullable integer, numbered integer, computed integer, defaulted integer);
    create table if not exists main.fake_indexes (sch, tbl, name, is_key integer, is_unique integer, is_filtered integer, columns);
    create table if not exists main.fake_keys (sch, tbl, name, columns, rsch, rtbl, rcolumns, on_delete, on_update);
    create table if not exists main.fake_extras (sch, tbl, kind, name);
    create table if not exists main.fake_rights (sch, tbl, state, permission, grantee);";

/// Between the names of columns in one text.
pub const BETWEEN: &str = "\u{1f}";

pub const VIEWS: &str = "
    create table sys.schemas (schema_id int, name nvarchar(128));
    create table sys.tables (object_id int, schema_id int, name nvarchar(128), is_ms_shipped int);
    create table sys.partitions (object_id int, index_id int, rows bigint);
    create table sys.types (name nvarchar(128), system_type_id int, user_type_id int);
    create table sys.columns (object_id int, column_id int, name nvarchar(128), system_type_id int, user_type_id int, max_length int,
        precision int, scale int, is_nullable int, is_identity int, is_computed int, default_object_id int);
    create table sys.identity_columns (object_id int, column_id int);
    create table sys.indexes (object_id int, index_id int, name nvarchar(128), type_desc nvarchar(60), is_primary_key int, is_unique int,
        has_filter int, is_hypothetical int);
    create table sys.index_columns (object_id int, index_id int, index_column_id int, column_id int, key_ordinal int, is_included_column int);
    create table sys.foreign_keys (object_id int, parent_object_id int, name nvarchar(128), delete_referential_action_desc nvarchar(60),
        update_referential_action_desc nvarchar(60));
    create table sys.foreign_key_columns (constraint_object_id int, constraint_column_id int, parent_object_id int, parent_column_id int,
        referenced_object_id int, referenced_column_id int);
    create table sys.check_constraints (parent_object_id int, name nvarchar(128));
    create table sys.triggers (parent_id int, parent_class int, name nvarchar(128));
    create table sys.extended_properties (class int, major_id int, name nvarchar(128));
    create table sys.database_principals (principal_id int, name nvarchar(128));
    create table sys.database_permissions (class int, major_id int, minor_id int, grantee_principal_id int, permission_name nvarchar(128),
        state_desc nvarchar(60));
    create table sys.dm_exec_describe_first_result_set (column_ordinal int, name nvarchar(128), system_type_name nvarchar(128),
        user_type_name nvarchar(128), is_nullable int, is_identity_column int, is_computed_column int, is_hidden int, error_number int,
        error_severity int, error_message nvarchar(4000));";

/// A number for a name, the same in every session.
pub fn id_of(name: &str) -> i64 {
    let hash = name.to_lowercase().bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    i64::from(hash >> 1)
}

pub fn table_id(schema: &str, table: &str) -> i64 {
    id_of(&format!("{schema}{BETWEEN}{table}"))
}

/// The number of a type, and that of the user's type, which is another for those that the engine does not know itself.
fn type_ids(name: &str) -> (i64, i64) {
    match name {
        "hierarchyid" => (240, 128),
        "geometry" => (240, 129),
        "geography" => (240, 130),
        name => (id_of(name), id_of(name)),
    }
}

/// Fills the views anew.
pub fn fill(connection: &Connection) -> Result<(), SqlError> {
    for view in [
        "schemas",
        "tables",
        "partitions",
        "types",
        "columns",
        "identity_columns",
        "indexes",
        "index_columns",
        "foreign_keys",
        "foreign_key_columns",
        "check_constraints",
        "triggers",
        "extended_properties",
        "database_principals",
        "database_permissions",
    ] {
        connection.execute(&format!("delete from sys.{view}"), [])?;
    }
    fill_tables(connection)?;
    fill_indexes(connection)?;
    fill_keys(connection)?;
    fill_extras(connection)?;
    let mut rights = connection.prepare("select sch, tbl, state, permission, grantee from main.fake_rights")?;
    let rights = rights.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, String>(4)?,
        ))
    })?;
    for right in rights {
        let (schema, table, state, permission, grantee) = right?;
        let principal = id_of(&grantee);
        connection.execute(
            "insert into sys.database_principals select ?1, ?2 where ?1 not in (select principal_id from sys.database_principals)",
            (principal, grantee),
        )?;
        connection.execute(
            "insert into sys.database_permissions values (1, ?, 0, ?, ?, ?)",
            (table_id(&schema, &table), principal, permission, state),
        )?;
    }
    Ok(())
}

fn fill_extras(connection: &Connection) -> Result<(), SqlError> {
    let mut extras = connection.prepare("select sch, tbl, kind, name from main.fake_extras")?;
    let mut rows = extras.query([])?;
    while let Some(row) = rows.next()? {
        let id = table_id(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?);
        let insert = match row.get::<_, String>(2)?.as_str() {
            "check" => "insert into sys.check_constraints values (?, ?)",
            "trigger" => "insert into sys.triggers values (?, 1, ?)",
            _ => "insert into sys.extended_properties values (1, ?, ?)",
        };
        connection.execute(insert, (id, row.get::<_, String>(3)?))?;
    }
    Ok(())
}

fn fill_tables(connection: &Connection) -> Result<(), SqlError> {
    let mut columns = connection.prepare(
        "select sch, tbl, ord, name, type, nullable, numbered, computed, defaulted from main.fake_columns order by sch, tbl, ord",
    )?;
    let mut rows = columns.query([])?;
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        let (schema, table): (String, String) = (row.get(0)?, row.get(1)?);
        let id = table_id(&schema, &table);
        if !seen.contains(&id) {
            seen.push(id);
            let schema_id = id_of(&schema);
            connection.execute(
                "insert into sys.schemas select ?1, ?2 where not exists (select 1 from sys.schemas where schema_id = ?1)",
                (schema_id, &schema),
            )?;
            connection.execute("insert into sys.tables values (?, ?, ?, 0)", (id, schema_id, &table))?;
            let quoted = format!(
                "{}.{}",
                super::words::quoted(&super::words::schema(&schema)),
                super::words::quoted(&table)
            );
            connection.execute(
                &format!("insert into sys.partitions select ?, 0, count(*) from {quoted}"),
                [id],
            )?;
        }
        let (ordinal, name, written): (i64, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let described = SqlType::parse(&written).describe();
        let (system, user) = type_ids(&described.name);
        let flags: (i64, i64, i64) = (row.get(5)?, row.get(6)?, row.get(7)?);
        let default: i64 = row.get(8)?;
        connection.execute(
            "insert into sys.types select ?1, ?2, ?3 where not exists (select 1 from sys.types where user_type_id = ?3)",
            (&described.name, system, user),
        )?;
        connection.execute(
            "insert into sys.columns values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                ordinal,
                name,
                system,
                user,
                described.length,
                described.precision,
                described.scale,
                flags.0,
                flags.1,
                flags.2,
                default,
            ),
        )?;
        if flags.1 == 1 {
            connection.execute("insert into sys.identity_columns values (?, ?)", (id, ordinal))?;
        }
    }
    Ok(())
}

fn fill_indexes(connection: &Connection) -> Result<(), SqlError> {
    let mut indexes = connection
        .prepare("select sch, tbl, name, is_key, is_unique, is_filtered, columns, rowid from main.fake_indexes")?;
    let mut rows = indexes.query([])?;
    while let Some(row) = rows.next()? {
        let id = table_id(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?);
        let number: i64 = row.get(7)?;
        let (is_key, is_unique, is_filtered): (i64, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        connection.execute(
            "insert into sys.indexes values (?, ?, ?, ?, ?, ?, ?, 0)",
            (
                id,
                number,
                row.get::<_, String>(2)?,
                if is_key == 1 { "CLUSTERED" } else { "NONCLUSTERED" },
                is_key,
                is_unique,
                is_filtered,
            ),
        )?;
        for (place, column) in row.get::<_, String>(6)?.split(BETWEEN).enumerate() {
            connection.execute(
                "insert into sys.index_columns select ?1, ?2, ?3, column_id, ?3, 0 from sys.columns where object_id = ?1 and name = ?4 collate nocase",
                (id, number, i64::try_from(place).unwrap_or_default() + 1, column),
            )?;
        }
    }
    Ok(())
}

fn fill_keys(connection: &Connection) -> Result<(), SqlError> {
    let mut keys = connection
        .prepare("select sch, tbl, name, columns, rsch, rtbl, rcolumns, on_delete, on_update from main.fake_keys")?;
    let mut rows = keys.query([])?;
    while let Some(row) = rows.next()? {
        let text = |place: usize| row.get::<_, String>(place);
        let (here, there) = (table_id(&text(0)?, &text(1)?), table_id(&text(4)?, &text(5)?));
        let id = id_of(&format!("{here}{}", text(2)?));
        connection.execute(
            "insert into sys.foreign_keys values (?, ?, ?, ?, ?)",
            (id, here, text(2)?, text(7)?, text(8)?),
        )?;
        let (columns, referenced) = (text(3)?, text(6)?);
        for (place, (column, other)) in columns.split(BETWEEN).zip(referenced.split(BETWEEN)).enumerate() {
            connection.execute(
                "insert into sys.foreign_key_columns select ?1, ?2, ?3, c.column_id, ?4, r.column_id from sys.columns c, sys.columns r \
                 where c.object_id = ?3 and c.name = ?5 collate nocase and r.object_id = ?4 and r.name = ?6 collate nocase",
                (id, i64::try_from(place).unwrap_or_default() + 1, here, there, column, other),
            )?;
        }
    }
    Ok(())
}
