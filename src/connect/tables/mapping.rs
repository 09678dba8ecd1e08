use std::collections::{BTreeMap, HashMap};

use crate::model::{Carry, ColumnMapping, Engine, FileType, ForeignKey, Index, Key, Table, TableName};

use super::files;
use super::names::object_name;
use super::types::{TypeTable, can_number, canonical, captures, carry_to, filled, has_type};

/// What a table becomes at the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMapping {
    pub source: TableName,
    pub target: TableName,
    pub columns: Vec<ColumnMapping>,
    /// Under the names of the sink.
    pub primary_key: Option<Key>,
    pub indexes: Vec<Index>,
    pub foreign_keys: Vec<ForeignKey>,
    /// What the sink does not get, and why.
    pub left_out: Vec<String>,
}

/// Why a table cannot be taken over as the spec has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblem {
    /// `dbo.Orders` or `dbo.Orders.Total`.
    pub place: String,
    pub message: String,
    pub help: String,
}

/// How the tables of a job are taken over: their names at the sink, and what becomes of their types.
pub struct Mapper<'a> {
    pub types: TypeTable,
    pub source: Engine,
    pub sink: Engine,
    /// Types that the spec gives in place of the table's: a source type, or a pattern of one, to a type of the sink.
    pub overrides: &'a BTreeMap<String, String>,
    /// Names of the tables of the job at the sink.
    pub names: &'a HashMap<TableName, TableName>,
    /// A column's name at the sink.
    pub column: &'a dyn Fn(&TableName, &str) -> Result<String, String>,
}

/// Maps a table; gives every problem at once.
pub fn map_table(table: &Table, mapper: &Mapper<'_>) -> Result<TableMapping, Vec<MappingProblem>> {
    if let Some(trouble) = &table.trouble {
        return Err(vec![MappingProblem {
            place: table.name.to_string(),
            message: trouble.message.clone(),
            help: "mend its files, or leave it out with `exclude`".to_owned(),
        }]);
    }
    if table.columns.is_empty() {
        return Err(vec![MappingProblem {
            place: table.name.to_string(),
            message: "it has no columns by which its rows could go over".to_owned(),
            help: "leave it out with `exclude`".to_owned(),
        }]);
    }
    let (mut problems, mut left_out) = (Vec::new(), Vec::new());
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let place = format!("{}.{}", table.name, column.name);
        let name = match (mapper.column)(&table.name, &column.name) {
            Ok(name) => name,
            Err(message) => {
                problems.push(MappingProblem {
                    place,
                    message,
                    help: "correct `naming.column`".to_owned(),
                });
                continue;
            }
        };
        let Some((carry, native, loss)) = sink_type(mapper, &column.native) else {
            let (source, sink) = (mapper.source, mapper.sink);
            problems.push(MappingProblem {
                place,
                message: format!(
                    "no rule says what the {source} type `{}` becomes in {sink}",
                    column.native
                ),
                help: format!("say it in the sink: `types: {{ \"{}\": \"text\" }}`", column.native),
            });
            continue;
        };
        let settled = match mapper.sink {
            Engine::Files => files::settled_type(&native),
            _ => Some((native.clone(), None)),
        };
        let Some((target_native, further_loss)) = settled else {
            problems.push(MappingProblem {
                place,
                message: format!("`{native}` is no type of a file"),
                help: format!("types are {}", FileType::NAMES),
            });
            continue;
        };
        let is_identity = column.is_identity && can_number(mapper.sink, &target_native);
        if column.is_identity && !is_identity {
            left_out.push(unnumbered(&name, &column.native, &target_native, mapper.sink));
        }
        columns.push(ColumnMapping {
            source: column.name.clone(),
            source_native: column.native.clone(),
            carry,
            target: name,
            target_native,
            is_nullable: column.is_nullable,
            is_identity,
            losses: further_loss.or(loss).map(str::to_owned).into_iter().collect(),
        });
    }
    problems.extend(colliding_columns(table, &columns, mapper.sink));
    if !problems.is_empty() {
        return Err(problems);
    }
    let target = mapper.names.get(&table.name).cloned().unwrap_or_default();
    let mut mapping = TableMapping {
        source: table.name.clone(),
        primary_key: table.primary_key.as_ref().map(|key| Key {
            columns: renamed(&columns, &key.columns),
        }),
        target,
        columns,
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        left_out,
    };
    if mapper.sink.has_statements() {
        map_indexes(table, mapper, &mut mapping);
        map_foreign_keys(table, mapper, &mut mapping);
    } else {
        mapping.left_out.extend(keys_of(table));
    }
    Ok(mapping)
}

/// In what form values of a source type travel, the type at the sink in its catalogue's words, and what values may lose; `None` where neither a
/// rule nor the spec has a type that the sink takes.
fn sink_type(mapper: &Mapper<'_>, native: &str) -> Option<(Carry, String, Option<&'static str>)> {
    let named = |native: String| canonical(mapper.sink, &native);
    let ruled = mapper.types.map(native);
    let ruled = ruled.map(|ruled| (ruled.carry, named(ruled.native), ruled.loss));
    let Some(given) = given_type(mapper.overrides, native).map(named) else {
        return ruled.filter(|(_, native, _)| has_type(mapper.sink, native));
    };
    Some(match ruled {
        None => (Carry::Text, given, None),
        Some((carry, native, loss)) if native == given => (carry, given, loss),
        Some((ruled, _, loss)) => {
            let carry = carry_to(ruled, mapper.source, mapper.sink, &given);
            // What a truth value would lose is nothing to a number.
            let is_truth = ruled == Carry::Boolean && carry != Carry::Boolean;
            (carry, given, loss.filter(|_| !is_truth))
        }
    })
}

/// The type that the spec gives for a source type, with the pattern's arguments filled in.
fn given_type(overrides: &BTreeMap<String, String>, native: &str) -> Option<String> {
    overrides.iter().find_map(|(pattern, sink)| {
        let found = captures(pattern, native)?;
        Some(filled(sink, &found))
    })
}

/// What is told of a column whose type at the sink takes no numbering.
fn unnumbered(column: &str, source_native: &str, target_native: &str, sink: Engine) -> String {
    format!(
        "numbering of `{column}`: {sink} numbers no `{target_native}`; where its numbers allow it, say `types: {{ \"{source_native}\": bigint }}` \
         in the sink"
    )
}

fn colliding_columns(table: &Table, columns: &[ColumnMapping], sink: Engine) -> Vec<MappingProblem> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut problems = Vec::new();
    for column in columns {
        if column.target.is_empty() {
            problems.push(MappingProblem {
                place: format!("{}.{}", table.name, column.source),
                message: "its name at the sink is empty".to_owned(),
                help: "correct `naming.column`".to_owned(),
            });
        }
        if let Some(other) = seen.insert(same_identifier(sink, &column.target), &column.source) {
            problems.push(MappingProblem {
                place: format!("{}.{}", table.name, column.source),
                message: format!(
                    "it gets the name `{}` at the sink, and so does `{other}`",
                    sink.cut(&column.target)
                ),
                help: "correct `naming.column` so that both stay apart".to_owned(),
            });
        }
    }
    problems
}

/// What an identifier is to the sink: two that are equal here are one there.
pub fn same_identifier(sink: Engine, identifier: &str) -> String {
    let cut = sink.cut(identifier);
    match sink {
        // Quoted identifiers keep their case and are told apart by it; so do the names of columns in files.
        Engine::Postgres | Engine::Files => cut.to_owned(),
        Engine::Sqlite | Engine::MySql | Engine::SqlServer => cut.to_lowercase(),
    }
}

fn renamed(columns: &[ColumnMapping], sources: &[String]) -> Vec<String> {
    let target = |source: &String| columns.iter().find(|column| column.source == *source);
    sources
        .iter()
        .filter_map(|source| target(source).map(|column| column.target.clone()))
        .collect()
}

fn map_indexes(table: &Table, mapper: &Mapper<'_>, mapping: &mut TableMapping) {
    for index in &table.indexes {
        let columns = renamed(&mapping.columns, &index.columns);
        if let Some(peculiarity) = &index.peculiarity {
            mapping.left_out.push(format!("index `{}`: {peculiarity}", index.name));
        } else if columns.len() == index.columns.len() {
            mapping.indexes.push(Index {
                name: object_name(mapper.sink, &mapping.target.name, &index.name),
                columns,
                is_unique: index.is_unique,
                peculiarity: None,
            });
        }
    }
}

fn map_foreign_keys(table: &Table, mapper: &Mapper<'_>, mapping: &mut TableMapping) {
    for key in &table.foreign_keys {
        let Some(references) = mapper.names.get(&key.references) else {
            let (name, other) = (key_name(key), &key.references);
            mapping.left_out.push(format!(
                "foreign key `{name}`: the table `{other}` is not among those of the job"
            ));
            continue;
        };
        let referenced: Result<Vec<String>, String> = key
            .referenced_columns
            .iter()
            .map(|column| (mapper.column)(&key.references, column))
            .collect();
        if let Ok(referenced_columns) = referenced {
            mapping.foreign_keys.push(ForeignKey {
                name: object_name(mapper.sink, &mapping.target.name, &key_name(key)),
                columns: renamed(&mapping.columns, &key.columns),
                references: references.clone(),
                referenced_columns,
                on_delete: key.on_delete.clone(),
                on_update: key.on_update.clone(),
            });
        }
    }
}

/// What files do not have: everything that is more than columns.
fn keys_of(table: &Table) -> Vec<String> {
    let primary = table
        .primary_key
        .iter()
        .map(|key| format!("primary key (`{}`)", key.columns.join("`, `")));
    let indexes = table.indexes.iter().map(|index| format!("index `{}`", index.name));
    let foreign = table
        .foreign_keys
        .iter()
        .map(|key| format!("foreign key `{}`", key_name(key)));
    let all = primary.chain(indexes).chain(foreign);
    all.map(|what| format!("{what}: files have columns only")).collect()
}

/// A foreign key's name, or one made of its columns.
fn key_name(key: &ForeignKey) -> String {
    if key.name.is_empty() {
        format!("{}_fkey", key.columns.join("_"))
    } else {
        key.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tables::type_table;
    use crate::model::Column;

    fn column(name: &str, native: &str) -> Column {
        Column {
            name: name.to_owned(),
            native: native.to_owned(),
            is_nullable: true,
            is_identity: false,
            is_computed: false,
        }
    }

    fn map(table: &Table, overrides: &BTreeMap<String, String>) -> Result<TableMapping, Vec<MappingProblem>> {
        let names = HashMap::from([(table.name.clone(), TableName::new("campaign", "orders"))]);
        map_table(
            table,
            &Mapper {
                types: type_table(Engine::MySql, Engine::Postgres),
                source: Engine::MySql,
                sink: Engine::Postgres,
                overrides,
                names: &names,
                column: &|_, column| Ok(column.to_lowercase()),
            },
        )
    }

    #[test]
    fn a_table_gets_the_names_and_types_of_the_sink() {
        let table = Table {
            name: TableName::new("shop", "Orders"),
            columns: vec![column("Id", "int"), column("Total", "decimal(10,2)")],
            primary_key: Some(Key {
                columns: vec!["Id".to_owned()],
            }),
            indexes: vec![Index {
                name: "by_total".to_owned(),
                columns: vec!["Total".to_owned()],
                is_unique: false,
                peculiarity: None,
            }],
            foreign_keys: vec![ForeignKey {
                name: "fk".to_owned(),
                columns: vec!["Id".to_owned()],
                references: TableName::new("shop", "Elsewhere"),
                referenced_columns: vec!["Id".to_owned()],
                on_delete: "CASCADE".to_owned(),
                on_update: "NO ACTION".to_owned(),
            }],
            ..Table::default()
        };
        let mapping = map(&table, &BTreeMap::new()).unwrap();
        assert_eq!(mapping.target.to_string(), "campaign.orders");
        assert_eq!(mapping.columns[1].target_native, "numeric(10,2)");
        assert_eq!(mapping.columns[1].carry, Carry::Decimal);
        assert_eq!(mapping.primary_key.unwrap().columns, ["id"]);
        assert_eq!(mapping.indexes[0].name, "orders_by_total");
        assert!(mapping.left_out[0].contains("shop.Elsewhere"), "{:?}", mapping.left_out);
    }

    #[test]
    fn what_has_no_rule_and_what_collides_is_told_together() {
        let table = Table {
            name: TableName::new("shop", "Orders"),
            columns: vec![column("Place", "geometry"), column("A", "int"), column("a", "int")],
            ..Table::default()
        };
        let problems = map(&table, &BTreeMap::new()).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].message.contains("geometry") && problems[0].help.contains("types"));
        assert!(problems[1].message.contains("`A`"), "{problems:?}");
        let overrides = BTreeMap::from([("geometry".to_owned(), "text".to_owned())]);
        assert_eq!(map(&table, &overrides).unwrap_err().len(), 1);
    }

    #[test]
    fn a_type_of_the_spec_takes_the_place_of_the_rule() {
        let table = Table {
            name: TableName::new("shop", "Orders"),
            columns: vec![column("Total", "decimal(10,4)")],
            ..Table::default()
        };
        let overrides = BTreeMap::from([("decimal({p},{s})".to_owned(), "numeric({p},2)".to_owned())]);
        assert_eq!(
            map(&table, &overrides).unwrap().columns[0].target_native,
            "numeric(10,2)"
        );
    }

    #[test]
    fn a_given_type_has_the_name_that_the_catalogue_will_have() {
        let mut flag = column("Flag", "tinyint(1)");
        flag.is_identity = true;
        let table = Table {
            name: TableName::new("shop", "Orders"),
            columns: vec![column("Id", "int"), flag],
            ..Table::default()
        };
        let given = |native: &str| {
            let overrides = [("int", "int8"), ("tinyint(1)", native)];
            let overrides = overrides.map(|(source, sink)| (source.to_owned(), sink.to_owned()));
            map(&table, &BTreeMap::from(overrides)).unwrap()
        };
        let mapping = given("int2");
        let [id, flag] = &mapping.columns[..] else {
            panic!("{mapping:?}")
        };
        assert_eq!((id.carry, id.target_native.as_str()), (Carry::Int64, "bigint"));
        assert_eq!((flag.carry, flag.target_native.as_str()), (Carry::Int64, "smallint"));
        assert!(
            flag.is_identity && flag.losses.is_empty() && mapping.left_out.is_empty(),
            "{mapping:?}"
        );
        let mapping = given("numeric(3, 0)");
        assert!(!mapping.columns[1].is_identity);
        assert!(
            mapping.left_out[0].contains("`numeric(3,0)`")
                && mapping.left_out[0].contains("types: { \"tinyint(1)\": bigint }"),
            "{mapping:?}"
        );
        let flag = &given("bool").columns[1];
        assert_eq!(
            (flag.carry, flag.losses.len()),
            (Carry::Boolean, 1),
            "it is the rule's own"
        );
    }

    #[test]
    fn a_number_of_more_digits_than_the_sink_has_is_a_problem_until_it_gets_a_type() {
        let table = Table {
            name: TableName::new("shop", "orders"),
            columns: vec![column("total", "numeric(80,2)"), column("rate", "numeric(65,30)")],
            ..Table::default()
        };
        let names = HashMap::from([(table.name.clone(), TableName::new("", "orders"))]);
        let mapped = |overrides: &BTreeMap<String, String>| {
            let mapper = Mapper {
                types: type_table(Engine::Postgres, Engine::MySql),
                source: Engine::Postgres,
                sink: Engine::MySql,
                overrides,
                names: &names,
                column: &|_, column| Ok(column.to_owned()),
            };
            map_table(&table, &mapper)
        };
        let problems = mapped(&BTreeMap::new()).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].message.contains("`numeric(80,2)`"), "{problems:?}");
        assert!(problems[0].help.contains("types: { \"numeric(80,2)\""), "{problems:?}");
        let given = BTreeMap::from([("numeric(80,2)".to_owned(), "numeric(65, 2)".to_owned())]);
        assert_eq!(mapped(&given).unwrap().columns[0].target_native, "decimal(65,2)");
    }
}
