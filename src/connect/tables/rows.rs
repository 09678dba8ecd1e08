//! The rows of a query one by one, for lists and lookups: what a database gives to whoever wants no batches.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use futures::{StreamExt, TryStreamExt};

use super::{ReadRequest, RowsFrom, TableStore, cell_text, type_table};
use crate::connect::RowStream;
use crate::model::{Carry, Column, ColumnMapping, Columns, Failure, Row, RowRange, Value};

/// Runs a query and gives its rows.
///
/// # Errors
/// `query.duplicate_column`; `query.value` for bytes, which no field of a list holds; and what the database meets.
pub(super) async fn rows(
    database: &dyn TableStore,
    text: &str,
    parameters: &[(String, Value)],
) -> Result<RowStream, Failure> {
    let described = database.describe(text, parameters).await?;
    let names: Columns = described.iter().map(|column| column.name.clone()).collect();
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            return Err(Failure::data(
                "query.duplicate_column",
                format!("the query gives two columns the name `{name}`; rename one with `as`"),
            ));
        }
    }
    let types = type_table(database.engine(), database.engine());
    let mapping = |column: &Column| ColumnMapping {
        source: column.name.clone(),
        source_native: column.native.clone(),
        // What has no rule is read as its text.
        carry: types.map(&column.native).map_or(Carry::Text, |mapped| mapped.carry),
        target: column.name.clone(),
        target_native: column.native.clone(),
        is_nullable: true,
        is_identity: false,
        losses: Vec::new(),
    };
    let columns: Vec<ColumnMapping> = described.iter().map(mapping).collect();
    let request = ReadRequest {
        from: RowsFrom::Query {
            text: text.to_owned(),
            parameters: parameters.to_vec(),
        },
        columns: columns.clone(),
        range: RowRange::Whole,
        snapshot: None,
        unread: None,
    };
    let batches = database.read(request).await?;
    let split = move |batch: RecordBatch| {
        let rows: Vec<Result<Row, Failure>> = (0..batch.num_rows())
            .map(|row| {
                let cells = columns.iter().zip(batch.columns());
                let values: Result<Vec<Value>, Failure> =
                    cells.map(|(column, cells)| value(column, cells, row)).collect();
                Ok(Row::new(Arc::clone(&names), values?))
            })
            .collect();
        futures::stream::iter(rows)
    };
    Ok(batches.map_ok(split).try_flatten().boxed())
}

fn value(column: &ColumnMapping, cells: &dyn Array, row: usize) -> Result<Value, Failure> {
    let Some(text) = cell_text(column.carry, cells, row) else {
        return Ok(Value::Null);
    };
    Ok(match column.carry {
        Carry::Boolean => Value::Boolean(text == "true"),
        Carry::Int16 | Carry::Int32 | Carry::Int64 => text.parse().map_or(Value::Text(text), Value::Integer),
        // As many digits as the column itself has, and no number that JSON has not.
        Carry::Float32 | Carry::Float64 => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::Text(text),
        },
        Carry::Bytes => {
            return Err(Failure::data(
                "query.value",
                format!(
                    "the column `{}` holds bytes; cast it to text in the query",
                    column.source
                ),
            ));
        }
        _ => Value::Text(text),
    })
}
