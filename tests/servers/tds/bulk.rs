//! A bulk load: COLMETADATA and rows that the client sends. Source: MS-TDS 2.2.6.1.

use rusqlite::types::Value;

use super::error::SqlError;
use super::executor::{Executor, PendingBulk};
use super::reader::Cursor;
use super::types::SqlType;
use super::value;
use super::words::quoted;

struct Column {
    name: String,
    sql_type: SqlType,
    is_fixed: bool,
}

impl Executor {
    /// Takes the rows of the load that was announced: all of them, or none.
    pub fn load(&mut self, body: &[u8]) -> Result<u64, SqlError> {
        let pending = self
            .pending
            .take()
            .ok_or_else(|| SqlError::new(4_800, 16, "No bulk load has been announced."))?;
        let broken = || SqlError::new(4_804, 16, "Premature end-of-message while reading the bulk load.");
        let mut cursor = Cursor::new(body);
        let columns = columns(&mut cursor, &pending).ok_or_else(|| {
            SqlError::new(
                4_816,
                16,
                "Invalid column type from bcp client for a column of the load.",
            )
        })?;
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let places = vec!["?"; columns.len()].join(", ");
        let target = format!("{}.{}", quoted(&pending.table.0), quoted(&pending.table.1));
        let insert = format!("insert into {target} ({}) values ({places})", names.join(", "));
        self.connection.execute_batch("savepoint pipeline_fake_load")?;
        let mut loaded = 0;
        let result = loop {
            match cursor.length::<1>() {
                Some(0xD1) => {
                    let values: Option<Vec<Value>> = columns
                        .iter()
                        .map(|column| value::decode(&column.sql_type, column.is_fixed, &mut cursor))
                        .collect();
                    let Some(values) = values else { break Err(broken()) };
                    let inserted = self
                        .connection
                        .prepare_cached(&insert)
                        .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(values)));
                    if let Err(error) = inserted {
                        break Err(error.into());
                    }
                    loaded += 1;
                }
                // Clients end a load with a count of rows of four bytes or of eight.
                Some(0xFD) if cursor.take(8).is_some() && matches!(cursor.rest(), 0 | 4) => break Ok(loaded),
                _ => break Err(broken()),
            }
        };
        let end = if result.is_ok() {
            ""
        } else {
            "rollback to pipeline_fake_load; "
        };
        self.connection
            .execute_batch(&format!("{end}release pipeline_fake_load"))?;
        result
    }
}

fn columns(cursor: &mut Cursor<'_>, pending: &PendingBulk) -> Option<Vec<Column>> {
    (cursor.length::<1>()? == 0x81).then_some(())?;
    let count = cursor.length::<2>()?;
    let mut columns = Vec::with_capacity(count);
    for _ in 0..count {
        cursor.take(6)?;
        let (sql_type, is_fixed) = SqlType::read(cursor)?;
        let length = cursor.length::<1>()?;
        let name = cursor.wide(length)?;
        columns.push(Column {
            name,
            sql_type,
            is_fixed,
        });
    }
    // The announcement and the load name the same columns in the same order.
    let is_same = columns.iter().map(|column| &column.name).eq(&pending.columns);
    is_same.then_some(columns)
}
