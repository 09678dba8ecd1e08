use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement, ToSql};
use tokio::sync::{mpsc, oneshot};

use super::{RowStream, blocking};
use crate::model::{Columns, Failure, Row, Value};

/// Rows that are handed on together: one by one, two threads would wake each other for each.
const ROWS_TOGETHER: usize = 128;

/// How long a row waits for others.
const TOGETHER_WITHIN: Duration = Duration::from_millis(50);

/// Groups of rows computed ahead of the consumer.
const GROUPS_AHEAD: usize = 2;

/// Refuses what is not a question: SQLite's own checks let `ATTACH` and `PRAGMA` through.
pub(super) fn check_kind(text: &str) -> Result<(), Failure> {
    let mut rest = text.trim_start();
    loop {
        let comment = if rest.starts_with("--") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 1)
        } else {
            break;
        };
        rest = comment.map_or("", |end| rest[end + 1..].trim_start());
    }
    let verb: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    let is_question = ["select", "with", "values"]
        .iter()
        .any(|known| verb.eq_ignore_ascii_case(known));
    if is_question {
        return Ok(());
    }
    Err(Failure::permanent(
        "query.writes",
        format!("a query starts with `select`, `with` or `values`, not with `{verb}`: CSV tables are read-only"),
    ))
}

/// Runs a query in a thread of its own and streams its rows; the thread ends when the stream is dropped. The connection is lent to the
/// thread and taken back at its end.
pub(in crate::connect) async fn run(
    lend: impl FnOnce() -> Result<Connection, Failure> + Send + 'static,
    take_back: impl FnOnce(Connection) + Send + 'static,
    text: String,
    parameters: Vec<(String, Value)>,
) -> Result<RowStream, Failure> {
    let (started_sender, started) = oneshot::channel();
    let (sender, receiver) = mpsc::channel(GROUPS_AHEAD);
    let work = blocking(move || {
        let connection = lend()?;
        let mut started_sender = Some(started_sender);
        let outcome = stream_rows(&connection, &text, &parameters, &sender, &mut started_sender);
        take_back(connection);
        match (outcome, started_sender) {
            (Err(failure), Some(started_sender)) => drop(started_sender.send(Err(failure))),
            (Err(failure), None) => drop(sender.blocking_send(Err(failure))),
            (Ok(()), _) => {}
        }
        Ok(())
    });
    let work = tokio::spawn(work);
    let interrupted = || Failure::permanent("query.interrupted", "a query did not run to its end");
    match started.await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => return Err(failure),
        // The thread ended without a word: what it met is its result.
        Err(_) => {
            work.await.unwrap_or_else(|_| Err(interrupted()))?;
            return Err(interrupted());
        }
    }
    let groups = futures::stream::unfold((receiver, Some(work)), move |(mut receiver, mut work)| async move {
        if let Some(group) = receiver.recv().await {
            return Some((group, (receiver, work)));
        }
        // A thread that did not come to its end has not sent all rows.
        let ended = work.take()?.await.unwrap_or_else(|_| Err(interrupted()));
        ended.err().map(|failure| (Err(failure), (receiver, None)))
    });
    let rows = groups.map_ok(|group| futures::stream::iter(group.into_iter().map(Ok)));
    Ok(rows.try_flatten().boxed())
}

type Started = Option<oneshot::Sender<Result<(), Failure>>>;

fn stream_rows(
    connection: &Connection,
    text: &str,
    parameters: &[(String, Value)],
    sender: &mpsc::Sender<Result<Vec<Row>, Failure>>,
    started: &mut Started,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(text).map_err(|error| invalid(&error))?;
    let columns = columns(&statement)?;
    bind(&mut statement, parameters)?;
    let mut rows = statement.raw_query();
    if let Some(started) = started.take() {
        // Nobody listening shows at the first row.
        let _ = started.send(Ok(()));
    }
    let mut group = Vec::new();
    let mut begun = Instant::now();
    let ended = loop {
        let row = match rows.next() {
            Ok(Some(row)) => read_row(row, &columns),
            Ok(None) => break Ok(()),
            Err(error) => Err(invalid(&error)),
        };
        match row {
            Ok(row) => group.push(row),
            Err(failure) => break Err(failure),
        }
        if group.len() == ROWS_TOGETHER || begun.elapsed() >= TOGETHER_WITHIN {
            if sender.blocking_send(Ok(mem::take(&mut group))).is_err() {
                return Ok(());
            }
            begun = Instant::now();
        }
    };
    if !group.is_empty() {
        // Nobody listening is nobody to be told.
        let _ = sender.blocking_send(Ok(group));
    }
    ended
}

fn read_row(row: &rusqlite::Row<'_>, columns: &Columns) -> Result<Row, Failure> {
    let mut values = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let value = row.get_ref(index).map_err(|error| invalid(&error))?;
        values.push(read_value(column, value)?);
    }
    Ok(Row::new(Arc::clone(columns), values))
}

fn columns(statement: &Statement<'_>) -> Result<Columns, Failure> {
    let names = statement.column_names();
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            return Err(Failure::data(
                "query.duplicate_column",
                format!("the query gives two columns the name `{name}`; rename one with `as`"),
            ));
        }
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// Binds every parameter, and insists that both sides name the same ones.
pub(in crate::connect) fn bind(statement: &mut Statement<'_>, parameters: &[(String, Value)]) -> Result<(), Failure> {
    let mut used = Vec::new();
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).and_then(|name| name.strip_prefix(':'));
        let Some(name) = name.map(str::to_owned) else {
            return Err(Failure::data(
                "query.parameter_unnamed",
                "the query has a parameter that is not written `:name`",
            ));
        };
        let Some((_, value)) = parameters.iter().find(|(given, _)| *given == name) else {
            return Err(Failure::data(
                "query.parameter_missing",
                format!("the query uses `:{name}`, which `params` does not give"),
            ));
        };
        statement
            .raw_bind_parameter(index, to_sql(value))
            .map_err(|error| invalid(&error))?;
        used.push(name);
    }
    match parameters.iter().find(|(given, _)| !used.contains(given)) {
        None => Ok(()),
        Some((given, _)) => Err(Failure::data(
            "query.parameter_unused",
            format!("`params` gives `{given}`, which the query does not use; write `:{given}` in it or remove it"),
        )),
    }
}

fn to_sql(value: &Value) -> &dyn ToSql {
    match value {
        Value::Null => &rusqlite::types::Null,
        Value::Boolean(value) => value,
        Value::Integer(value) => value,
        Value::Number(value) => value,
        Value::Text(value) => value,
    }
}

fn read_value(column: &str, value: ValueRef<'_>) -> Result<Value, Failure> {
    let unreadable = |what: &str| {
        Failure::data(
            "query.value",
            format!("the column `{column}` holds {what}; cast it to text in the query"),
        )
    };
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => Ok(Value::Integer(value)),
        ValueRef::Real(value) => Ok(Value::Number(value)),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map(Value::from)
            .map_err(|_| unreadable("text that is not UTF-8")),
        ValueRef::Blob(_) => Err(unreadable("bytes")),
    }
}

/// SQLite's own words, which name the token or column that it stumbled over.
fn invalid(error: &rusqlite::Error) -> Failure {
    let told = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(told)) => told.clone(),
        other => other.to_string(),
    };
    Failure::permanent("query.invalid", format!("SQLite refuses the query: {told}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_that_a_defect_cuts_off_do_not_look_complete() {
        let lend = || Connection::open_in_memory().map_err(|error| invalid(&error));
        let broken = |_| assert!(std::hint::black_box(false), "a defect");
        let rows = run(lend, broken, "select 1 as n".to_owned(), Vec::new()).await.unwrap();
        let read: Vec<Result<Row, Failure>> = rows.collect().await;
        assert_eq!(read.last().unwrap().as_ref().unwrap_err().code, "query.interrupted");
    }
}
