use serde::Serialize;

use crate::model::{ItemKey, UnitRecord, redact};

/// One file of the ledger as a line of an export: exact names, without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedFile {
    pub item: ItemKey,
    pub source: String,
    pub target: String,
    /// Bytes, where they are known.
    pub size: Option<u64>,
    pub status: &'static str,
    /// Its kind and its digits: `sha256:…`.
    pub hash: Option<String>,
    /// Over all runs.
    pub attempts: u32,
    /// Of the failure, when it failed, as are `code` and `message`.
    pub class: Option<&'static str>,
    pub code: Option<String>,
    pub message: Option<String>,
}

impl ExportedFile {
    pub const COLUMNS: [&'static str; 10] = [
        "item", "source", "target", "size", "status", "hash", "attempts", "class", "code", "message",
    ];

    pub fn new(item: &str, record: &UnitRecord) -> Self {
        let failure = record.failure.as_ref();
        Self {
            item: redact(item).into_owned(),
            source: redact(&record.source).into_owned(),
            target: redact(&record.target).into_owned(),
            size: record.size,
            status: record.status.name(),
            hash: record.hash.as_ref().map(ToString::to_string),
            attempts: record.attempts,
            class: failure.map(|failure| failure.class.name()),
            code: failure.map(|failure| failure.code.to_string()),
            message: failure.map(|failure| redact(&failure.message).into_owned()),
        }
    }
}
