use std::fmt;

/// What holds tables: a kind of database, or the files of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    SqlServer,
    /// Parquet, CSV and JSON lines in a store.
    Files,
}

impl Engine {
    /// The kind's name in `connections.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::SqlServer => "mssql",
            Self::Files => "files",
        }
    }

    /// Whether tables are made by statements, and can have keys and indexes.
    pub fn has_statements(self) -> bool {
        self != Self::Files
    }

    /// Whether tables stand in schemas; those of files are folders.
    pub fn has_schemas(self) -> bool {
        self != Self::Sqlite
    }

    /// An identifier as it stands in a statement: always quoted, so that no name is ever taken for a word of the language.
    pub fn quote(self, identifier: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres | Self::Files => format!("\"{}\"", identifier.replace('"', "\"\"")),
            Self::MySql => format!("`{}`", identifier.replace('`', "``")),
            Self::SqlServer => format!("[{}]", identifier.replace(']', "]]")),
        }
    }

    /// Several identifiers, with commas between them.
    pub fn quote_all<'a>(self, identifiers: impl IntoIterator<Item = &'a String>) -> String {
        let quoted: Vec<String> = identifiers.into_iter().map(|name| self.quote(name)).collect();
        quoted.join(", ")
    }

    /// The longest identifier it keeps whole, and what that length counts.
    pub fn identifier_max(self) -> IdentifierMax {
        match self {
            Self::Sqlite | Self::Files => IdentifierMax::None,
            // NAMEDATALEN - 1; a longer name is cut without an error.
            Self::Postgres => IdentifierMax::Bytes(63),
            Self::MySql => IdentifierMax::Characters(64),
            Self::SqlServer => IdentifierMax::Characters(128),
        }
    }

    /// The identifier as the database will keep it.
    pub fn cut(self, identifier: &str) -> &str {
        let end = match self.identifier_max() {
            IdentifierMax::None => identifier.len(),
            IdentifierMax::Bytes(bytes) => identifier.floor_char_boundary(bytes),
            IdentifierMax::Characters(characters) => identifier
                .char_indices()
                .nth(characters)
                .map_or(identifier.len(), |(end, _)| end),
        };
        &identifier[..end]
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How long an identifier may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierMax {
    None,
    Bytes(usize),
    Characters(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_so_that_none_ends_early() {
        assert_eq!(Engine::Postgres.quote(r#"a"b"#), r#""a""b""#);
        assert_eq!(Engine::Sqlite.quote("select"), r#""select""#);
        assert_eq!(Engine::MySql.quote("a`b"), "`a``b`");
        assert_eq!(Engine::SqlServer.quote("a]b"), "[a]]b]");
    }

    #[test]
    fn a_long_identifier_is_cut_where_the_database_cuts_it() {
        let long = "ä".repeat(40);
        assert_eq!(Engine::Postgres.cut(&long), "ä".repeat(31));
        assert_eq!(Engine::MySql.cut(&"x".repeat(70)).len(), 64);
        assert_eq!(Engine::Sqlite.cut(&long), long);
    }
}
