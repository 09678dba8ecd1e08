use std::path::Path;

use rusqlite::{Connection, Result, params};

use crate::model::{ItemSummary, redact};
use crate::report::ExportedFile;
use crate::state::RunRecord;

/// Times are RFC 3339 texts in UTC, which sort as they stand and which the date functions of SQLite read.
const TABLES: &str = "
    create table items (item text primary key, ordinal integer, status text, listed integer, attempts integer, started text, ended text,
        done integer, present integer, failed integer, pending integer, bytes integer, listing_class text, listing_code text,
        listing_message text);
    create table files (item text, source text, target text, size integer, status text, hash text, attempts integer, class text,
        code text, message text);
    create table runs (run integer primary key, started text, ended text, outcome text, host text, pid integer, spec text,
        profile text);
    begin;";

/// Indexes are made when everything is in, which is much faster than keeping them up.
const INDEXES: &str =
    "commit; create index files_by_item on files (item); create index files_by_status on files (status);";

/// The ledger as tables `items`, `files` and `runs` of an SQLite file.
pub struct LedgerDatabase {
    connection: Connection,
}

impl LedgerDatabase {
    pub fn create(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        // A file that was cut off is made anew, so it needs no journal.
        connection.execute_batch("pragma journal_mode = off; pragma synchronous = off;")?;
        connection.execute_batch(TABLES)?;
        Ok(Self { connection })
    }

    pub fn item(&self, summary: &ItemSummary) -> Result<()> {
        let units = &summary.units;
        let failure = summary.listing_failure.as_ref();
        let mut insert = self
            .connection
            .prepare_cached("insert into items values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        insert.execute(params![
            redact(&summary.key),
            summary.ordinal,
            summary.status.name(),
            summary.listed,
            summary.attempts,
            summary.started.map(|time| time.to_string()),
            summary.ended.map(|time| time.to_string()),
            units.done,
            units.present,
            units.failed,
            units.pending,
            units.bytes,
            failure.map(|failure| failure.class.name()),
            failure.map(|failure| failure.code.as_ref()),
            failure.map(|failure| redact(&failure.message)),
        ])?;
        Ok(())
    }

    pub fn file(&self, file: &ExportedFile) -> Result<()> {
        let mut insert = self
            .connection
            .prepare_cached("insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        insert.execute(params![
            file.item,
            file.source,
            file.target,
            file.size,
            file.status,
            file.hash,
            file.attempts,
            file.class,
            file.code,
            file.message,
        ])?;
        Ok(())
    }

    pub fn finish(self, runs: &[RunRecord]) -> Result<()> {
        for run in runs {
            let outcome = run.outcome.and_then(|outcome| serde_json::to_value(outcome).ok());
            self.connection.execute(
                "insert into runs values (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    run.number,
                    run.started.to_string(),
                    run.ended.map(|time| time.to_string()),
                    outcome.as_ref().and_then(serde_json::Value::as_str),
                    run.host,
                    run.pid,
                    run.spec_path,
                    run.profile,
                ],
            )?;
        }
        self.connection.execute_batch(INDEXES)?;
        self.connection.close().map_err(|(_, error)| error)
    }
}
