use crate::model::{Engine, RowRange, Value};

use super::RowsFrom;
use super::ddl::Ddl;

/// The source of rows as it stands behind `from`.
pub fn from_clause(engine: Engine, from: &RowsFrom) -> String {
    match from {
        RowsFrom::Table(name) => Ddl::new(engine).table(name),
        RowsFrom::Query { text, .. } => format!("(\n{}\n) as pipeline_query", text.trim().trim_end_matches(';')),
    }
}

/// The condition of a range, with ` where ` before it; empty when all rows are meant.
pub fn where_clause(engine: Engine, range: &RowRange) -> String {
    match range {
        RowRange::Whole => String::new(),
        RowRange::Key { column, from, below } => {
            let quoted = engine.quote(column);
            let from = from
                .as_ref()
                .map(|value| format!("{quoted} >= {}", literal(engine, value)));
            let below = below
                .as_ref()
                .map(|value| format!("{quoted} < {}", literal(engine, value)));
            match (from, below) {
                (None, None) => String::new(),
                (Some(from), None) => format!(" where {from}"),
                (Some(from), Some(below)) => format!(" where {from} and {below}"),
                // NULLs are in no range by themselves, and rows must not be lost.
                (None, Some(below)) => format!(" where ({below} or {quoted} is null)"),
            }
        }
        // A block number is a row's place in its file; only PostgreSQL has one.
        RowRange::Blocks { from, below: None } => format!(" where ctid >= '({from},0)'::tid"),
        RowRange::Blocks {
            from,
            below: Some(below),
        } => format!(" where ctid >= '({from},0)'::tid and ctid < '({below},0)'::tid"),
    }
}

/// A value as a literal. Values of keys are data: a text is written so that nothing in it can end the literal.
pub fn literal(engine: Engine, value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => i64::from(*value).to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Number(value) => format!("{value:?}"),
        Value::Text(text) => match engine {
            Engine::Sqlite | Engine::Postgres | Engine::Files => format!("'{}'", text.replace('\'', "''")),
            Engine::SqlServer => format!("N'{}'", text.replace('\'', "''")),
            // A backslash may or may not be an escape, as the session has it; hexadecimal digits are the same in both.
            Engine::MySql => {
                let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                format!("_utf8mb4 x'{digits}'")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_ends_its_literal() {
        let hostile = Value::from(r"a'; drop table x; --\");
        assert_eq!(literal(Engine::Postgres, &hostile), r"'a''; drop table x; --\'");
        assert!(literal(Engine::MySql, &hostile).starts_with("_utf8mb4 x'61273b"));
        assert_eq!(literal(Engine::SqlServer, &Value::from("a'b")), "N'a''b'");
    }

    #[test]
    fn nulls_are_in_the_first_range() {
        let ranges = RowRange::of_key("Id", vec![Value::Integer(5)]);
        assert_eq!(
            where_clause(Engine::Sqlite, &ranges[0]),
            r#" where ("Id" < 5 or "Id" is null)"#
        );
        assert_eq!(where_clause(Engine::Sqlite, &ranges[1]), r#" where "Id" >= 5"#);
    }
}
