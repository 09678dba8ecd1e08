use crate::model::{ForeignKey, Table, TableName};

/// The foreign keys of other tables that point at one.
pub(super) fn incoming<'a>(
    tables: &'a [Table],
    target: &'a TableName,
) -> impl Iterator<Item = (&'a TableName, &'a ForeignKey)> {
    let others = tables.iter().filter(move |table| table.name != *target);
    others.flat_map(move |table| {
        let keys = table.foreign_keys.iter().filter(move |key| key.references == *target);
        keys.map(|key| (&table.name, key))
    })
}
