//! What a column of one engine becomes in another: a table of rules for each pair, one file each.
//!
//! A rule names a source type as its catalogue writes it, how its values travel, the type at the sink, and what they may lose. The first
//! rule that fits is taken. A type without a rule is a problem that the plan shows; `types` in the spec gives it one, under any of its
//! engine's names for it (`aliases`); what follows from it stands in `given`.

mod aliases;
mod files_files;
mod files_mssql;
mod files_mysql;
mod files_postgres;
mod files_sqlite;
mod given;
mod mssql_files;
mod mssql_mssql;
mod mssql_mysql;
mod mssql_postgres;
mod mssql_sqlite;
mod mysql_files;
mod mysql_mssql;
mod mysql_mysql;
mod mysql_postgres;
mod mysql_sqlite;
mod postgres_files;
mod postgres_mssql;
mod postgres_mysql;
mod postgres_postgres;
mod postgres_sqlite;
mod rule;
mod sqlite_files;
mod sqlite_mssql;
mod sqlite_mysql;
mod sqlite_postgres;
mod sqlite_sqlite;

use crate::model::Engine;

pub use aliases::canonical;
pub use given::{can_number, carry_to, has_type};
pub use rule::{TypeTable, captures, filled};

/// The type table of a pair; `None` where there is none.
pub fn type_table(source: Engine, sink: Engine) -> TypeTable {
    let rules = match (source, sink) {
        (Engine::Sqlite, Engine::Sqlite) => sqlite_sqlite::RULES,
        (Engine::Sqlite, Engine::Postgres) => sqlite_postgres::RULES,
        (Engine::Sqlite, Engine::MySql) => sqlite_mysql::RULES,
        (Engine::Sqlite, Engine::SqlServer) => sqlite_mssql::RULES,
        (Engine::Postgres, Engine::Sqlite) => postgres_sqlite::RULES,
        (Engine::Postgres, Engine::Postgres) => postgres_postgres::RULES,
        (Engine::Postgres, Engine::MySql) => postgres_mysql::RULES,
        (Engine::Postgres, Engine::SqlServer) => postgres_mssql::RULES,
        (Engine::MySql, Engine::Sqlite) => mysql_sqlite::RULES,
        (Engine::MySql, Engine::Postgres) => mysql_postgres::RULES,
        (Engine::MySql, Engine::MySql) => mysql_mysql::RULES,
        (Engine::MySql, Engine::SqlServer) => mysql_mssql::RULES,
        (Engine::SqlServer, Engine::Sqlite) => mssql_sqlite::RULES,
        (Engine::SqlServer, Engine::Postgres) => mssql_postgres::RULES,
        (Engine::SqlServer, Engine::MySql) => mssql_mysql::RULES,
        (Engine::SqlServer, Engine::SqlServer) => mssql_mssql::RULES,
        (Engine::Sqlite, Engine::Files) => sqlite_files::RULES,
        (Engine::Postgres, Engine::Files) => postgres_files::RULES,
        (Engine::MySql, Engine::Files) => mysql_files::RULES,
        (Engine::Files, Engine::Sqlite) => files_sqlite::RULES,
        (Engine::Files, Engine::Postgres) => files_postgres::RULES,
        (Engine::Files, Engine::MySql) => files_mysql::RULES,
        (Engine::Files, Engine::Files) => files_files::RULES,
        (Engine::SqlServer, Engine::Files) => mssql_files::RULES,
        (Engine::Files, Engine::SqlServer) => files_mssql::RULES,
    };
    TypeTable::new(rules)
}
