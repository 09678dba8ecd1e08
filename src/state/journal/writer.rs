use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::model::Timestamp;
use crate::state::files::sync_parent;
use crate::state::{StateError, StateFolder};

use super::tally::Tally;
use super::{JournalEntry, JournalLine};

/// No line waits in memory for longer than this, as long as [`Journal::write`] or [`Journal::flush_if_due`] is called.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

const COMPRESSION_LEVEL: i32 = 3;

/// Writes the journal of one run. One owner; every call is cheap, and none waits for the disk beyond the page cache.
pub struct Journal {
    folder: StateFolder,
    run: u64,
    file: BufWriter<File>,
    tally: Tally,
    flushed: Instant,
}

impl Journal {
    /// Begins (or goes on with) the journal of run `run`, and compresses those that earlier, killed runs left open.
    pub fn create(folder: &StateFolder, run: u64) -> Result<Self, StateError> {
        let journal_folder = folder.journal_folder();
        fs::create_dir_all(&journal_folder).map_err(StateError::io("create", &journal_folder))?;
        for (number, path) in folder.journals()? {
            if number != run && path == folder.open_journal(number) {
                compress(&path, &folder.closed_journal(number))?;
            }
        }
        let path = folder.open_journal(run);
        let file = OpenOptions::new().append(true).create(true).open(&path);
        Ok(Self {
            folder: folder.clone(),
            run,
            file: BufWriter::new(file.map_err(StateError::io("open", &path))?),
            tally: Tally::default(),
            flushed: Instant::now(),
        })
    }

    pub fn write(&mut self, entry: JournalEntry) -> Result<(), StateError> {
        if let JournalEntry::ItemFinished { item, .. } = &entry {
            self.write_sums(item)?;
        }
        if self.tally.admit(&entry) {
            self.write_line(&entry)?;
        }
        match entry {
            JournalEntry::UnitFailed { .. } | JournalEntry::UnitRetried { .. } => self.flush_if_due(),
            _ => self.flush(),
        }
    }

    /// For the owner's clock: brings lines to other readers' eyes when none has followed them.
    pub fn flush_if_due(&mut self) -> Result<(), StateError> {
        if self.flushed.elapsed() < FLUSH_EVERY {
            return Ok(());
        }
        self.flush()
    }

    /// Ends the run's journal: sums of unfinished items, then everything compressed.
    pub fn close(mut self) -> Result<(), StateError> {
        for item in self.tally.unfinished() {
            self.write_sums(&item)?;
        }
        self.flush()?;
        compress(&self.path(), &self.folder.closed_journal(self.run))
    }

    fn write_sums(&mut self, item: &str) -> Result<(), StateError> {
        let sums = self.tally.finish(item);
        sums.iter().try_for_each(|sum| self.write_line(sum))
    }

    fn write_line(&mut self, entry: &JournalEntry) -> Result<(), StateError> {
        let line = JournalLine {
            at: Timestamp::now(),
            entry: entry.clone(),
        };
        let mut text = serde_json::to_vec(&line).map_err(|_| StateError::Unencodable)?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|error| self.failed(error))
    }

    fn flush(&mut self) -> Result<(), StateError> {
        self.flushed = Instant::now();
        self.file.flush().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> StateError {
        StateError::io("write", &self.path())(error)
    }

    fn path(&self) -> PathBuf {
        self.folder.open_journal(self.run)
    }
}

/// Replaces a journal by its compressed form; cut off in between, the plain one is still there.
fn compress(plain: &Path, compressed: &Path) -> Result<(), StateError> {
    let temporary = plain.with_extension("tmp");
    let write = || {
        let mut source = BufReader::new(File::open(plain)?);
        let mut target = File::create(&temporary)?;
        zstd::stream::copy_encode(&mut source, &mut target, COMPRESSION_LEVEL)?;
        target.sync_all()?;
        fs::rename(&temporary, compressed)
    };
    write().map_err(StateError::io("compress", plain))?;
    sync_parent(compressed)?;
    fs::remove_file(plain).map_err(StateError::io("remove", plain))
}
