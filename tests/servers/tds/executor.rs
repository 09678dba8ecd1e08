use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::catalogue;
use super::create::{ColumnDefinition, declared_type};
use super::error::SqlError;
use super::row::OutColumn;
use super::types::SqlType;
use super::words::{self, Word, quoted};

/// How long a session waits for the others that write: there is one writer at a time.
const WAIT: Duration = Duration::from_secs(60);

/// What ends a statement before its time.
pub enum Stop {
    Sql(SqlError),
    Io(std::io::Error),
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error.into())
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where the rows of a statement go.
pub trait Out {
    fn columns(&mut self, columns: &[OutColumn]) -> Result<(), Stop>;
    fn row(&mut self, columns: &[OutColumn], row: &rusqlite::Row<'_>) -> Result<(), Stop>;
}

/// What a statement did to the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    None,
    Begun,
    Committed,
    RolledBack,
}

/// How a statement ended.
pub struct Outcome {
    pub rows: Option<u64>,
    pub effect: Effect,
}

impl Outcome {
    pub fn quiet() -> Self {
        Self {
            rows: None,
            effect: Effect::None,
        }
    }
}

/// A bulk load that has been announced.
pub struct PendingBulk {
    pub table: (String, String),
    pub columns: Vec<String>,
}

/// One session's view of a database.
pub struct Executor {
    pub(super) connection: Connection,
    folder: PathBuf,
    pub(super) pending: Option<PendingBulk>,
    /// The columns of tables that live as long as the session.
    pub(super) temporary: HashMap<String, Vec<ColumnDefinition>>,
}

impl Executor {
    pub fn open(folder: &Path) -> Result<Self, SqlError> {
        let connection = Connection::open(folder.join("dbo.sqlite"))?;
        connection.busy_timeout(WAIT)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "off")?;
        connection.execute_batch("attach ':memory:' as sys")?;
        connection.execute_batch(catalogue::VIEWS)?;
        connection.execute_batch(catalogue::KEPT)?;
        let mut executor = Self {
            connection,
            folder: folder.to_owned(),
            pending: None,
            temporary: HashMap::new(),
        };
        executor.attach_schemas()?;
        Ok(executor)
    }

    pub fn is_in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Makes the schemas known that other sessions have made meanwhile.
    pub fn attach_schemas(&mut self) -> Result<(), SqlError> {
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            let is_database = path.extension().is_some_and(|extension| extension == "sqlite");
            if let Some(name) = name.filter(|name| is_database && name != "dbo") {
                self.attach(&name)?;
            }
        }
        Ok(())
    }

    pub(super) fn attach(&self, schema: &str) -> Result<(), SqlError> {
        let mut known = self
            .connection
            .prepare("select count(*) from pragma_database_list where name = ? collate nocase")?;
        if known.query_row([schema], |row| row.get::<_, i64>(0))? == 0 {
            let path = self.folder.join(format!("{schema}.sqlite"));
            let attach = format!("attach ? as {}", quoted(schema));
            self.connection.execute(&attach, [path.to_string_lossy()])?;
        }
        Ok(())
    }

    /// Runs one statement and gives the first value of its first row as text.
    pub fn first_text(&mut self, text: &str) -> Result<String, SqlError> {
        struct First(Option<String>);
        impl Out for First {
            fn columns(&mut self, _: &[OutColumn]) -> Result<(), Stop> {
                Ok(())
            }
            fn row(&mut self, _: &[OutColumn], row: &rusqlite::Row<'_>) -> Result<(), Stop> {
                let value: Value = row.get(0)?;
                self.0.get_or_insert_with(|| match value {
                    Value::Null => "NULL".to_owned(),
                    Value::Integer(value) => value.to_string(),
                    Value::Real(value) => value.to_string(),
                    Value::Text(text) => text,
                    Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
                });
                Ok(())
            }
        }
        let mut first = First(None);
        for words in words::statements(text) {
            match self.run(&words, &[], &mut first) {
                Err(Stop::Sql(error)) => return Err(error),
                Err(Stop::Io(error)) => panic!("nothing is sent here: {error}"),
                Ok(_) => {}
            }
        }
        Ok(first.0.unwrap_or_default())
    }

    /// A question, or a change of rows: what SQLite understands as well.
    pub(super) fn query(
        &mut self,
        words: &[Word],
        parameters: &[(String, Value)],
        out: &mut dyn Out,
    ) -> Result<Outcome, Stop> {
        if words.iter().any(|word| word.is("sys")) {
            catalogue::fill(&self.connection)?;
        }
        let text = words::sqlite(words);
        let mut statement = self.connection.prepare(&text)?;
        for (name, value) in parameters {
            if let Some(place) = statement.parameter_index(name)? {
                statement.raw_bind_parameter(place, value)?;
            }
        }
        if statement.column_count() == 0 {
            let changed = statement.raw_execute()?;
            return Ok(Outcome {
                rows: u64::try_from(changed).ok(),
                effect: Effect::None,
            });
        }
        let declared: Vec<(String, Option<String>)> = statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), column.decl_type().map(str::to_owned)))
            .collect();
        let mut rows = statement.raw_query();
        let mut row = rows.next()?;
        let columns = out_columns(&declared, row);
        out.columns(&columns)?;
        let mut count = 0;
        while let Some(found) = row {
            out.row(&columns, found)?;
            count += 1;
            row = rows.next()?;
        }
        Ok(Outcome {
            rows: Some(count),
            effect: Effect::None,
        })
    }

    /// The columns of a question that is not asked.
    pub(super) fn describe(&self, words: &[Word]) -> Result<Vec<OutColumn>, SqlError> {
        let text = words::sqlite(words);
        let mut statement = self.connection.prepare(&text)?;
        let declared: Vec<(String, Option<String>)> = statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), column.decl_type().map(str::to_owned)))
            .collect();
        let mut rows = statement.raw_query();
        Ok(out_columns(&declared, rows.next()?))
    }
}

/// A column is of its declared type; an expression of that which its first value has.
fn out_columns(declared: &[(String, Option<String>)], first: Option<&rusqlite::Row<'_>>) -> Vec<OutColumn> {
    use rusqlite::types::Type;
    let columns = declared.iter().enumerate().map(|(place, (name, written))| {
        let guessed = || {
            let value = first.and_then(|row| row.get_ref(place).ok());
            match value.map(|value| value.data_type()) {
                Some(Type::Integer) => SqlType::Int(8),
                Some(Type::Real) => SqlType::Float,
                Some(Type::Blob) => SqlType::VarBinary(None),
                Some(Type::Text) => SqlType::NVarChar(None),
                Some(Type::Null) | None => SqlType::NVarChar(Some(4_000)),
            }
        };
        OutColumn::plain(name, written.as_deref().map_or_else(guessed, declared_type))
    });
    columns.collect()
}

/// A schema's name as the catalogue shows it.
pub fn catalogue_schema(schema: &str) -> String {
    if schema == "main" {
        "dbo".to_owned()
    } else {
        schema.to_owned()
    }
}
