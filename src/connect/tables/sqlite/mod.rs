//! SQLite files as databases of tables.
//!
//! SQLite works on threads that may wait. Any number of readers share a file with one writer: the file is put into WAL mode when it is
//! first written to, and writers take turns under a lock of their own rather than by SQLite's busy waiting.

mod catalogue;
mod error;
mod read;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Mutex;

use super::ddl::Ddl;
use super::{BatchStream, KeyAround, ReadRequest, RowsFrom, RowsRequest, Snapshot, TableStore, TableWriter};
use crate::connect::RowStream;
use crate::connect::csv_sqlite::query;
use crate::model::{Column, Engine, Failure, FailureClass, RowRange, Table, TableName, Value};

use error::failure;

pub struct SqliteDatabase {
    path: PathBuf,
    timeout: Duration,
    /// Held by whoever writes.
    writing: Arc<Mutex<()>>,
}

impl SqliteDatabase {
    /// Opens a file; where there is none, the script makes it, under another name until it is whole.
    ///
    /// # Errors
    /// `database.script`: the script cannot be read or run.
    pub async fn open(path: PathBuf, script: Option<PathBuf>, timeout: Duration) -> Result<Self, Failure> {
        if let Some(script) = script
            && !path.exists()
        {
            let path = path.clone();
            blocking(move || make(&path, &script)).await?;
        }
        Ok(Self {
            path,
            timeout,
            writing: Arc::default(),
        })
    }

    /// Runs `work` with a connection that only reads.
    async fn reading<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (path, timeout) = (self.path.clone(), self.timeout);
        blocking(move || work(&open_for_reading(&path, timeout)?)).await
    }
}

fn make(path: &Path, script: &Path) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        let script = script.display();
        Failure::permanent(
            "database.script",
            format!("`{script}` cannot make the database: {error}"),
        )
    };
    let text = std::fs::read_to_string(script).map_err(|error| broken(&error))?;
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    let made =
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| match std::fs::remove_file(&partial) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            });
    made.map_err(|error| broken(&error))?;
    let connection = Connection::open(&partial).map_err(|error| failure(&error))?;
    let run = connection.execute_batch(&text);
    run.map_err(|error| broken(&failure(&error).message))?;
    drop(connection);
    std::fs::rename(&partial, path).map_err(|error| broken(&error))
}

fn open_for_reading(path: &Path, timeout: Duration) -> Result<Connection, Failure> {
    if !path.exists() {
        return Err(Failure::new(
            FailureClass::NotFound,
            "database.not_found",
            format!("there is no database file `{}`; correct `path`", path.display()),
        ));
    }
    // A database in WAL mode cannot be read without its side files, which a read-only connection may not make.
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
        .map_err(|error| failure(&error))?;
    connection.busy_timeout(timeout).map_err(|error| failure(&error))?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| failure(&error))?;
    Ok(connection)
}

fn open_for_writing(path: &Path, timeout: Duration) -> Result<Connection, Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let message = format!("the folder of `{}` cannot be made: {error}", path.display());
            Failure::new(FailureClass::Denied, "database.cannot_open", message)
        })?;
    }
    let opened = Connection::open(path).map_err(|error| failure(&error))?;
    opened.busy_timeout(timeout).map_err(|error| failure(&error))?;
    // A table that is given another name must not be looked for in views, which name the one whose place it takes.
    let settings = [
        ("journal_mode", "wal"),
        ("synchronous", "full"),
        ("foreign_keys", "off"),
        ("legacy_alter_table", "on"),
    ];
    for (name, value) in settings {
        opened
            .pragma_update_and_check(None, name, value, |_| Ok(()))
            .or_else(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                error => Err(failure(&error)),
            })?;
    }
    Ok(opened)
}

/// Runs SQLite on a thread that may wait.
async fn blocking<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Failure::permanent(
            "database.interrupted",
            "a call to SQLite did not run to its end",
        ))
    })
}

impl TableStore for SqliteDatabase {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn default_schema(&self) -> &str {
        ""
    }

    fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>> {
        // A sink that is not there yet has no tables.
        if !self.path.exists() {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        Box::pin(self.reading(catalogue::tables))
    }

    fn count<'a>(&'a self, from: &'a RowsFrom, range: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>> {
        let (from, range) = (from.clone(), range.clone());
        Box::pin(self.reading(move |connection| read::count(connection, &from, &range)))
    }

    fn key_bounds<'a>(
        &'a self,
        from: &'a RowsFrom,
        column: &'a str,
        rows: u64,
    ) -> BoxFuture<'a, Result<Vec<Value>, Failure>> {
        let (from, column) = (from.clone(), column.to_owned());
        Box::pin(self.reading(move |connection| read::key_bounds(connection, &from, &column, rows)))
    }

    fn blocks<'a>(&'a self, _: &'a TableName) -> BoxFuture<'a, Result<Option<u64>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn describe<'a>(&'a self, text: &'a str, _: &'a [(String, Value)]) -> BoxFuture<'a, Result<Vec<Column>, Failure>> {
        let text = text.to_owned();
        Box::pin(self.reading(move |connection| catalogue::describe(connection, &text)))
    }

    /// Every value keeps the kind that SQLite itself gives it, whatever its column is declared as.
    fn rows<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<RowStream, Failure>> {
        let (path, timeout) = (self.path.clone(), self.timeout);
        let open = move || open_for_reading(&path, timeout);
        Box::pin(query::run(open, drop, text.to_owned(), parameters.to_vec()))
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Option<Snapshot>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>> {
        let (path, timeout) = (self.path.clone(), self.timeout);
        Box::pin(read::read(move || open_for_reading(&path, timeout), request))
    }

    fn execute<'a>(&'a self, statements: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        let statements = statements.to_vec();
        let (path, timeout, writing) = (self.path.clone(), self.timeout, Arc::clone(&self.writing));
        Box::pin(async move {
            let _turn = writing.lock().await;
            blocking(move || {
                let mut connection = open_for_writing(&path, timeout)?;
                let transaction = connection.transaction().map_err(|error| failure(&error))?;
                for statement in statements {
                    transaction
                        .execute_batch(&statement)
                        .map_err(|error| failure(&error).context(format_args!("`{statement}`")))?;
                }
                transaction.commit().map_err(|error| failure(&error))
            })
            .await
        })
    }

    /// SQLite keeps foreign keys with the table that has them, and those name tables by their names alone.
    fn keys_around<'a>(&'a self, _: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn swap<'a>(&'a self, staging: &'a TableName, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let ddl = Ddl::new(Engine::Sqlite);
            self.execute(&[ddl.drop_table(target), ddl.rename(staging, target)])
                .await
        })
    }

    fn write(&self, request: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>> {
        let (path, timeout, writing) = (self.path.clone(), self.timeout, Arc::clone(&self.writing));
        Box::pin(async move {
            let turn = writing.lock_owned().await;
            let writer = write::SqliteWriter::begin(move || open_for_writing(&path, timeout), turn, request).await?;
            Ok(Box::new(writer) as Box<dyn TableWriter>)
        })
    }

    fn identity(&self) -> BoxFuture<'_, Result<Option<String>, Failure>> {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        // One that is not there yet is no other's.
        let identity = path.canonicalize().ok();
        Box::pin(std::future::ready(Ok(identity.map(|path| path.display().to_string()))))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.reading(|connection| {
            connection
                .query_row("select count(*) from sqlite_schema", [], |_| Ok(()))
                .map_err(|error| failure(&error))
        }))
    }
}
