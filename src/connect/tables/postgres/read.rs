use bytes::{Buf, Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt};
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, CopyOutStream, RowStream};

use super::Lease;
use super::decode::append;
use super::encode::base;
use super::error::{failure, snapshot_failure};
use crate::connect::tables::batch::BatchBuilder;
use crate::connect::tables::select::{from_clause, where_clause};
use crate::connect::tables::{BatchStream, ReadRequest, RowsFrom};
use crate::model::{Carry, ColumnMapping, Engine, Failure, RowRange, Value};

/// A query with its parameters as `$1, $2, …`, and the values in that order.
///
/// # Errors
/// `query.parameter_missing`, `query.parameter_unused`.
pub(super) fn numbered(text: &str, parameters: &[(String, Value)]) -> Result<(String, Vec<Value>), Failure> {
    let (text, names) =
        crate::connect::tables::parameters::translate(Engine::Postgres, text, |number| format!("${number}"))?;
    crate::connect::tables::parameters::values(&names, parameters).map(|values| (text, values))
}

pub(super) fn text_and_values(from: &RowsFrom) -> Result<(RowsFrom, Vec<Value>), Failure> {
    match from {
        RowsFrom::Table(_) => Ok((from.clone(), Vec::new())),
        RowsFrom::Query { text, parameters } => {
            let (text, values) = numbered(text, parameters)?;
            let parameters = Vec::new();
            Ok((RowsFrom::Query { text, parameters }, values))
        }
    }
}

pub(super) async fn count(client: &Client, from: &RowsFrom, range: &RowRange) -> Result<u64, Failure> {
    let (from, values) = text_and_values(from)?;
    let text = format!(
        "select count(*) from {}{}",
        from_clause(Engine::Postgres, &from),
        where_clause(Engine::Postgres, range)
    );
    let values = Bound::all(&values);
    let row = client
        .query_one(&text, &Bound::references(&values))
        .await
        .map_err(|error| failure(&error))?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
}

/// The first key of every chunk but the first. Equal keys stay together, so that a range may hold more rows than asked for.
pub(super) async fn key_bounds(
    client: &Client,
    from: &RowsFrom,
    column: &str,
    rows: u64,
) -> Result<Vec<Value>, Failure> {
    let (from, values) = text_and_values(from)?;
    let (source, key) = (from_clause(Engine::Postgres, &from), Engine::Postgres.quote(column));
    let text = format!(
        "select distinct key, pg_typeof(key) in ('smallint', 'integer', 'bigint'), key::text from \
         (select {key} as key, row_number() over (order by {key}) as place from {source} where {key} is not null) keys \
         where place > 1 and (place - 1) % {rows} = 0 order by 1"
    );
    let values = Bound::all(&values);
    let found = client
        .query(&text, &Bound::references(&values))
        .await
        .map_err(|error| failure(&error))?;
    let bounds = found.into_iter().map(|row| {
        let (is_integer, text): (bool, String) = (row.get(1), row.get(2));
        match text.parse() {
            Ok(number) if is_integer => Value::Integer(number),
            _ => Value::Text(text),
        }
    });
    Ok(bounds.collect())
}

/// What is selected of a column so that its binary form is the one that its carry asks for, whatever its type is: the spec may have given another.
fn expression(column: &ColumnMapping) -> String {
    const TEXTS: &[&str] = &["text", "json", "name", "xml"];
    let quoted = Engine::Postgres.quote(&column.source);
    let base = base(&column.source_native);
    let cast = match column.carry {
        Carry::Text | Carry::Json if !TEXTS.contains(&base) => "::text",
        // No other type becomes a truth value but by way of its text.
        Carry::Boolean if base != "boolean" => "::text::boolean",
        Carry::Int16 if base != "smallint" => "::smallint",
        Carry::Int32 if base != "integer" => "::integer",
        Carry::Int64 if base == "boolean" => "::integer",
        Carry::Int64 if !matches!(base, "smallint" | "integer" | "bigint") => "::bigint",
        Carry::Float32 if base != "real" => "::real",
        Carry::Float64 if base != "double precision" => "::double precision",
        Carry::Decimal if base == "money" => "::numeric",
        // The text of a floating number has as many digits as bring it back; as a number it would have 15.
        Carry::Decimal if base != "numeric" => "::text::numeric",
        Carry::Bytes if base != "bytea" => "::text::bytea",
        Carry::Date if base != "date" => "::date",
        Carry::Time if base != "time" => "::time without time zone",
        Carry::Timestamp if base != "timestamp" => "::timestamp without time zone",
        Carry::Instant if base != "timestamptz" => "::timestamp with time zone",
        Carry::Uuid if base != "uuid" => "::text::uuid",
        _ => "",
    };
    format!("{quoted}{cast}")
}

/// Begins to see what the snapshot shows. True when that takes a transaction.
pub(super) async fn enter(lease: &Lease, snapshot: Option<&str>) -> Result<bool, Failure> {
    let Some(snapshot) = snapshot else { return Ok(false) };
    let name = crate::connect::tables::select::literal(Engine::Postgres, &Value::from(snapshot));
    let begin = format!("begin isolation level repeatable read read only; set transaction snapshot {name}");
    let begun = lease.client().batch_execute(&begin).await;
    begun.map_err(|error| snapshot_failure(&error))?;
    Ok(true)
}

pub(super) async fn read(lease: Lease, request: ReadRequest) -> Result<BatchStream, Failure> {
    let (from, values) = text_and_values(&request.from)?;
    let is_within = enter(&lease, request.snapshot.as_deref()).await?;
    let expressions: Vec<String> = request.columns.iter().map(expression).collect();
    let text = format!(
        "select {} from {}{}",
        expressions.join(", "),
        from_clause(Engine::Postgres, &from),
        where_clause(Engine::Postgres, &request.range)
    );
    // COPY takes no parameters; what has some goes by the ordinary way.
    if values.is_empty() {
        let copy = format!("copy ({text}) to stdout (format binary)");
        let stream = lease.client().copy_out(&copy).await.map_err(|error| failure(&error))?;
        Ok(copied(lease, stream, request, is_within))
    } else {
        let values = Bound::all(&values);
        let rows = lease
            .client()
            .query_raw(&text, values.iter().map(|value| value as &(dyn ToSql + Sync)))
            .await
            .map_err(|error| failure(&error))?;
        Ok(queried(lease, rows, request, is_within))
    }
}

/// Batches out of a COPY stream.
fn copied(lease: Lease, stream: CopyOutStream, request: ReadRequest, is_within: bool) -> BatchStream {
    struct Copying {
        lease: Option<Lease>,
        stream: std::pin::Pin<Box<CopyOutStream>>,
        builder: BatchBuilder,
        columns: Vec<ColumnMapping>,
        rest: BytesMut,
        has_header: bool,
        has_ended: bool,
    }
    let ReadRequest { columns, unread, .. } = request;
    let copying = Copying {
        lease: Some(lease),
        stream: Box::pin(stream),
        builder: BatchBuilder::new(&columns, unread),
        columns,
        rest: BytesMut::new(),
        has_header: false,
        has_ended: false,
    };
    futures::stream::try_unfold(copying, move |mut copying| async move {
        loop {
            if copying.has_ended {
                if let Some(lease) = copying.lease.take() {
                    end(lease, is_within).await?;
                }
                return Ok(None);
            }
            let Some(message) = copying.stream.try_next().await.map_err(|error| failure(&error))? else {
                return Err(broken());
            };
            // The server sends whole rows, one to a message; only what is left of one is ever copied.
            let mut data: Bytes = if copying.rest.is_empty() {
                message
            } else {
                copying.rest.extend_from_slice(&message);
                copying.rest.split().freeze()
            };
            if !copying.has_header {
                if data.len() < HEADER {
                    copying.rest.extend_from_slice(&data);
                    continue;
                }
                data.advance(HEADER);
                copying.has_header = true;
            }
            let mut is_full = false;
            while let Some(length) = row_length(&data)? {
                if length == TRAILER {
                    copying.has_ended = true;
                    // The stream has to be read to its end before the connection can be used again.
                    while copying
                        .stream
                        .try_next()
                        .await
                        .map_err(|error| failure(&error))?
                        .is_some()
                    {}
                    break;
                }
                append_row(&mut copying.builder, &copying.columns, &data[..length])?;
                is_full |= copying.builder.end_row(length);
                data.advance(length);
            }
            if !copying.has_ended {
                copying.rest.extend_from_slice(&data);
            }
            if is_full || (copying.has_ended && !copying.builder.is_empty()) {
                let batch = copying.builder.finish()?;
                return Ok(Some((batch, copying)));
            }
        }
    })
    .boxed()
}

/// Gives a connection back whose rows have all been read; `is_within` a transaction, that is ended first.
pub(super) async fn end(lease: Lease, is_within: bool) -> Result<(), Failure> {
    if is_within {
        lease.run("commit").await?;
    }
    lease.give_back();
    Ok(())
}

/// Signature, flags and length of the extension.
pub(super) const HEADER: usize = 19;
/// The two bytes of a count of -1 that end the stream.
pub(super) const TRAILER: usize = 2;

pub(super) fn broken() -> Failure {
    Failure::transient(
        "database.connection",
        "PostgreSQL: the rows end before their end is marked",
    )
}

/// The length of the row that `data` begins with; `None` while it is not whole.
pub(super) fn row_length(data: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(count) = data.first_chunk::<2>() else {
        return Ok(None);
    };
    let count = i16::from_be_bytes(*count);
    if count == -1 {
        return Ok(Some(TRAILER));
    }
    let mut at = 2_usize;
    for _ in 0..count {
        let Some(length) = data.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>()) else {
            return Ok(None);
        };
        at += 4 + usize::try_from(i32::from_be_bytes(*length)).unwrap_or_default();
    }
    Ok((at <= data.len()).then_some(at))
}

fn append_row(builder: &mut BatchBuilder, columns: &[ColumnMapping], row: &[u8]) -> Result<(), Failure> {
    let mut at = 2;
    for (place, column) in columns.iter().enumerate() {
        let length = row
            .get(at..at + 4)
            .and_then(|bytes| bytes.first_chunk::<4>())
            .ok_or_else(broken)?;
        at += 4;
        let field = match usize::try_from(i32::from_be_bytes(*length)) {
            Err(_) => None,
            Ok(length) => {
                at += length;
                Some(row.get(at - length..at).ok_or_else(broken)?)
            }
        };
        append(builder, place, column, field)?;
    }
    Ok(())
}

/// Batches out of the answer to a query.
fn queried(lease: Lease, rows: RowStream, request: ReadRequest, is_within: bool) -> BatchStream {
    struct Answering {
        lease: Option<Lease>,
        rows: std::pin::Pin<Box<RowStream>>,
        builder: BatchBuilder,
        columns: Vec<ColumnMapping>,
    }
    let ReadRequest { columns, unread, .. } = request;
    let answering = Answering {
        lease: Some(lease),
        rows: Box::pin(rows),
        builder: BatchBuilder::new(&columns, unread),
        columns,
    };
    futures::stream::try_unfold(answering, move |mut answering| async move {
        while answering.lease.is_some() {
            let Some(row) = answering.rows.try_next().await.map_err(|error| failure(&error))? else {
                if let Some(lease) = answering.lease.take() {
                    end(lease, is_within).await?;
                }
                break;
            };
            let mut bytes = 0;
            for (place, column) in answering.columns.iter().enumerate() {
                let field: Option<Raw<'_>> = row.try_get(place).map_err(|error| failure(&error))?;
                bytes += field.as_ref().map_or(0, |field| field.0.len());
                append(&mut answering.builder, place, column, field.map(|field| field.0))?;
            }
            if answering.builder.end_row(bytes) {
                return Ok(Some((answering.builder.finish()?, answering)));
            }
        }
        if answering.builder.is_empty() {
            return Ok(None);
        }
        Ok(Some((answering.builder.finish()?, answering)))
    })
    .boxed()
}

/// The bytes of a field, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A parameter that takes the type which the server expects of it.
#[derive(Debug)]
struct Bound(Value);

impl Bound {
    fn all(values: &[Value]) -> Vec<Self> {
        values.iter().cloned().map(Self).collect()
    }

    fn references(values: &[Self]) -> Vec<&(dyn ToSql + Sync)> {
        values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
    }
}

impl ToSql for Bound {
    fn to_sql(
        &self,
        expected: &Type,
        out: &mut BytesMut,
    ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let text = match &self.0 {
            Value::Null => return Ok(tokio_postgres::types::IsNull::Yes),
            value => value.to_string(),
        };
        match *expected {
            Type::BOOL => matches!(text.as_str(), "true" | "t" | "1").to_sql(expected, out),
            Type::INT2 => text.parse::<i16>()?.to_sql(expected, out),
            Type::INT4 => text.parse::<i32>()?.to_sql(expected, out),
            Type::INT8 => text.parse::<i64>()?.to_sql(expected, out),
            Type::FLOAT4 => text.parse::<f32>()?.to_sql(expected, out),
            Type::FLOAT8 => text.parse::<f64>()?.to_sql(expected, out),
            Type::NUMERIC => {
                let mut bytes = Vec::new();
                crate::connect::tables::decimal::encode_numeric(&text, &mut bytes)
                    .ok_or_else(|| format!("`{text}` is no number"))?;
                out.extend_from_slice(&bytes);
                Ok(tokio_postgres::types::IsNull::No)
            }
            Type::UUID => {
                let bytes = crate::connect::tables::uuid::parse(&text).ok_or_else(|| format!("`{text}` is no UUID"))?;
                out.extend_from_slice(&bytes);
                Ok(tokio_postgres::types::IsNull::No)
            }
            Type::DATE => {
                let days =
                    crate::connect::tables::civil::parse_date(&text).ok_or_else(|| format!("`{text}` is no date"))?;
                out.extend_from_slice(&i32::try_from(days - i64::from(super::decode::EPOCH_DAYS))?.to_be_bytes());
                Ok(tokio_postgres::types::IsNull::No)
            }
            Type::TIMESTAMP | Type::TIMESTAMPTZ => {
                let us = crate::connect::tables::civil::parse_timestamp(&text)
                    .ok_or_else(|| format!("`{text}` is no timestamp"))?;
                out.extend_from_slice(&(us - super::decode::EPOCH_US).to_be_bytes());
                Ok(tokio_postgres::types::IsNull::No)
            }
            _ => {
                out.extend_from_slice(text.as_bytes());
                Ok(tokio_postgres::types::IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}
