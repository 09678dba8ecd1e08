//! What PostgreSQL's SQLSTATEs mean. Source: "PostgreSQL Error Codes", appendix A of its documentation.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::connect::tables::SNAPSHOT_LOST;
use crate::connect::tls;
use crate::model::{Failure, FailureClass};

/// The code for what cannot be dropped because something else depends on it.
pub(super) const DEPENDED_ON: &str = "database.depended_on";

/// Beginnings of the SQLSTATEs whose details hold values of rows, which are not to be told.
const OF_ROWS: &[&str] = &["21", "22", "23"];

/// Class and code by the beginning of the SQLSTATE; the longest beginning that fits is taken.
const TABLE: &[(&str, FailureClass, &str)] = &[
    ("08", FailureClass::Transient, "database.connection"),
    ("0A", FailureClass::Permanent, "database.unsupported"),
    ("21", FailureClass::Data, "database.value"),
    ("22", FailureClass::Data, "database.value"),
    ("23", FailureClass::Data, "database.constraint"),
    ("25006", FailureClass::Denied, "database.read_only"),
    ("28", FailureClass::Denied, "database.denied"),
    ("2BP01", FailureClass::Permanent, DEPENDED_ON),
    ("3D", FailureClass::Permanent, "database.not_found"),
    ("40", FailureClass::Transient, "database.serialisation"),
    ("40P01", FailureClass::Transient, "database.deadlock"),
    ("42", FailureClass::Permanent, "database.statement"),
    ("42501", FailureClass::Denied, Failure::NO_PRIVILEGE),
    ("42704", FailureClass::NotFound, "database.object_not_found"),
    ("42710", FailureClass::Permanent, "database.exists"),
    ("42P07", FailureClass::Permanent, "database.exists"),
    ("42P01", FailureClass::NotFound, "database.table_not_found"),
    ("53", FailureClass::Transient, "database.resources"),
    ("53300", FailureClass::Throttled, "database.connections"),
    ("54", FailureClass::Data, "database.too_big"),
    ("55P03", FailureClass::Transient, "database.locked"),
    ("57014", FailureClass::Transient, "database.cancelled"),
    ("57P", FailureClass::Transient, "database.shutdown"),
    // It is starting up: nobody is there yet.
    ("57P03", FailureClass::Transient, "database.connection"),
    ("58", FailureClass::Transient, "database.system"),
    ("XX", FailureClass::Permanent, "database.internal"),
];

pub(super) fn failure(error: &Error) -> Failure {
    let Some(told) = error.as_db_error() else {
        return unanswered(error);
    };
    let state = told.code().code();
    let (class, code) = TABLE
        .iter()
        .filter(|(beginning, ..)| state.starts_with(beginning))
        .max_by_key(|(beginning, ..)| beginning.len())
        .map_or((FailureClass::Permanent, "database.error"), |(_, class, code)| {
            (*class, *code)
        });
    // Where the details hold values of rows, the column and the constraint say where to look.
    let place: String = [("column", told.column()), ("constraint", told.constraint())]
        .iter()
        .filter_map(|(what, name)| name.map(|name| format!(" ({what} `{name}`)")))
        .collect();
    let is_of_rows = OF_ROWS.iter().any(|beginning| state.starts_with(beginning));
    let detail = told.detail().filter(|_| !is_of_rows);
    let detail = detail.map_or_else(String::new, |detail| format!(" ({})", detail.replace('\n', "; ")));
    Failure::new(
        class,
        code,
        format!("PostgreSQL: {}{place}{detail}, SQLSTATE {state}", told.message()),
    )
}

/// What a snapshot that cannot be taken means: its file is gone, or the session that it is of.
pub(super) fn snapshot_failure(error: &Error) -> Failure {
    let is_lost = error.code().is_some_and(|state| {
        [
            &SqlState::INVALID_PARAMETER_VALUE,
            &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        ]
        .contains(&state)
    });
    if !is_lost {
        return failure(error);
    }
    let told = error.as_db_error().map(|told| told.message()).unwrap_or_default();
    Failure::transient(
        SNAPSHOT_LOST,
        format!(
            "PostgreSQL: the view of the data that the chunks of a table shared is gone, because the session that held it has ended ({told}); \
             run again, the table is loaded anew"
        ),
    )
}

/// An error without an answer of the server: it is the connection, or what was bound to a parameter.
fn unanswered(error: &Error) -> Failure {
    let source = std::error::Error::source(error);
    let broken = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    let told = error.to_string();
    let is_refused = broken.map_or(told.contains("TLS handshake"), tls::is_refusal);
    let (class, code) = if is_refused {
        (FailureClass::Permanent, "connection.tls")
    } else if told.contains("serializing parameter") {
        (FailureClass::Data, "database.parameter")
    } else {
        (FailureClass::Transient, "database.connection")
    };
    let source = source.map(|source| format!(": {source}")).unwrap_or_default();
    Failure::new(class, code, format!("PostgreSQL: {told}{source}"))
}
