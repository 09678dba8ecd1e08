use std::collections::HashSet;
use std::fs::File;
use std::io::{Chain, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, Transaction, params_from_iter};

use super::words;
use crate::model::{CsvTable, Failure, FailureClass};

/// An in-memory database with the tables of one query, and the connections to it that are free.
pub(super) struct Tables {
    address: String,
    /// The first keeps the database alive: it goes when its last connection is closed.
    _keeper: Mutex<Connection>,
    idle: Mutex<Vec<Connection>>,
}

impl Tables {
    /// Reads the files of the tables that `text` names, and makes an index for each column that it compares.
    pub(super) fn load(files: &[CsvTable], text: &str) -> Result<Self, Failure> {
        static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let address = format!("file:pipeline-{number}?mode=memory&cache=shared");
        let mut keeper = open(&address)?;
        let names = words::names(text);
        let compared = words::compared_names(text);
        let transaction = keeper.transaction().map_err(|error| unusable(&error))?;
        for file in files {
            if !names.contains(&file.name.to_ascii_lowercase()) {
                continue;
            }
            let columns = fill(&transaction, file)?;
            for column in columns {
                if compared.contains(&column.to_ascii_lowercase()) {
                    add_index(&transaction, &file.name, &column)?;
                }
            }
        }
        transaction.commit().map_err(|error| unusable(&error))?;
        Ok(Self {
            address,
            _keeper: Mutex::new(keeper),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// A connection that nobody else uses; give it back with [`Self::put_back`].
    pub(super) fn connection(&self) -> Result<Connection, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let connection = open(&self.address)?;
        connection
            .execute_batch("PRAGMA read_uncommitted = ON; PRAGMA query_only = ON")
            .map_err(|error| unusable(&error))?;
        Ok(connection)
    }

    pub(super) fn put_back(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

fn open(address: &str) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(address, flags).map_err(|error| unusable(&error))
}

fn unusable(error: &rusqlite::Error) -> Failure {
    Failure::permanent("query.database", format!("in-memory SQLite: {error}"))
}

/// The header of a CSV file, checked: at least one column, none empty, none twice (SQL compares them without case).
pub(super) fn header(file: &CsvTable) -> Result<Vec<String>, Failure> {
    read_header(file, &mut reader(file)?)
}

/// A record put behind the text. The `csv` crate takes an unclosed quote for one that closes at the end; then this record is inside the
/// last field instead of standing for itself, and rows would have vanished into that field.
const END: &str = "\u{1}end of text\u{1}";
const END_RECORD: &[u8] = b"\n\x01end of text\x01\n";

type TableReader = csv::Reader<Chain<File, &'static [u8]>>;

fn reader(file: &CsvTable) -> Result<TableReader, Failure> {
    let opened = File::open(&file.path).map_err(|error| {
        let (class, code) = match error.kind() {
            std::io::ErrorKind::NotFound => (FailureClass::NotFound, "store.not_found"),
            std::io::ErrorKind::PermissionDenied => (FailureClass::Denied, "store.denied"),
            _ => (FailureClass::Permanent, "store.io"),
        };
        let path = file.path.display();
        Failure::new(
            class,
            code,
            format!("cannot read `{path}`, the table `{}`: {error}", file.name),
        )
    })?;
    Ok(csv::ReaderBuilder::new()
        .flexible(true)
        .buffer_capacity(256 << 10)
        .from_reader(opened.chain(END_RECORD)))
}

fn read_header(file: &CsvTable, reader: &mut TableReader) -> Result<Vec<String>, Failure> {
    let header = reader.headers().map_err(|error| bad_line(file, &error))?;
    if is_end(header) {
        return Err(bad_file(file, "csv.empty", "it is empty and has no header line"));
    }
    check_closed(file, header, 1)?;
    let mut seen = HashSet::new();
    for (index, column) in header.iter().enumerate() {
        if column.is_empty() {
            let told = format!("column {} has no name in the header", index + 1);
            return Err(bad_file(file, "csv.empty_column", &told));
        }
        if !seen.insert(column.to_lowercase()) {
            let told = format!("the header names the column `{column}` twice (SQL ignores case)");
            return Err(bad_file(file, "csv.duplicate_column", &told));
        }
    }
    Ok(header.iter().map(str::to_owned).collect())
}

fn fill(transaction: &Transaction<'_>, file: &CsvTable) -> Result<Vec<String>, Failure> {
    let mut reader = reader(file)?;
    let columns = read_header(file, &mut reader)?;
    let failed = |error: rusqlite::Error| bad_file(file, "query.table", &error.to_string());
    let table = identifier(&file.name);
    let definitions: Vec<String> = columns
        .iter()
        .map(|column| format!("{} TEXT", identifier(column)))
        .collect();
    transaction
        .execute(&format!("CREATE TABLE {table} ({})", definitions.join(", ")), [])
        .map_err(failed)?;
    let places = vec!["?"; columns.len()].join(", ");
    let mut insert = transaction
        .prepare(&format!("INSERT INTO {table} VALUES ({places})"))
        .map_err(failed)?;
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| bad_line(file, &error))?
    {
        if is_end(&record) {
            break;
        }
        let line = record.position().map_or(0, csv::Position::line);
        check_closed(file, &record, line)?;
        if record.len() != columns.len() {
            let told = format!(
                "line {line} has {} fields, the header has {}",
                record.len(),
                columns.len()
            );
            return Err(bad_file(file, "csv.field_count", &told));
        }
        insert.execute(params_from_iter(&record)).map_err(failed)?;
    }
    Ok(columns)
}

fn is_end(record: &csv::StringRecord) -> bool {
    record.len() == 1 && record.get(0) == Some(END)
}

fn check_closed(file: &CsvTable, record: &csv::StringRecord, line: u64) -> Result<(), Failure> {
    if record.iter().next_back().is_some_and(|field| field.contains(END)) {
        let told = format!("line {line}: the record that begins here has a quote that is never closed");
        return Err(bad_file(file, "csv.unclosed_quote", &told));
    }
    Ok(())
}

fn add_index(transaction: &Transaction<'_>, table: &str, column: &str) -> Result<(), Failure> {
    let name = identifier(&format!("{table} by {column}"));
    let (table, column) = (identifier(table), identifier(column));
    transaction
        .execute(&format!("CREATE INDEX {name} ON {table} ({column})"), [])
        .map(drop)
        .map_err(|error| unusable(&error))
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn bad_file(file: &CsvTable, code: &'static str, told: &str) -> Failure {
    Failure::data(
        code,
        format!("`{}`, the table `{}`: {told}", file.path.display(), file.name),
    )
}

fn bad_line(file: &CsvTable, error: &csv::Error) -> Failure {
    let line = error.position().map_or(0, csv::Position::line);
    let (code, told) = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => ("csv.not_utf8", format!("line {line} is not UTF-8 text")),
        _ => ("csv.unreadable", error.to_string()),
    };
    bad_file(file, code, &told)
}
