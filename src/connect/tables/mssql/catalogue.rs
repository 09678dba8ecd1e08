use std::collections::HashMap;

use mssql_tds::datatypes::column_values::ColumnValues;

use super::Lease;
use super::error::of_number;
use super::fields::{integer_of, text_of};
use super::read;
use crate::connect::tables::select::literal;
use crate::model::{Column, Engine, Failure, ForeignKey, Index, Key, Table, TableName, Value};

/// Tables by the server's number for them, as places in the list.
type Places = HashMap<i64, usize>;

/// One row of a catalogue query.
struct Fields(Vec<ColumnValues>);

impl Fields {
    fn text(&self, place: usize) -> String {
        self.0.get(place).and_then(text_of).unwrap_or_default()
    }

    fn integer(&self, place: usize) -> i64 {
        self.0.get(place).and_then(integer_of).unwrap_or_default()
    }

    fn is_set(&self, place: usize) -> bool {
        self.integer(place) != 0
    }

    fn is_null(&self, place: usize) -> bool {
        matches!(self.0.get(place), None | Some(ColumnValues::Null))
    }
}

async fn ask(lease: &mut Lease, text: &str) -> Result<Vec<Fields>, Failure> {
    let rows = lease.rows(text, Vec::new()).await?;
    Ok(rows.into_iter().map(Fields).collect())
}

/// All tables of the database, in the order of their names, with what hangs on them.
pub(super) async fn tables_with_extras(lease: &mut Lease) -> Result<Vec<Table>, Failure> {
    let (mut tables, places) = tables_and_places(lease).await?;
    read_extras(lease, &places, &mut tables).await?;
    Ok(tables)
}

/// What a change of tables has to know of them.
pub(super) async fn tables(lease: &mut Lease) -> Result<Vec<Table>, Failure> {
    tables_and_places(lease).await.map(|(tables, _)| tables)
}

async fn tables_and_places(lease: &mut Lease) -> Result<(Vec<Table>, Places), Failure> {
    let found = ask(
        lease,
        "select t.object_id, s.name, t.name, sum(p.rows) from sys.tables as t \
         join sys.schemas as s on s.schema_id = t.schema_id \
         left join sys.partitions as p on p.object_id = t.object_id and p.index_id in (0, 1) \
         where t.is_ms_shipped = 0 group by t.object_id, s.name, t.name",
    )
    .await?;
    let mut found: Vec<(i64, Table)> = found
        .iter()
        .map(|row| {
            let table = Table {
                name: TableName::new(row.text(1), row.text(2)),
                rows_estimate: (!row.is_null(3)).then(|| row.integer(3).try_into().unwrap_or_default()),
                ..Table::default()
            };
            (row.integer(0), table)
        })
        .collect();
    found.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
    let places = found.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let mut tables: Vec<Table> = found.into_iter().map(|(_, table)| table).collect();
    read_columns(lease, &places, &mut tables).await?;
    read_indexes(lease, &places, &mut tables).await?;
    read_foreign_keys(lease, &places, &mut tables).await?;
    Ok((tables, places))
}

async fn read_columns(lease: &mut Lease, places: &Places, tables: &mut [Table]) -> Result<(), Failure> {
    // A type with a name of its own is what it is made of; those of the CLR are made of nothing that the catalogue knows. Servers that are too
    // old for columns that they fill with the time of a change say NULL of the property.
    let rows = ask(
        lease,
        "select c.object_id, c.name, coalesce(b.name, y.name), c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity, \
         c.is_computed, c.default_object_id, columnproperty(c.object_id, c.name, 'GeneratedAlwaysType') \
         from sys.columns as c join sys.tables as t on t.object_id = c.object_id \
         join sys.types as y on y.user_type_id = c.user_type_id \
         left join sys.types as b on b.user_type_id = c.system_type_id order by c.object_id, c.column_id",
    )
    .await?;
    for row in rows {
        let Some(table) = places.get(&row.integer(0)).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        let column = Column {
            name: row.text(1),
            native: native(&row.text(2), row.integer(3), row.integer(4), row.integer(5)),
            is_nullable: row.is_set(6),
            is_identity: row.is_set(7),
            is_computed: row.is_set(8) || row.is_set(10),
        };
        if row.is_set(9) && !column.is_computed {
            table.extras.defaults.push(column.name.clone());
        }
        table.columns.push(column);
    }
    Ok(())
}

/// A type as a definition has it: `nvarchar(40)`, `decimal(10,2)`, `datetime2(7)`.
fn native(name: &str, length: i64, precision: i64, scale: i64) -> String {
    let name = name.to_lowercase();
    match name.as_str() {
        "nvarchar" | "varchar" | "varbinary" if length < 0 => format!("{name}(max)"),
        // The catalogue counts bytes.
        "nvarchar" | "nchar" => format!("{name}({})", length / 2),
        "varchar" | "char" | "varbinary" | "binary" => format!("{name}({length})"),
        "decimal" | "numeric" => format!("{name}({precision},{scale})"),
        "datetime2" | "datetimeoffset" | "time" => format!("{name}({scale})"),
        _ => name,
    }
}

async fn read_indexes(lease: &mut Lease, places: &Places, tables: &mut [Table]) -> Result<(), Failure> {
    let rows = ask(
        lease,
        "select i.object_id, i.name, i.type_desc, i.is_primary_key, i.is_unique, i.has_filter, c.name from sys.indexes as i \
         join sys.tables as t on t.object_id = i.object_id \
         join sys.index_columns as k on k.object_id = i.object_id and k.index_id = i.index_id \
         join sys.columns as c on c.object_id = k.object_id and c.column_id = k.column_id \
         where i.is_hypothetical = 0 and k.is_included_column = 0 \
         order by i.object_id, i.index_id, k.key_ordinal, k.index_column_id",
    )
    .await?;
    for row in rows {
        let Some(table) = places.get(&row.integer(0)).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        let (name, kind, column) = (row.text(1), row.text(2), row.text(6));
        if row.is_set(3) {
            let key = table.primary_key.get_or_insert_with(|| Key { columns: Vec::new() });
            key.columns.push(column);
            continue;
        }
        if let Some(index) = table.indexes.last_mut().filter(|index| index.name == name) {
            index.columns.push(column);
            continue;
        }
        table.indexes.push(Index {
            name,
            columns: vec![column],
            is_unique: row.is_set(4),
            peculiarity: match kind.as_str() {
                _ if row.is_set(5) => Some("it is over some of the rows only".to_owned()),
                "CLUSTERED" | "NONCLUSTERED" | "NONCLUSTERED HASH" => None,
                kind => Some(format!("it is of the kind {}", kind.to_lowercase())),
            },
        });
    }
    Ok(())
}

async fn read_foreign_keys(lease: &mut Lease, places: &Places, tables: &mut [Table]) -> Result<(), Failure> {
    let rows = ask(
        lease,
        "select f.parent_object_id, f.name, c.name, s.name, r.name, d.name, f.delete_referential_action_desc, \
         f.update_referential_action_desc from sys.foreign_keys as f \
         join sys.foreign_key_columns as k on k.constraint_object_id = f.object_id \
         join sys.columns as c on c.object_id = k.parent_object_id and c.column_id = k.parent_column_id \
         join sys.tables as r on r.object_id = k.referenced_object_id join sys.schemas as s on s.schema_id = r.schema_id \
         join sys.columns as d on d.object_id = k.referenced_object_id and d.column_id = k.referenced_column_id \
         order by f.parent_object_id, f.name, k.constraint_column_id",
    )
    .await?;
    for row in rows {
        let Some(table) = places.get(&row.integer(0)).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        let name = row.text(1);
        if table.foreign_keys.last().is_none_or(|key| key.name != name) {
            table.foreign_keys.push(ForeignKey {
                name,
                columns: Vec::new(),
                references: TableName::new(row.text(3), row.text(4)),
                referenced_columns: Vec::new(),
                on_delete: row.text(6).replace('_', " "),
                on_update: row.text(7).replace('_', " "),
            });
        }
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(row.text(2));
            key.referenced_columns.push(row.text(5));
        }
    }
    Ok(())
}

/// What else hangs on tables, by one question about all of them.
async fn read_extras(lease: &mut Lease, places: &Places, tables: &mut [Table]) -> Result<(), Failure> {
    let rows = ask(
        lease,
        "select k.parent_object_id, N'check', k.name from sys.check_constraints as k \
         union all select r.parent_id, N'trigger', r.name from sys.triggers as r where r.parent_class = 1 \
         union all select e.major_id, N'comment', N'' from sys.extended_properties as e \
         where e.class = 1 and e.name = N'MS_Description' order by 1, 2, 3",
    )
    .await?;
    for row in rows {
        let Some(table) = places.get(&row.integer(0)).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        match row.text(1).as_str() {
            "check" => table.extras.checks += 1,
            "trigger" => table.extras.triggers.push(row.text(2)),
            _ => table.extras.comments += 1,
        }
    }
    Ok(())
}

/// The columns of a query, as the server describes them without running it.
pub(super) async fn describe(
    lease: &mut Lease,
    text: &str,
    parameters: &[(String, Value)],
) -> Result<Vec<Column>, Failure> {
    let (text, bound) = read::positional(text, parameters)?;
    let declared: Vec<String> = bound
        .iter()
        .enumerate()
        .map(|(index, value)| format!("@p{} {}", index + 1, read::declared_type(value)))
        .collect();
    let quoted = |text: String| literal(Engine::SqlServer, &Value::Text(text));
    let asked = format!(
        "select name, coalesce(system_type_name, user_type_name), is_nullable, is_identity_column, is_computed_column, error_number, \
         error_severity, error_message from sys.dm_exec_describe_first_result_set({}, {}, 0) \
         where is_hidden = 0 or error_number is not null order by column_ordinal",
        quoted(text),
        quoted(declared.join(", "))
    );
    let rows = ask(lease, &asked).await?;
    if let Some(row) = rows.iter().find(|row| !row.is_null(5)) {
        let number = u32::try_from(row.integer(5)).unwrap_or_default();
        let severity = i32::try_from(row.integer(6)).unwrap_or_default();
        return Err(of_number(number, severity, &row.text(7)));
    }
    Ok(rows
        .iter()
        .map(|row| Column {
            name: row.text(0),
            native: row.text(1).to_lowercase(),
            is_nullable: row.is_set(2),
            is_identity: row.is_set(3),
            is_computed: row.is_set(4),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_as_a_definition_has_it() {
        assert_eq!(native("nvarchar", 80, 0, 0), "nvarchar(40)");
        assert_eq!(native("nvarchar", -1, 0, 0), "nvarchar(max)");
        assert_eq!(native("varbinary", 16, 0, 0), "varbinary(16)");
        assert_eq!(native("numeric", 9, 19, 4), "numeric(19,4)");
        assert_eq!(native("datetime2", 8, 27, 7), "datetime2(7)");
        assert_eq!(native("datetime", 8, 23, 3), "datetime");
        assert_eq!(native("float", 8, 53, 0), "float");
    }
}
