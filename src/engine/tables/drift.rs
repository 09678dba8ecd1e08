use std::collections::BTreeSet;

use crate::connect::TableMapping;
use crate::model::Table;

/// In what a table that stands at the sink is another than the source would make it now, in words.
pub fn drift(existing: &Table, mapping: &TableMapping) -> Vec<String> {
    let mut found = Vec::new();
    for column in &mapping.columns {
        let name = &column.target;
        let Some(there) = existing.column(name) else {
            found.push(format!("it has no column `{name}`"));
            continue;
        };
        if there.native != column.target_native {
            let (is, wanted) = (&there.native, &column.target_native);
            found.push(format!("`{name}` is `{is}`, not `{wanted}`"));
        }
        match (there.is_nullable, column.is_nullable) {
            (true, false) if !is_key(mapping, name) => found.push(format!("`{name}` may be NULL")),
            (false, true) if !is_key(mapping, name) => found.push(format!("`{name}` may not be NULL")),
            _ => {}
        }
    }
    for there in &existing.columns {
        if !mapping.columns.iter().any(|column| column.target == there.name) {
            found.push(format!("its column `{}` is none of the source's", there.name));
        }
    }
    let key_of = |key: Option<&Vec<String>>| key.map(|columns| columns.join("`, `"));
    let there = key_of(existing.primary_key.as_ref().map(|key| &key.columns));
    let wanted = key_of(mapping.primary_key.as_ref().map(|key| &key.columns));
    match (there, wanted) {
        (Some(there), Some(wanted)) if there != wanted => {
            found.push(format!("its primary key is `{there}`, not `{wanted}`"));
        }
        (None, Some(wanted)) => found.push(format!("it has no primary key `{wanted}`")),
        (Some(there), None) => found.push(format!("it has a primary key `{there}`")),
        _ => {}
    }
    let there: BTreeSet<&Vec<String>> = existing.indexes.iter().map(|index| &index.columns).collect();
    let wanted: BTreeSet<&Vec<String>> = mapping.indexes.iter().map(|index| &index.columns).collect();
    for columns in wanted.difference(&there) {
        found.push(format!("it has no index over `{}`", columns.join("`, `")));
    }
    for columns in there.difference(&wanted) {
        found.push(format!("it has an index over `{}`", columns.join("`, `")));
    }
    let there: BTreeSet<_> = (existing.foreign_keys.iter())
        .map(|key| (&key.columns, &key.references))
        .collect();
    let wanted: BTreeSet<_> = (mapping.foreign_keys.iter())
        .map(|key| (&key.columns, &key.references))
        .collect();
    for (columns, references) in wanted.difference(&there) {
        found.push(format!(
            "it has no key from `{}` into `{references}`",
            columns.join("`, `")
        ));
    }
    for (columns, references) in there.difference(&wanted) {
        found.push(format!(
            "it has a key from `{}` into `{references}`",
            columns.join("`, `")
        ));
    }
    found
}

/// Engines say of the columns of a primary key that they may not be NULL, whatever was written.
fn is_key(mapping: &TableMapping, column: &str) -> bool {
    let key = mapping.primary_key.as_ref();
    key.is_some_and(|key| key.columns.iter().any(|name| name == column))
}
