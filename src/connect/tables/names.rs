//! Names of indexes and keys at the sink: databases differ in whether such a name is the table's own, the schema's or the database's.

use std::collections::HashSet;

use super::mapping::{TableMapping, same_identifier};
use crate::model::{Engine, Table, TableName};

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Table,
    PrimaryKey,
    Index,
    ForeignKey,
}

/// A name for an index or key of a table, of a length that the sink keeps.
pub fn object_name(sink: Engine, table: &str, name: &str) -> String {
    let of_table = name.strip_prefix(table).is_some_and(|rest| rest.starts_with('_'));
    fitting(
        sink,
        if name == table || of_table {
            name.to_owned()
        } else {
            format!("{table}_{name}")
        },
    )
}

/// The name of a table's primary key.
pub fn primary_key_name(sink: Engine, table: &str) -> String {
    fitting(sink, format!("{table}_pkey"))
}

fn fitting(sink: Engine, name: String) -> String {
    if sink.cut(&name).len() == name.len() {
        name
    } else {
        distinguished(sink, &name, &name)
    }
}

/// A name that ends with a digest of what it is for.
fn distinguished(sink: Engine, name: &str, of: &str) -> String {
    let digest = blake3::hash(of.as_bytes()).to_hex();
    let with_digest = |start: &str| format!("{start}_{}", &digest[..8]);
    let mut start = sink.cut(name);
    while sink.cut(&with_digest(start)).len() < with_digest(start).len() {
        start = &start[..start.floor_char_boundary(start.len().saturating_sub(1))];
    }
    with_digest(start)
}

/// Gives every index and key of a job's tables a name that nothing else at the sink has: of two that would meet, the later one gets a digest.
/// `standing` are the tables that are there; those that the job makes itself do not count.
pub fn keep_apart<'a>(
    sink: Engine,
    mappings: impl Iterator<Item = &'a mut TableMapping>,
    standing: impl Iterator<Item = &'a Table>,
) {
    let mut mappings: Vec<&mut TableMapping> = mappings.collect();
    let targets: HashSet<TableName> = mappings.iter().map(|mapping| mapping.target.clone()).collect();
    let mut taken = Taken {
        sink,
        names: HashSet::new(),
    };
    for table in standing.filter(|table| !targets.contains(&table.name)) {
        taken.take(Named::Table, &table.name, &table.name.name);
        for index in &table.indexes {
            taken.take(Named::Index, &table.name, &index.name);
        }
        for key in &table.foreign_keys {
            taken.take(Named::ForeignKey, &table.name, &key.name);
        }
        if table.primary_key.is_some() {
            let name = primary_key_name(sink, &table.name.name);
            taken.take(Named::PrimaryKey, &table.name, &name);
        }
    }
    for mapping in &mappings {
        taken.take(Named::Table, &mapping.target, &mapping.target.name);
        if mapping.primary_key.is_some() {
            let name = primary_key_name(sink, &mapping.target.name);
            taken.take(Named::PrimaryKey, &mapping.target, &name);
        }
    }
    for mapping in &mut mappings {
        let target = mapping.target.clone();
        for index in &mut mapping.indexes {
            taken.take_or_rename(Named::Index, &target, &mut index.name);
        }
        for key in &mut mapping.foreign_keys {
            taken.take_or_rename(Named::ForeignKey, &target, &mut key.name);
        }
    }
}

struct Taken {
    sink: Engine,
    names: HashSet<(String, String)>,
}

impl Taken {
    /// False when something else has it.
    fn take(&mut self, what: Named, table: &TableName, name: &str) -> bool {
        self.scopes(what, table)
            .into_iter()
            .all(|scope| self.names.insert((scope, same_identifier(self.sink, name))))
    }

    fn take_or_rename(&mut self, what: Named, table: &TableName, name: &mut String) {
        if !self.take(what, table, name) {
            *name = distinguished(self.sink, name, &format!("{table} {name}"));
            self.take(what, table, name);
        }
    }

    /// Where such a name has to be the only one.
    fn scopes(&self, what: Named, table: &TableName) -> Vec<String> {
        let schema = format!("schema {}", table.schema);
        let constraints = format!("constraints of {table}");
        match (self.sink, what) {
            (Engine::Postgres, Named::Table | Named::Index) => vec![schema],
            (Engine::Postgres, Named::PrimaryKey) => vec![schema, constraints],
            (Engine::Postgres, Named::ForeignKey) => vec![constraints],
            (Engine::MySql, Named::Index) => vec![format!("indexes of {table}")],
            (Engine::MySql, Named::ForeignKey) => vec![format!("keys of {}", table.schema)],
            (Engine::SqlServer, Named::Index) => vec![format!("indexes of {table}")],
            (Engine::SqlServer, Named::Table | Named::PrimaryKey | Named::ForeignKey)
            | (Engine::Sqlite, Named::Table | Named::Index) => vec![schema],
            (Engine::MySql, Named::Table | Named::PrimaryKey)
            | (Engine::Sqlite, Named::PrimaryKey | Named::ForeignKey)
            | (Engine::Files, _) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ForeignKey, Index, Key};

    fn mapping(name: &str, index: &str, key: &str) -> TableMapping {
        TableMapping {
            source: TableName::new("shop", name),
            target: TableName::new("campaign", name),
            columns: Vec::new(),
            primary_key: Some(Key {
                columns: vec!["id".to_owned()],
            }),
            indexes: vec![Index {
                name: index.to_owned(),
                columns: Vec::new(),
                is_unique: true,
                peculiarity: None,
            }],
            foreign_keys: vec![ForeignKey {
                name: key.to_owned(),
                columns: Vec::new(),
                references: TableName::default(),
                referenced_columns: Vec::new(),
                on_delete: String::new(),
                on_update: String::new(),
            }],
            left_out: Vec::new(),
        }
    }

    fn names(sink: Engine, standing: &[Table]) -> Vec<String> {
        let mut mappings = [
            mapping("orders", "orders_status", "orders_status_fk"),
            mapping("orders_status", "orders_status_at", "orders_status_fk"),
            mapping("p", "orders_pkey", "p_fk"),
        ];
        keep_apart(sink, mappings.iter_mut(), standing.iter());
        let names = mappings.iter().flat_map(|mapping| {
            let indexes = mapping.indexes.iter().map(|index| index.name.clone());
            indexes.chain(mapping.foreign_keys.iter().map(|key| key.name.clone()))
        });
        names.collect()
    }

    #[test]
    fn names_that_would_meet_at_the_sink_are_kept_apart_where_they_would() {
        let kept = |sink| -> Vec<bool> {
            let wanted = [
                "orders_status",
                "orders_status_fk",
                "orders_status_at",
                "orders_status_fk",
                "orders_pkey",
                "p_fk",
            ];
            names(sink, &[])
                .iter()
                .zip(wanted)
                .map(|(name, wanted)| name == wanted)
                .collect()
        };
        assert_eq!(kept(Engine::Postgres), [false, true, true, true, false, true]);
        assert_eq!(kept(Engine::MySql), [true, true, true, false, true, true]);
        assert_eq!(kept(Engine::SqlServer), [true, true, true, false, true, true]);
        assert_eq!(kept(Engine::Sqlite), [false, true, true, true, true, true]);
        let told = names(Engine::Postgres, &[]);
        assert!(
            told[0].starts_with("orders_status_") && told[0].len() == "orders_status".len() + 9,
            "{told:?}"
        );
        assert_eq!(told, names(Engine::Postgres, &[]));
    }

    #[test]
    fn what_stands_at_the_sink_keeps_its_name_and_a_table_of_the_job_has_its_own() {
        let standing = |name: &str| Table {
            name: TableName::new("campaign", name),
            indexes: mapping("", "orders_status_at", "").indexes,
            ..Table::default()
        };
        let of_others = names(Engine::Postgres, &[standing("elsewhere")]);
        assert_ne!(of_others[2], "orders_status_at");
        assert_eq!(
            names(Engine::Postgres, &[standing("orders_status")])[2],
            "orders_status_at"
        );
    }

    #[test]
    fn a_name_has_its_table_before_it_and_a_length_that_is_kept() {
        assert_eq!(object_name(Engine::Postgres, "p", "pkey"), "p_pkey");
        assert_eq!(object_name(Engine::Postgres, "orders", "orders_at"), "orders_at");
        assert_eq!(primary_key_name(Engine::Postgres, "orders"), "orders_pkey");
        let long = "ä".repeat(40);
        let (one, other) = (
            object_name(Engine::Postgres, "orders", &long),
            object_name(Engine::Postgres, "orders", &format!("{long}y")),
        );
        assert_ne!(one, other);
        assert!(one.len() <= 63 && other.len() <= 63);
        assert_ne!(
            primary_key_name(Engine::Postgres, &long),
            primary_key_name(Engine::Postgres, &format!("{long}y"))
        );
    }
}
