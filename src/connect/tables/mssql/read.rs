use mssql_tds::connection::tds_client::ResultSet;
use mssql_tds::datatypes::column_values::ColumnValues;
use mssql_tds::datatypes::sql_string::SqlString;
use mssql_tds::datatypes::sqltypes::SqlType;
use mssql_tds::message::parameters::rpc_parameters::{RpcParameter, StatusFlags};
use tokio::sync::mpsc;

use super::Lease;
use super::catalogue;
use super::decode::RowSink;
use super::error::failure;
use super::fields::{integer_of, text_of};
use crate::connect::tables::select::{from_clause, where_clause};
use crate::connect::tables::streamed::{BATCHES_AHEAD, Batch, streamed};
use crate::connect::tables::{BatchStream, ReadRequest, RowsFrom, parameters};
use crate::model::{ColumnMapping, Engine, Failure, RowRange, Value};

/// Characters that a text parameter has at most unless it is of any length.
const TEXT_MAX: u16 = 4_000;

/// A query with its parameters as `@p1`, and their values in that order.
///
/// # Errors
/// `query.parameter_missing`, `query.parameter_unused`.
pub(super) fn positional(text: &str, given: &[(String, Value)]) -> Result<(String, Vec<Value>), Failure> {
    let (text, names) = parameters::translate(Engine::SqlServer, text, |number| format!("@p{number}"))?;
    Ok((text, parameters::values(&names, given)?))
}

/// The type that a parameter is sent as.
pub(super) fn declared_type(value: &Value) -> &'static str {
    match value {
        Value::Boolean(_) => "bit",
        Value::Integer(_) => "bigint",
        Value::Number(_) => "float",
        Value::Text(text) if text.encode_utf16().count() > TEXT_MAX.into() => "nvarchar(max)",
        Value::Text(_) | Value::Null => "nvarchar(4000)",
    }
}

pub(super) fn bound(values: &[Value]) -> Vec<RpcParameter> {
    let bound = values.iter().enumerate().map(|(index, value)| {
        let value = match value {
            Value::Null => SqlType::NVarchar(None, TEXT_MAX),
            Value::Boolean(value) => SqlType::Bit(Some(*value)),
            Value::Integer(value) => SqlType::BigInt(Some(*value)),
            Value::Number(value) => SqlType::Float(Some(*value)),
            Value::Text(text) => {
                let text = SqlString::from_utf8_string(text.clone());
                if declared_type(value) == "nvarchar(max)" {
                    SqlType::NVarcharMax(Some(text))
                } else {
                    SqlType::NVarchar(Some(text), TEXT_MAX)
                }
            }
        };
        RpcParameter::new(Some(format!("@p{}", index + 1)), StatusFlags::NONE, value)
    });
    bound.collect()
}

fn text_and_values(from: &RowsFrom) -> Result<(RowsFrom, Vec<RpcParameter>), Failure> {
    match from {
        RowsFrom::Table(_) => Ok((from.clone(), Vec::new())),
        RowsFrom::Query { text, parameters } => {
            let (text, values) = positional(text, parameters)?;
            let parameters = Vec::new();
            Ok((RowsFrom::Query { text, parameters }, bound(&values)))
        }
    }
}

pub(super) async fn count(lease: &mut Lease, from: &RowsFrom, range: &RowRange) -> Result<u64, Failure> {
    let (from, values) = text_and_values(from)?;
    let text = format!(
        "select count_big(*) from {}{}",
        from_clause(Engine::SqlServer, &from),
        where_clause(Engine::SqlServer, range)
    );
    let rows = lease.rows(&text, values).await?;
    let counted = rows.first().and_then(|row| row.first()).and_then(integer_of);
    Ok(counted.and_then(|counted| counted.try_into().ok()).unwrap_or_default())
}

/// The first key of every chunk but the first. Equal keys stay together, so that a range may hold more rows than asked for.
pub(super) async fn key_bounds(
    lease: &mut Lease,
    from: &RowsFrom,
    column: &str,
    rows: u64,
) -> Result<Vec<Value>, Failure> {
    let key = Engine::SqlServer.quote(column);
    let ordered = ordered(lease, from, &key).await?;
    let (from, values) = text_and_values(from)?;
    let source = from_clause(Engine::SqlServer, &from);
    let text = format!(
        "select distinct bound from (select {ordered} as bound, row_number() over (order by {ordered}) as place from {source} \
         where {key} is not null) as numbered where place > 1 and (place - 1) % {rows} = 0 order by bound"
    );
    let found = lease.rows(&text, values).await?;
    found
        .iter()
        .map(|row| {
            row.first().and_then(bound_value).ok_or_else(|| {
                Failure::data(
                    "database.key_type",
                    format!("the key `{column}` holds bytes, which chunks cannot be cut by; name another in `chunks`"),
                )
            })
        })
        .collect()
}

/// The key in the order in which ranges compare it. Bounds are texts of Unicode, and a text of a code page is made one before it is compared with
/// them; by itself it may be sorted otherwise, and rows would lie in two ranges, or in none.
async fn ordered(lease: &mut Lease, from: &RowsFrom, key: &str) -> Result<String, Failure> {
    let given: &[(String, Value)] = match from {
        RowsFrom::Table(_) => &[],
        RowsFrom::Query { parameters, .. } => parameters,
    };
    let asked = format!("select {key} from {}", from_clause(Engine::SqlServer, from));
    let described = catalogue::describe(lease, &asked, given).await?;
    let is_of_code_page = |native: &str| native.starts_with("varchar") || native.starts_with("char");
    Ok(match described.first() {
        Some(column) if is_of_code_page(&column.native) => format!("cast({key} as nvarchar(4000))"),
        _ => key.to_owned(),
    })
}

fn bound_value(field: &ColumnValues) -> Option<Value> {
    match field {
        ColumnValues::Real(value) => Some(Value::Number((*value).into())),
        ColumnValues::Float(value) => Some(Value::Number(*value)),
        field => integer_of(field)
            .map(Value::Integer)
            .or_else(|| text_of(field).map(Value::Text)),
    }
}

/// A column as it is selected: what has no form of its own for us comes as the server's text of it.
fn selected(column: &ColumnMapping) -> String {
    let quoted = Engine::SqlServer.quote(&column.source);
    match column.source_native.as_str() {
        "sql_variant" => format!("cast({quoted} as nvarchar(4000)) as {quoted}"),
        "hierarchyid" | "geography" | "geometry" => format!("cast({quoted} as nvarchar(max)) as {quoted}"),
        _ => quoted,
    }
}

/// Streams rows. Its connection is closed when the stream is dropped before its end.
pub(super) async fn read(lease: Lease, request: ReadRequest) -> Result<BatchStream, Failure> {
    let (from, values) = text_and_values(&request.from)?;
    let text = match (from, &request.range) {
        // Within another query it would lose its order.
        (RowsFrom::Query { text, .. }, RowRange::Whole) => text,
        (from, range) => {
            let names: Vec<String> = request.columns.iter().map(selected).collect();
            format!(
                "select {} from {}{}",
                names.join(", "),
                from_clause(Engine::SqlServer, &from),
                where_clause(Engine::SqlServer, range)
            )
        }
    };
    Ok(streamed(BATCHES_AHEAD, |sender| async move {
        stream(lease, text, values, &request, &sender).await
    }))
}

async fn stream(
    mut lease: Lease,
    text: String,
    values: Vec<RpcParameter>,
    request: &ReadRequest,
    sender: &mpsc::Sender<Batch>,
) -> Result<(), Failure> {
    lease.query(&text, values).await?;
    let client = lease.client()?;
    if !client.on_rows() {
        return Err(Failure::permanent(
            "query.no_rows",
            "the query gives no rows; write one that selects",
        ));
    }
    let answer: Vec<String> = client
        .get_metadata()
        .iter()
        .map(|column| column.column_name.clone())
        .collect();
    let mut sink = RowSink::new(request, places(&answer, &request.columns)?);
    while client.next_row_into(&mut sink).await.map_err(|error| failure(&error))? {
        if sink.finish_row()? && sender.send(sink.builder.finish()).await.is_err() {
            return Ok(());
        }
    }
    // What went wrong after the last row is told here.
    client.close_query().await.map_err(|error| failure(&error))?;
    lease.give_back();
    if !sink.builder.is_empty() {
        let _ = sender.send(sink.builder.finish()).await;
    }
    Ok(())
}

/// For each column of the answer, which of ours it is.
fn places(answer: &[String], columns: &[ColumnMapping]) -> Result<Vec<Option<usize>>, Failure> {
    if let Some(missing) = columns.iter().find(|column| !answer.contains(&column.source)) {
        return Err(Failure::permanent(
            "query.column_missing",
            format!("the query gives no column `{}`", missing.source),
        ));
    }
    let place = |name: &String| columns.iter().position(|column| column.source == *name);
    Ok(answer.iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_one() {
        let given = [("a".to_owned(), Value::Integer(1)), ("b".to_owned(), Value::from("x"))];
        let (text, values) = positional("select :b where c = :a or d = :b", &given).unwrap();
        assert_eq!(text, "select @p1 where c = @p2 or d = @p1");
        assert_eq!(values, [Value::from("x"), Value::Integer(1)]);
        assert_eq!(declared_type(&Value::from("x".repeat(4_001).as_str())), "nvarchar(max)");
    }
}
