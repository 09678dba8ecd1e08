use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use futures::future::BoxFuture;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use tokio::sync::OwnedMutexGuard;

use super::blocking;
use super::error::failure;
use crate::connect::tables::ddl::Ddl;
use crate::connect::tables::{RowsRequest, TableWriter, cell_text};
use crate::model::{Carry, ColumnMapping, Engine, Failure};

/// Rows on their way into one table. The connection travels between this and the thread that works with it.
pub(super) struct SqliteWriter {
    connection: Option<Connection>,
    insert: String,
    columns: Vec<ColumnMapping>,
    rows: u64,
    /// Other writers wait for it.
    _turn: OwnedMutexGuard<()>,
}

impl SqliteWriter {
    pub(super) async fn begin(
        open: impl FnOnce() -> Result<Connection, Failure> + Send + 'static,
        turn: OwnedMutexGuard<()>,
        request: RowsRequest,
    ) -> Result<Self, Failure> {
        let connection = blocking(move || {
            let connection = open()?;
            run(&connection, "begin immediate")?;
            Ok(connection)
        })
        .await?;
        Ok(Self {
            connection: Some(connection),
            insert: insert_text(&request),
            columns: request.columns,
            rows: 0,
            _turn: turn,
        })
    }

    /// Lends the connection to a thread that may wait.
    async fn with<T, F>(&mut self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let Some(connection) = self.connection.take() else {
            return Err(Failure::permanent(
                "database.interrupted",
                "an earlier call to SQLite did not end",
            ));
        };
        let (connection, worked) = blocking(move || {
            let worked = work(&connection);
            Ok((connection, worked))
        })
        .await?;
        self.connection = Some(connection);
        worked
    }

    async fn insert(&mut self, batch: RecordBatch, is_apart: bool) -> Result<(), Failure> {
        let rows = batch.num_rows() as u64;
        let (insert, columns) = (self.insert.clone(), self.columns.clone());
        self.with(move |connection| {
            if !is_apart {
                return insert_rows(connection, &insert, &columns, &batch);
            }
            run(connection, "savepoint pipeline")?;
            let inserted = insert_rows(connection, &insert, &columns, &batch);
            if inserted.is_err() {
                run(connection, "rollback to pipeline")?;
            }
            run(connection, "release pipeline")?;
            inserted
        })
        .await?;
        self.rows += rows;
        Ok(())
    }
}

impl TableWriter for SqliteWriter {
    fn write(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.insert(batch, false))
    }

    fn write_apart(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.insert(batch, true))
    }

    fn finish(mut self: Box<Self>, last: Option<String>) -> BoxFuture<'static, Result<u64, Failure>> {
        Box::pin(async move {
            self.with(move |connection| {
                if let Some(last) = last {
                    run(connection, &last)?;
                }
                run(connection, "commit")
            })
            .await?;
            Ok(self.rows)
        })
    }
}

fn run(connection: &Connection, text: &str) -> Result<(), Failure> {
    connection.execute_batch(text).map_err(|error| failure(&error))
}

fn insert_text(request: &RowsRequest) -> String {
    let quote = |name: &String| Engine::Sqlite.quote(name);
    let table = Ddl::new(Engine::Sqlite).table(&request.table);
    let names = Engine::Sqlite.quote_all(request.columns.iter().map(|column| &column.target));
    let places = vec!["?"; request.columns.len()].join(", ");
    let mut text = format!("insert into {table} ({names}) values ({places})");
    if !request.upsert_key.is_empty() {
        let key = Engine::Sqlite.quote_all(&request.upsert_key);
        let others: Vec<String> = request
            .columns
            .iter()
            .map(|column| &column.target)
            .filter(|name| !request.upsert_key.contains(name))
            .map(|name| format!("{0} = excluded.{0}", quote(name)))
            .collect();
        let action = if others.is_empty() {
            "nothing".to_owned()
        } else {
            format!("update set {}", others.join(", "))
        };
        text.push_str(&format!(" on conflict ({key}) do {action}"));
    }
    text
}

fn insert_rows(
    connection: &Connection,
    insert: &str,
    columns: &[ColumnMapping],
    batch: &RecordBatch,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(insert).map_err(|error| failure(&error))?;
    for row in 0..batch.num_rows() {
        for (index, (column, values)) in columns.iter().zip(batch.columns()).enumerate() {
            let value = value(column.carry, values, row);
            statement
                .raw_bind_parameter(index + 1, value)
                .map_err(|error| failure(&error))?;
        }
        statement.raw_execute().map_err(|error| failure(&error))?;
    }
    Ok(())
}

/// A value as SQLite keeps it: dates and times as text, booleans as numbers.
fn value(carry: Carry, values: &dyn Array, row: usize) -> ToSqlOutput<'_> {
    if values.is_null(row) {
        return ToSqlOutput::Owned(SqlValue::Null);
    }
    let text = |text: String| ToSqlOutput::Owned(SqlValue::Text(text));
    let integer = |value: i64| ToSqlOutput::Owned(SqlValue::Integer(value));
    let real = |value: f64| ToSqlOutput::Owned(SqlValue::Real(value));
    match carry {
        Carry::Boolean => integer(i64::from(values.as_boolean().value(row))),
        Carry::Int16 => integer(values.as_primitive::<Int16Type>().value(row).into()),
        Carry::Int32 => integer(values.as_primitive::<Int32Type>().value(row).into()),
        Carry::Int64 => integer(values.as_primitive::<Int64Type>().value(row)),
        Carry::Float32 => real(values.as_primitive::<Float32Type>().value(row).into()),
        Carry::Float64 => real(values.as_primitive::<Float64Type>().value(row)),
        Carry::Decimal | Carry::Text | Carry::Json => {
            ToSqlOutput::Borrowed(ValueRef::Text(values.as_string::<i32>().value(row).as_bytes()))
        }
        Carry::Bytes => ToSqlOutput::Borrowed(ValueRef::Blob(values.as_binary::<i32>().value(row))),
        Carry::Date | Carry::Time | Carry::Timestamp | Carry::Uuid => {
            text(cell_text(carry, values, row).unwrap_or_default())
        }
        Carry::Instant => {
            let moment = cell_text(carry, values, row).unwrap_or_default();
            text(
                moment
                    .strip_suffix("+00")
                    .map_or(moment.clone(), |moment| format!("{moment}Z")),
            )
        }
    }
}
