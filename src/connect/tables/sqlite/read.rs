use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};
use tokio::sync::mpsc;

use super::blocking;
use super::error::failure;
use crate::connect::csv_sqlite::query;
use crate::connect::tables::batch::{BatchBuilder, ColumnBuilder};
use crate::connect::tables::cell::append_kept;
use crate::connect::tables::select::{from_clause, where_clause};
use crate::connect::tables::streamed::{BATCHES_AHEAD, Batch, streamed};
use crate::connect::tables::{BatchStream, ReadRequest, RowsFrom, civil};
use crate::model::{Carry, ColumnMapping, Engine, Failure, RowRange, Value};

pub(super) fn count(connection: &Connection, from: &RowsFrom, range: &RowRange) -> Result<u64, Failure> {
    let (rows, condition) = (from_clause(Engine::Sqlite, from), where_clause(Engine::Sqlite, range));
    let text = format!("select count(*) from {rows}{condition}");
    let mut statement = connection.prepare(&text).map_err(|error| failure(&error))?;
    bind(&mut statement, from)?;
    let mut rows = statement.raw_query();
    let row = rows.next().map_err(|error| failure(&error))?;
    let counted = row.map(|row| row.get(0)).transpose().map_err(|error| failure(&error))?;
    Ok(counted.unwrap_or_default())
}

/// The first key of every chunk but the first. Equal keys stay together, so that a range may hold more rows than asked for.
pub(super) fn key_bounds(
    connection: &Connection,
    from: &RowsFrom,
    column: &str,
    rows: u64,
) -> Result<Vec<Value>, Failure> {
    let (source, key) = (from_clause(Engine::Sqlite, from), Engine::Sqlite.quote(column));
    let text = format!(
        "select distinct key from (select {key} as key, row_number() over (order by {key}) as place from {source} \
         where {key} is not null) where place > 1 and (place - 1) % {rows} = 0 order by key"
    );
    let mut statement = connection.prepare(&text).map_err(|error| failure(&error))?;
    bind(&mut statement, from)?;
    let mut found = statement.raw_query();
    let mut bounds = Vec::new();
    while let Some(row) = found.next().map_err(|error| failure(&error))? {
        bounds.push(match row.get_ref(0).map_err(|error| failure(&error))? {
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Real(value) => Value::Number(value),
            ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Null | ValueRef::Blob(_) => {
                return Err(Failure::data(
                    "database.key_type",
                    format!("the key `{column}` holds bytes, which chunks cannot be cut by; name another in `chunks`"),
                ));
            }
        });
    }
    Ok(bounds)
}

/// Binds the parameters of a query by their names.
fn bind(statement: &mut Statement<'_>, from: &RowsFrom) -> Result<(), Failure> {
    let RowsFrom::Query { parameters, .. } = from else {
        return Ok(());
    };
    query::bind(statement, parameters)
}

/// Streams rows from a thread of their own, which ends when the stream is dropped.
pub(super) async fn read(
    open: impl FnOnce() -> Result<Connection, Failure> + Send + 'static,
    request: ReadRequest,
) -> Result<BatchStream, Failure> {
    Ok(streamed(BATCHES_AHEAD, |sender| {
        blocking(move || stream(&open()?, &request, &sender))
    }))
}

fn stream(connection: &Connection, request: &ReadRequest, sender: &mpsc::Sender<Batch>) -> Result<(), Failure> {
    let names = Engine::Sqlite.quote_all(request.columns.iter().map(|column| &column.source));
    let (rows, condition) = (
        from_clause(Engine::Sqlite, &request.from),
        where_clause(Engine::Sqlite, &request.range),
    );
    let text = format!("select {names} from {rows}{condition}");
    let mut statement = connection.prepare(&text).map_err(|error| failure(&error))?;
    bind(&mut statement, &request.from)?;
    let mut builder = BatchBuilder::new(&request.columns, request.unread.clone());
    let mut found = statement.raw_query();
    while let Some(row) = found.next().map_err(|error| failure(&error))? {
        let bytes = append_row(&mut builder, &request.columns, row)?;
        if builder.end_row(bytes) && sender.blocking_send(builder.finish()).is_err() {
            return Ok(());
        }
    }
    if !builder.is_empty() {
        let _ = sender.blocking_send(builder.finish());
    }
    Ok(())
}

fn append_row(builder: &mut BatchBuilder, columns: &[ColumnMapping], row: &Row<'_>) -> Result<usize, Failure> {
    let mut bytes = 0;
    for (place, column) in columns.iter().enumerate() {
        let value = row.get_ref(place).map_err(|error| failure(&error))?;
        bytes += match value {
            ValueRef::Text(text) => text.len(),
            ValueRef::Blob(blob) => blob.len(),
            _ => size_of::<i64>(),
        };
        if append(&mut builder.columns[place], column, value).is_none() {
            builder.append_unread(place, bad_value(column, value))?;
        }
    }
    Ok(bytes)
}

/// Appends a value as its carry asks for it. `None` when it is not of that kind: SQLite holds no column to its type.
fn append(builder: &mut ColumnBuilder, column: &ColumnMapping, value: ValueRef<'_>) -> Option<()> {
    let carry = column.carry;
    let text = || value.as_str().ok();
    match (builder, value) {
        (builder, ValueRef::Null) => builder.append_null(),
        (ColumnBuilder::Boolean(builder), ValueRef::Integer(value @ (0 | 1))) => builder.append_value(value == 1),
        (ColumnBuilder::Int16(builder), ValueRef::Integer(value)) => builder.append_value(value.try_into().ok()?),
        (ColumnBuilder::Int32(builder), ValueRef::Integer(value)) => builder.append_value(value.try_into().ok()?),
        (ColumnBuilder::Int64(builder), ValueRef::Integer(value)) => builder.append_value(value),
        (ColumnBuilder::Float64(builder), ValueRef::Real(value)) => builder.append_value(value),
        (ColumnBuilder::Float32(builder), ValueRef::Real(value)) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a column that is carried so was written from numbers of that width"
            )]
            builder.append_value(value as f32);
        }
        (ColumnBuilder::Float64(builder), ValueRef::Integer(value)) => {
            #[expect(
                clippy::cast_precision_loss,
                reason = "SQLite keeps whole numbers of such columns as integers"
            )]
            builder.append_value(value as f64);
        }
        // A JSON document that is a number is kept as one.
        (ColumnBuilder::Text(builder), ValueRef::Integer(value)) => builder.append_value(value.to_string()),
        // As many digits as bring the same number back.
        (ColumnBuilder::Text(builder), ValueRef::Real(value)) if carry != Carry::Json || value.is_finite() => {
            builder.append_value(format!("{value:?}"));
        }
        (ColumnBuilder::Text(builder), ValueRef::Text(_)) => builder.append_value(text()?),
        (ColumnBuilder::Bytes(builder), ValueRef::Blob(bytes) | ValueRef::Text(bytes)) => builder.append_value(bytes),
        (ColumnBuilder::Date(builder), ValueRef::Text(_)) => {
            builder.append_value(match text()? {
                "infinity" => i32::MAX,
                "-infinity" => i32::MIN,
                date => civil::parse_date(date)?.try_into().ok()?,
            });
        }
        (ColumnBuilder::Time(builder), ValueRef::Text(_)) => builder.append_value(civil::parse_time(text()?)?),
        (ColumnBuilder::Timestamp(builder), ValueRef::Text(_)) => {
            builder.append_value(match text()? {
                "infinity" => i64::MAX,
                "-infinity" => i64::MIN,
                moment => civil::parse_timestamp(moment)?,
            });
        }
        (ColumnBuilder::Uuid(builder), ValueRef::Text(_)) => {
            builder
                .append_value(crate::connect::tables::uuid::parse(text()?)?)
                .ok()?;
        }
        (ColumnBuilder::Uuid(builder), ValueRef::Blob(bytes)) => builder.append_value(bytes).ok()?,
        // The spec has given the column a type in which SQLite keeps numbers in another form.
        (builder, ValueRef::Text(_)) if keeps(&column.source_native, &["char", "clob", "text"]) => {
            append_kept(builder, text()?)?;
        }
        (builder @ ColumnBuilder::Int64(_), ValueRef::Real(value))
            if keeps(&column.source_native, &["real", "floa", "doub"]) =>
        {
            append_kept(builder, &value.to_string())?;
        }
        _ => return None,
    }
    Some(())
}

/// Whether values of a declared type take the form that one of the words makes SQLite choose.
fn keeps(native: &str, words: &[&str]) -> bool {
    words.iter().any(|word| native.contains(word))
}

fn bad_value(column: &ColumnMapping, value: ValueRef<'_>) -> Failure {
    let kind = match value {
        ValueRef::Null => "NULL",
        ValueRef::Integer(_) => "an integer",
        ValueRef::Real(_) => "a number",
        ValueRef::Text(_) => "a text",
        ValueRef::Blob(_) => "bytes",
    };
    let ColumnMapping {
        source,
        source_native,
        target_native,
        ..
    } = column;
    Failure::data(
        "rows.value",
        format!("`{source}`, declared `{source_native}`, holds {kind} that is no {target_native}"),
    )
}
