use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::model::ItemSummary;
use crate::report::ExportedFile;
use crate::state::RunRecord;

use super::ledger_database::LedgerDatabase;

/// A file that the ledger is written to, line by line, in the form that its name ends with.
pub enum LedgerFile {
    Csv(Box<csv::Writer<File>>),
    Jsonl(BufWriter<File>),
    Sqlite(LedgerDatabase),
}

impl LedgerFile {
    /// The endings that are known.
    pub const ENDINGS: &'static str = "`.csv`, `.jsonl` or `.sqlite`";

    /// Begins the file at `path`; `None` when `form` is no known ending.
    pub fn create(path: &Path, form: &str) -> io::Result<Option<Self>> {
        Ok(Some(match form {
            "csv" => {
                let file = File::create(path)?;
                let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
                writer.write_record(ExportedFile::COLUMNS)?;
                Self::Csv(Box::new(writer))
            }
            "jsonl" => Self::Jsonl(BufWriter::new(File::create(path)?)),
            "sqlite" => Self::Sqlite(LedgerDatabase::create(path).map_err(io::Error::other)?),
            _ => return Ok(None),
        }))
    }

    /// Adds an item, where the form has a place for items.
    pub fn item(&mut self, summary: &ItemSummary) -> io::Result<()> {
        match self {
            Self::Csv(_) | Self::Jsonl(_) => Ok(()),
            Self::Sqlite(database) => database.item(summary).map_err(io::Error::other),
        }
    }

    pub fn file(&mut self, file: &ExportedFile) -> io::Result<()> {
        match self {
            Self::Csv(writer) => Ok(writer.serialize(file)?),
            Self::Jsonl(out) => {
                serde_json::to_writer(&mut *out, file)?;
                out.write_all(b"\n")
            }
            Self::Sqlite(database) => database.file(file).map_err(io::Error::other),
        }
    }

    /// Adds the runs, where the form has a place for them, and ends the file.
    pub fn finish(self, runs: &[RunRecord]) -> io::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::Jsonl(mut out) => out.flush(),
            Self::Sqlite(database) => database.finish(runs).map_err(io::Error::other),
        }
    }
}
