use crate::connect::{Ddl, TableMapping, same_identifier};
use crate::model::{Column, Engine, Failure, Table};
use crate::resolve::Contract;

/// What makes a table that is there fit: statements that add the columns it lacks, where the contract allows it.
///
/// | the table that is there | `freeze` | `evolve` |
/// |---|---|---|
/// | lacks a column | refused | it is added |
/// | has a column with another type | refused | refused |
/// | has a further column that must be given a value | refused: it would refuse every row | refused |
/// | has a further column that fills itself or may be NULL | fits | fits |
///
/// # Errors
/// `tables.contract`: every difference, and what can be done about them.
pub fn fit(
    existing: &Table,
    mapping: &TableMapping,
    contract: Contract,
    engine: Engine,
) -> Result<Vec<String>, Failure> {
    let (mut differences, mut additions) = (Vec::new(), Vec::new());
    let mut is_short = false;
    for column in &mapping.columns {
        match existing.column(&column.target) {
            None if contract == Contract::Evolve => {
                additions.push(Ddl::new(engine).add_column(&mapping.target, column));
            }
            None => {
                is_short = true;
                differences.push(format!("it has no column `{}`", column.target));
            }
            Some(found) if found.native != column.target_native => differences.push(format!(
                "`{}` is `{}` there, not `{}`",
                column.target, found.native, column.target_native
            )),
            Some(_) => {}
        }
    }
    let is_other_shape = !differences.is_empty();
    let demanding = demanding(existing, mapping, engine);
    let needs = |column: &&str| format!("its column `{column}` needs a value, and the source has none for it");
    differences.extend(demanding.iter().map(needs));
    if differences.is_empty() {
        return Ok(additions);
    }
    let mut remedies = vec!["use `mode: replace`".to_owned()];
    if is_other_shape {
        remedies.push("give the types in `types`".to_owned());
    }
    if is_short {
        remedies.push("let `contract: evolve` add columns".to_owned());
    }
    if !demanding.is_empty() {
        let columns = demanding.join("`, `");
        remedies.push(format!("give `{columns}` a default there"));
    }
    let last = remedies.pop().unwrap_or_default();
    let remedies = match remedies.join(", ") {
        others if others.is_empty() => last,
        others => format!("{others}, or {last}"),
    };
    let differences = differences.join("; ");
    let message = format!(
        "`{}` stands at the sink with another shape: {differences}; {remedies}",
        mapping.target
    );
    Err(Failure::permanent("tables.contract", message))
}

/// The columns that rows of the source have no value for, and that refuse a row without one.
fn demanding<'a>(existing: &'a Table, mapping: &TableMapping, engine: Engine) -> Vec<&'a str> {
    let same = |name: &str| same_identifier(engine, name);
    let is_given = |column: &Column| {
        let mut given = mapping.columns.iter();
        given.any(|given| same(&given.target) == same(&column.name))
    };
    // A trigger of theirs may fill it before the row is looked at.
    let may_be_triggered = matches!(engine, Engine::Postgres | Engine::MySql) && !existing.extras.triggers.is_empty();
    if may_be_triggered {
        return Vec::new();
    }
    let fills_itself = |column: &Column| {
        column.is_identity
            || column.is_computed
            || existing.extras.defaults.contains(&column.name)
            || match engine {
                // The number of a row's version.
                Engine::SqlServer => column.native == "timestamp",
                // Without a default it is the first of its values.
                Engine::MySql => column.native.starts_with("enum("),
                Engine::Sqlite | Engine::Postgres | Engine::Files => false,
            }
    };
    let columns = existing.columns.iter();
    let columns = columns.filter(|column| !column.is_nullable && !fills_itself(column) && !is_given(column));
    columns.map(|column| column.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Carry, ColumnMapping, Extras, TableName};

    fn column(name: &str, native: &str) -> Column {
        Column {
            name: name.to_owned(),
            native: native.to_owned(),
            is_nullable: false,
            is_identity: false,
            is_computed: false,
        }
    }

    fn mapping() -> TableMapping {
        let column = ColumnMapping {
            source: "Id".to_owned(),
            source_native: "bigint".to_owned(),
            carry: Carry::Int64,
            target: "id".to_owned(),
            target_native: "bigint".to_owned(),
            is_nullable: false,
            is_identity: false,
            losses: Vec::new(),
        };
        TableMapping {
            source: TableName::new("dbo", "T"),
            target: TableName::new("", "t"),
            columns: vec![column],
            primary_key: None,
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            left_out: Vec::new(),
        }
    }

    fn fitted(columns: Vec<Column>, extras: Extras, contract: Contract, engine: Engine) -> Result<usize, String> {
        let existing = Table {
            name: TableName::new("", "t"),
            columns,
            extras,
            ..Table::default()
        };
        let fitted = fit(&existing, &mapping(), contract, engine);
        fitted
            .map(|statements| statements.len())
            .map_err(|failure| failure.message)
    }

    #[test]
    fn a_further_column_must_be_able_to_do_without_the_source() {
        let with = |further: Column, extras: Extras, engine| {
            fitted(vec![column("id", "bigint"), further], extras, Contract::Freeze, engine)
        };
        let none = Extras::default;
        for contract in [Contract::Freeze, Contract::Evolve] {
            let columns = vec![column("id", "bigint"), column("tenant", "text")];
            let told = fitted(columns, none(), contract, Engine::Postgres).unwrap_err();
            assert!(told.contains("its column `tenant` needs a value"), "{told}");
            assert!(
                told.ends_with("use `mode: replace`, or give `tenant` a default there"),
                "{told}"
            );
            assert!(!told.contains("types"), "{told}");
        }
        let nullable = Column {
            is_nullable: true,
            ..column("tenant", "text")
        };
        let numbered = Column {
            is_identity: true,
            ..column("tenant", "int")
        };
        let computed = Column {
            is_computed: true,
            ..column("tenant", "int")
        };
        for further in [nullable, numbered, computed] {
            assert_eq!(with(further, none(), Engine::Sqlite), Ok(0));
        }
        let defaulted = Extras {
            defaults: vec!["tenant".to_owned()],
            ..none()
        };
        assert_eq!(with(column("tenant", "text"), defaulted, Engine::SqlServer), Ok(0));
        let triggered = || Extras {
            triggers: vec!["fill".to_owned()],
            ..none()
        };
        assert_eq!(with(column("tenant", "text"), triggered(), Engine::Postgres), Ok(0));
        assert!(with(column("tenant", "text"), triggered(), Engine::Sqlite).is_err());
        assert_eq!(with(column("version", "timestamp"), none(), Engine::SqlServer), Ok(0));
        assert_eq!(with(column("kind", "enum('a')"), none(), Engine::MySql), Ok(0));
        assert!(with(column("at", "timestamp"), none(), Engine::MySql).is_err());
    }

    #[test]
    fn every_difference_is_told_with_what_can_be_done() {
        let further = || vec![column("ID", "bigint"), column("tenant", "text")];
        let told = fitted(further(), Extras::default(), Contract::Freeze, Engine::Postgres).unwrap_err();
        for words in [
            "no column `id`",
            "`ID`",
            "`tenant`",
            "give the types",
            "`contract: evolve`",
            "a default",
        ] {
            assert!(told.contains(words), "`{words}` in {told}");
        }
        assert_eq!(
            fitted(vec![], Extras::default(), Contract::Evolve, Engine::Postgres),
            Ok(1)
        );
        let told = fitted(
            vec![column("id", "text")],
            Extras::default(),
            Contract::Evolve,
            Engine::Sqlite,
        )
        .unwrap_err();
        assert!(
            told.ends_with("use `mode: replace`, or give the types in `types`"),
            "{told}"
        );
    }
}
