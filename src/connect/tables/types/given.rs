//! What follows from the type that a column gets at the sink: how its values travel there, and whether it can be numbered and held at all.

use crate::model::{Carry, Engine};

use super::rule::captures;

/// The form in which values travel to a type that the spec gives in place of a rule's.
///
/// | the rule's form | type that is given | form |
/// |---|---|---|
/// | truth value | one of truth values | truth value |
/// | truth value of PostgreSQL or of files | text | text: `true`, `false` |
/// | truth value, whole number | any other | whole number of 64 bits: any width is read as one |
/// | any other | any | the rule's |
pub fn carry_to(rule: Carry, source: Engine, sink: Engine, given: &str) -> Carry {
    match rule {
        Carry::Boolean if is_truth(sink, given) => Carry::Boolean,
        // Elsewhere a truth value is a number, which need be neither 0 nor 1.
        Carry::Boolean if matches!(source, Engine::Postgres | Engine::Files) && is_text(given) => Carry::Text,
        Carry::Boolean | Carry::Int16 | Carry::Int32 | Carry::Int64 => Carry::Int64,
        other => other,
    }
}

fn is_truth(engine: Engine, native: &str) -> bool {
    match engine {
        Engine::Postgres | Engine::Sqlite | Engine::Files => native == "boolean",
        Engine::MySql => native == "tinyint(1)",
        Engine::SqlServer => native == "bit",
    }
}

fn is_text(native: &str) -> bool {
    native.contains("char") || native.contains("text")
}

/// Whether the engine numbers columns of a type. SQLite and files have no numbering that a type could stand in the way of.
pub fn can_number(engine: Engine, native: &str) -> bool {
    let is_whole = |names: &[&str]| names.contains(&native);
    match engine {
        Engine::Postgres => is_whole(&["smallint", "integer", "bigint"]),
        Engine::MySql => {
            let name = native.strip_suffix(" unsigned").unwrap_or(native);
            ["tinyint", "tinyint(1)", "smallint", "mediumint", "int", "bigint"].contains(&name)
        }
        Engine::SqlServer => is_whole(&["tinyint", "smallint", "int", "bigint"]) || native.ends_with(",0)"),
        Engine::Sqlite | Engine::Files => true,
    }
}

/// Whether the engine has a type at all: a rule passes arguments on that may be beyond what the sink takes.
pub fn has_type(engine: Engine, native: &str) -> bool {
    // Digits, and digits behind the point.
    let (digits_max, scale_max) = match engine {
        Engine::MySql => (65, 30),
        Engine::SqlServer => (38, 38),
        Engine::Postgres | Engine::Sqlite | Engine::Files => return true,
    };
    let Some(found) = captures("decimal({p},{s})", native) else {
        return true;
    };
    let arguments: Vec<u32> = found.iter().filter_map(|(_, number)| number.parse().ok()).collect();
    matches!(arguments[..], [digits, scale] if digits <= digits_max && scale <= scale_max && scale <= digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_given_type_says_how_values_travel() {
        let to_postgres = |rule, given| carry_to(rule, Engine::MySql, Engine::Postgres, given);
        assert_eq!(to_postgres(Carry::Boolean, "boolean"), Carry::Boolean);
        for given in ["smallint", "bigint", "text", "numeric(3,0)"] {
            assert_eq!(to_postgres(Carry::Boolean, given), Carry::Int64, "{given}");
            assert_eq!(to_postgres(Carry::Int32, given), Carry::Int64, "{given}");
            assert_eq!(to_postgres(Carry::Decimal, given), Carry::Decimal, "{given}");
        }
        let told = |given| carry_to(Carry::Boolean, Engine::Postgres, Engine::MySql, given);
        assert_eq!(told("tinyint(1)"), Carry::Boolean);
        assert_eq!(told("longtext"), Carry::Text);
        assert_eq!(told("int"), Carry::Int64);
    }

    #[test]
    fn only_whole_numbers_are_numbered() {
        for (engine, can, cannot) in [
            (Engine::Postgres, "bigint", "numeric(20,0)"),
            (Engine::MySql, "bigint unsigned", "decimal(20,0)"),
            (Engine::SqlServer, "decimal(20,0)", "decimal(20,2)"),
        ] {
            assert!(can_number(engine, can), "{engine}");
            assert!(!can_number(engine, cannot), "{engine}");
        }
    }

    #[test]
    fn a_number_has_at_most_the_digits_of_its_engine() {
        for held in ["decimal(65,30)", "decimal(5,5)", "longtext"] {
            assert!(has_type(Engine::MySql, held), "{held}");
        }
        for beyond in ["decimal(66,2)", "decimal(40,31)", "decimal(3,5)", "decimal(5,-2)"] {
            assert!(!has_type(Engine::MySql, beyond), "{beyond}");
        }
        assert!(!has_type(Engine::SqlServer, "decimal(39,0)"));
    }
}
