use super::KeyAround;
use super::ddl::Ddl;
use crate::model::{Engine, Table, TableName};

/// The foreign keys of a table and into it, of an engine whose catalogue was read as a whole.
pub(super) fn keys_around(engine: Engine, tables: &[Table], target: &TableName) -> Vec<KeyAround> {
    let ddl = Ddl::new(engine);
    let all = tables
        .iter()
        .flat_map(|table| table.foreign_keys.iter().map(|key| (&table.name, key)));
    all.filter(|(table, key)| *table == target || key.references == *target)
        .map(|(table, key)| KeyAround {
            is_own: table == target,
            take: ddl.drop_foreign_key(table, &key.name),
            give_back: ddl.add_foreign_key(table, key),
        })
        .collect()
}
