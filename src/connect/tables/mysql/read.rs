use std::cell::RefCell;

use futures::TryStreamExt;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row, Value as Field};
use tokio::sync::mpsc;

use super::Lease;
use super::decode::{append, text};
use super::error::failure;
use crate::connect::tables::batch::BatchBuilder;
use crate::connect::tables::select::{from_clause, literal, where_clause};
use crate::connect::tables::streamed::{BATCHES_AHEAD, Batch, streamed};
use crate::connect::tables::{BatchStream, ReadRequest, RowsFrom, parameters};
use crate::model::{ColumnMapping, Engine, Failure, RowRange, TableName, Value};

/// A query with its parameters as `?`, and the values in the order in which they stand there, a repeated one repeated.
///
/// # Errors
/// `query.parameter_missing`, `query.parameter_unused`.
pub(super) fn positional(text: &str, given: &[(String, Value)]) -> Result<(String, Params), Failure> {
    let places = RefCell::new(Vec::new());
    let (text, names) = parameters::translate(Engine::MySql, text, |number| {
        places.borrow_mut().push(number - 1);
        "?".to_owned()
    })?;
    let values = parameters::values(&names, given)?;
    let bound: Vec<Field> = places.take().into_iter().map(|place| bound(&values[place])).collect();
    let is_empty = bound.is_empty();
    Ok((
        text,
        if is_empty {
            Params::Empty
        } else {
            Params::Positional(bound)
        },
    ))
}

fn bound(value: &Value) -> Field {
    match value {
        Value::Null => Field::NULL,
        Value::Boolean(value) => Field::Int((*value).into()),
        Value::Integer(value) => Field::Int(*value),
        Value::Number(value) => Field::Double(*value),
        Value::Text(text) => Field::Bytes(text.clone().into_bytes()),
    }
}

fn text_and_values(from: &RowsFrom) -> Result<(RowsFrom, Params), Failure> {
    match from {
        RowsFrom::Table(_) => Ok((from.clone(), Params::Empty)),
        RowsFrom::Query { text, parameters } => {
            let (text, values) = positional(text, parameters)?;
            let parameters = Vec::new();
            Ok((RowsFrom::Query { text, parameters }, values))
        }
    }
}

pub(super) async fn count(connection: &mut Conn, from: &RowsFrom, range: &RowRange) -> Result<u64, Failure> {
    let (from, values) = text_and_values(from)?;
    let text = format!(
        "select count(*) from {}{}",
        from_clause(Engine::MySql, &from),
        where_clause(Engine::MySql, range)
    );
    let counted: Option<u64> = connection
        .exec_first(text, values)
        .await
        .map_err(|error| failure(&error))?;
    Ok(counted.unwrap_or_default())
}

/// The first key of every chunk but the first. Equal keys stay together, so that a range may hold more rows than asked for.
pub(super) async fn key_bounds(
    connection: &mut Conn,
    from: &RowsFrom,
    column: &str,
    rows: u64,
) -> Result<Vec<Value>, Failure> {
    if let RowsFrom::Table(table) = from
        && leads_an_index(connection, table, column).await?
    {
        return walked_bounds(connection, from, column, rows).await;
    }
    let (from, values) = text_and_values(from)?;
    let (source, key) = (from_clause(Engine::MySql, &from), Engine::MySql.quote(column));
    let text = format!(
        "select distinct bound from (select {key} as bound, row_number() over (order by {key}) as place from {source} \
         where {key} is not null) as numbered where place > 1 and (place - 1) % {rows} = 0 order by bound"
    );
    let found: Vec<Row> = connection.exec(text, values).await.map_err(|error| failure(&error))?;
    found.iter().map(|row| bound_of(row, column)).collect()
}

/// Whether keys can be read in their order without being sorted.
async fn leads_an_index(connection: &mut Conn, table: &TableName, column: &str) -> Result<bool, Failure> {
    const INDEXES: &str = "select 1 from information_schema.statistics where table_schema = ? and table_name = ? and column_name = ? \
                           and seq_in_index = 1 and sub_part is null and index_type = 'BTREE' limit 1";
    let names = (&table.schema, &table.name, column);
    let found: Option<u64> = connection
        .exec_first(INDEXES, names)
        .await
        .map_err(|error| failure(&error))?;
    Ok(found.is_some())
}

/// The bounds along an index, one chunk at a step: a window would gather all keys in a table of the server's own first.
async fn walked_bounds(connection: &mut Conn, from: &RowsFrom, column: &str, rows: u64) -> Result<Vec<Value>, Failure> {
    let (source, key) = (from_clause(Engine::MySql, from), Engine::MySql.quote(column));
    let mut bounds: Vec<Value> = Vec::new();
    let mut next =
        format!("select {key}, 1 from {source} where {key} is not null order by {key} limit 1 offset {rows}");
    loop {
        let row: Option<Row> = connection.exec_first(next, ()).await.map_err(|error| failure(&error))?;
        let Some(row) = row else { return Ok(bounds) };
        // More rows than a chunk has may be of one key, by the server's understanding of equal.
        let is_further = row.get::<u64, _>(1) == Some(1);
        if is_further {
            bounds.push(bound_of(&row, column)?);
        }
        let Some(last) = bounds.last() else { return Ok(bounds) };
        let last = literal(Engine::MySql, last);
        next = match is_further {
            true => format!(
                "select {key}, {key} > {last} from {source} where {key} >= {last} order by {key} limit 1 offset {rows}"
            ),
            false => format!("select {key}, 1 from {source} where {key} > {last} order by {key} limit 1"),
        };
    }
}

fn bound_of(row: &Row, column: &str) -> Result<Value, Failure> {
    let native = row.columns_ref().first().map(|column| column.column_type());
    let bound = row.as_ref(0).and_then(|field| bound_value(field, native));
    bound.ok_or_else(|| {
        Failure::data(
            "database.key_type",
            format!("the key `{column}` holds bytes, which chunks cannot be cut by; name another in `chunks`"),
        )
    })
}

fn bound_value(field: &Field, kind: Option<mysql_async::consts::ColumnType>) -> Option<Value> {
    let native = match kind {
        Some(mysql_async::consts::ColumnType::MYSQL_TYPE_DATE) => "date",
        _ => "",
    };
    Some(match field {
        Field::Int(value) => Value::Integer(*value),
        Field::UInt(value) => i64::try_from(*value).map_or_else(|_| Value::Text(value.to_string()), Value::Integer),
        Field::Float(value) => Value::Number((*value).into()),
        Field::Double(value) => Value::Number(*value),
        field => Value::Text(text(field, native)?),
    })
}

/// Streams rows. Its connection is closed when the stream is dropped before its end.
pub(super) async fn read(lease: Lease, request: ReadRequest) -> Result<BatchStream, Failure> {
    let (from, values) = text_and_values(&request.from)?;
    let names = Engine::MySql.quote_all(request.columns.iter().map(|column| &column.source));
    let text = match (from, &request.range) {
        // Within another query it would lose its order.
        (RowsFrom::Query { text, .. }, RowRange::Whole) => text,
        (from, range) => format!(
            "select {names} from {}{}",
            from_clause(Engine::MySql, &from),
            where_clause(Engine::MySql, range)
        ),
    };
    Ok(streamed(BATCHES_AHEAD, |sender| async move {
        stream(lease, text, values, &request, &sender).await
    }))
}

async fn stream(
    mut lease: Lease,
    text: String,
    values: Params,
    request: &ReadRequest,
    sender: &mpsc::Sender<Batch>,
) -> Result<(), Failure> {
    let mut builder = BatchBuilder::new(&request.columns, request.unread.clone());
    // What somebody wrote may be any statement, and a source is only read.
    let is_query = matches!(request.from, RowsFrom::Query { .. });
    if is_query {
        lease.run("start transaction read only").await?;
    }
    let connection = lease.connection()?;
    let mut rows = connection
        .exec_stream::<Row, _, _>(text, values)
        .await
        .map_err(|error| failure(&error))?;
    let places = places(rows.columns_ref(), &request.columns)?;
    while let Some(row) = rows.try_next().await.map_err(|error| failure(&error))? {
        let mut bytes = 0;
        for (place, (answered, column)) in places.iter().zip(&request.columns).enumerate() {
            let field = row.as_ref(*answered).unwrap_or(&Field::NULL);
            bytes += append(&mut builder, place, column, field)?;
        }
        if builder.end_row(bytes) && sender.send(builder.finish()).await.is_err() {
            return Ok(());
        }
    }
    drop(rows);
    if is_query {
        lease.run("commit").await?;
    }
    lease.give_back();
    if !builder.is_empty() {
        let _ = sender.send(builder.finish()).await;
    }
    Ok(())
}

/// Where in the answer each column stands.
fn places(answer: &[mysql_async::Column], columns: &[ColumnMapping]) -> Result<Vec<usize>, Failure> {
    columns
        .iter()
        .map(|column| {
            let place = answer.iter().position(|given| given.name_str() == column.source);
            place.ok_or_else(|| {
                Failure::permanent(
                    "query.column_missing",
                    format!("the query gives no column `{}`", column.source),
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_bound_at_each_of_its_places() {
        let given = [("a".to_owned(), Value::Integer(1)), ("b".to_owned(), Value::from("x"))];
        let (text, values) = positional("select :b where c = :a or d = :b", &given).unwrap();
        assert_eq!(text, "select ? where c = ? or d = ?");
        let x = Field::Bytes(b"x".to_vec());
        assert_eq!(values, Params::Positional(vec![x.clone(), Field::Int(1), x]));
        assert_eq!(positional("select ':a'", &[]).unwrap().1, Params::Empty);
    }
}
