use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::connect::cell_text;
use crate::model::{ColumnMapping, Failure, ItemId};

/// A file of the rows of one chunk that did not go over, one JSON object to a line. It is made with the first such row, and a chunk that is
/// tried again writes it anew.
pub struct Rejects {
    path: PathBuf,
    table: String,
    chunk: String,
    columns: Vec<ColumnMapping>,
    key: Vec<String>,
    file: Mutex<Option<BufWriter<File>>>,
}

/// One line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RejectedRow {
    pub table: String,
    pub chunk: String,
    /// The row's primary key, or the whole row where it has none.
    pub key: Map<String, Value>,
    pub code: String,
    pub reason: String,
    /// Texts and NULL by the columns' names at the source, without what could not be read.
    pub row: Map<String, Value>,
    /// The columns that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// Where the rejected rows of a chunk stand.
pub fn rejects_path(folder: &Path, item: ItemId, page: u32, unit: u32) -> PathBuf {
    folder.join(format!("{item}-{page}-{unit}.jsonl"))
}

/// Removes what all chunks of a table have written down.
///
/// # Errors
/// `rejects.file`: a file that cannot be removed.
pub fn remove_rejects(folder: &Path, item: ItemId) -> Result<(), Failure> {
    let of_item = format!("{item}-");
    let is_of_item = |name: &OsStr| name.to_string_lossy().starts_with(&of_item);
    let broken = |error: std::io::Error| {
        let message = format!(
            "a file of rejected rows in `{}` cannot be removed: {error}",
            folder.display()
        );
        Failure::permanent("rejects.file", message)
    };
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(broken)?,
    };
    for entry in entries {
        let entry = entry.map_err(broken)?;
        if is_of_item(&entry.file_name()) {
            std::fs::remove_file(entry.path()).map_err(broken)?;
        }
    }
    Ok(())
}

/// Reads what a chunk has written down. Gives the number of rows; none, where somebody has taken the file away.
///
/// # Errors
/// `rejects.file`: the file cannot be read, or is not one that a run has written.
pub fn read_rejects(path: &Path, mut each: impl FnMut(&RejectedRow)) -> Result<u64, Failure> {
    let mut rows = 0;
    let broken = |error: &dyn std::fmt::Display| {
        Failure::permanent("rejects.file", format!("`{}` cannot be read: {error}", path.display()))
    };
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(rows),
        file => file.map_err(|error| broken(&error))?,
    };
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| broken(&error))?;
        each(&serde_json::from_str(&line).map_err(|error| broken(&error))?);
        rows += 1;
    }
    Ok(rows)
}

impl Rejects {
    /// `key` are columns of the sink. What an earlier attempt on the chunk has written goes: its rows are offered once more.
    pub fn new(path: PathBuf, table: String, chunk: String, columns: Vec<ColumnMapping>, key: Vec<String>) -> Self {
        // Where it cannot be removed it cannot be written either, which is told then.
        let _ = std::fs::remove_file(&path);
        Self {
            path,
            table,
            chunk,
            columns,
            key,
            file: Mutex::new(None),
        }
    }

    /// Writes a batch of a single row down; what stands in the `unread` columns, by their places, is not known and left out.
    ///
    /// # Errors
    /// `rejects.file`: the file cannot be written. The chunk fails then: a row must not be lost without a word.
    pub fn write(&self, batch: &RecordBatch, unread: &[usize], failure: &Failure) -> Result<(), Failure> {
        let cells = self.columns.iter().zip(batch.columns()).enumerate();
        let row: Map<String, Value> = cells
            .filter(|(place, _)| !unread.contains(place))
            .map(|(_, (column, values))| {
                let text = cell_text(column.carry, values, 0);
                (column.source.clone(), text.map_or(Value::Null, Value::String))
            })
            .collect();
        let is_key = |column: &&ColumnMapping| self.key.is_empty() || self.key.contains(&column.target);
        let key = self.columns.iter().filter(is_key);
        let key = key.filter_map(|column| Some((column.source.clone(), row.get(&column.source)?.clone())));
        let line = RejectedRow {
            table: self.table.clone(),
            chunk: self.chunk.clone(),
            key: key.collect(),
            code: failure.code.to_string(),
            reason: failure.message.clone(),
            row: row.clone(),
            unread: unread
                .iter()
                .filter_map(|place| Some(self.columns.get(*place)?.source.clone()))
                .collect(),
        };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            let made = self
                .path
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| File::create(&self.path));
            *file = Some(BufWriter::new(made.map_err(|error| self.broken(&error))?));
        }
        let Some(file) = file.as_mut() else { return Ok(()) };
        serde_json::to_writer(&mut *file, &line)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(|error| self.broken(&error))
    }

    /// Puts everything on the disk, before the chunk counts as done.
    pub fn close(&self) -> Result<(), Failure> {
        match self.file.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            Some(file) => file
                .into_inner()
                .map_err(|error| error.into_error())
                .and_then(|file| file.sync_data())
                .map_err(|error| self.broken(&error)),
        }
    }

    fn broken(&self, error: &std::io::Error) -> Failure {
        Failure::permanent(
            "rejects.file",
            format!("`{}` cannot be written: {error}", self.path.display()),
        )
    }
}
