//! What SQLite's result codes mean. Source: "Result and Error Codes" of its documentation.

use rusqlite::{Error, ErrorCode};

use crate::model::{Failure, FailureClass};

/// Class and code of each result that is not the statement's own fault.
const TABLE: &[(ErrorCode, FailureClass, &str)] = &[
    (ErrorCode::DatabaseBusy, FailureClass::Transient, "database.busy"),
    (ErrorCode::DatabaseLocked, FailureClass::Transient, "database.busy"),
    (ErrorCode::SystemIoFailure, FailureClass::Transient, "database.io"),
    (ErrorCode::DiskFull, FailureClass::Transient, "database.disk_full"),
    (ErrorCode::ReadOnly, FailureClass::Denied, "database.read_only"),
    (ErrorCode::PermissionDenied, FailureClass::Denied, "database.denied"),
    (ErrorCode::CannotOpen, FailureClass::Denied, "database.cannot_open"),
    (ErrorCode::DatabaseCorrupt, FailureClass::Permanent, "database.corrupt"),
    (ErrorCode::NotADatabase, FailureClass::Permanent, "database.corrupt"),
    (
        ErrorCode::ConstraintViolation,
        FailureClass::Data,
        "database.constraint",
    ),
    (ErrorCode::TypeMismatch, FailureClass::Data, "database.type"),
    (ErrorCode::TooBig, FailureClass::Data, "database.too_big"),
];

pub(super) fn failure(error: &Error) -> Failure {
    let told = match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::SqliteFailure(_, Some(told)) => told.clone(),
        other => other.to_string(),
    };
    // It has no result code of its own.
    if told.starts_with("no such table") {
        return Failure::new(
            FailureClass::NotFound,
            "database.table_not_found",
            format!("SQLite: {told}"),
        );
    }
    let entry = error
        .sqlite_error_code()
        .and_then(|code| TABLE.iter().find(|(known, ..)| *known == code));
    let (class, code) = entry.map_or((FailureClass::Permanent, "database.statement"), |(_, class, code)| {
        (*class, *code)
    });
    Failure::new(class, code, format!("SQLite: {told}"))
}
