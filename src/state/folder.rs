use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StateError;

/// The folder of one job on one profile, and where each thing stands in it.
///
/// | entry | holds |
/// |---|---|
/// | `lock` | the lock of the process at work, and who that is |
/// | `format.json` | the marker: format, job, profile, the database's id |
/// | `db/` | the database: everything about unfinished work |
/// | `db.commits` | how many commits the database must know |
/// | `segments/00000001.seg` … | the ledger of sealed pages |
/// | `journal/00000001.ndjson[.zst]` … | one log a run |
/// | `status.json` | where the run stands, for other processes |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder {
    path: PathBuf,
}

impl StateFolder {
    /// `path` is the folder itself, as in `.pipeline/reupload/local`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a run has ever made a state here.
    pub fn exists(&self) -> bool {
        self.marker().exists() || self.database().exists()
    }

    /// The runs that have a journal, oldest first, each with its file.
    pub fn journals(&self) -> Result<Vec<(u64, PathBuf)>, StateError> {
        numbered_files(&self.journal_folder(), &["ndjson", "ndjson.zst"])
    }

    /// The journal of one run, plain or compressed; `None` when there is none.
    pub fn journal(&self, run: u64) -> Option<PathBuf> {
        let open = self.open_journal(run);
        let closed = self.closed_journal(run);
        [open, closed].into_iter().find(|path| path.exists())
    }

    /// Rows of tables that were rejected, a file to each chunk.
    pub fn rejects(&self) -> PathBuf {
        self.path.join("rejects")
    }

    pub fn status(&self) -> PathBuf {
        self.path.join("status.json")
    }

    /// What a state that was forgotten owed to the sink, until the next one has taken it over.
    pub(super) fn owed(&self) -> PathBuf {
        self.path.join("owed.json")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub(super) fn marker(&self) -> PathBuf {
        self.path.join("format.json")
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("db")
    }

    pub(super) fn watermark(&self) -> PathBuf {
        self.path.join("db.commits")
    }

    /// Where a database is made before it takes its place. Whatever a killed process left here was never in use.
    pub(super) fn new_database(&self) -> PathBuf {
        self.path.join("db.new")
    }

    pub(super) fn segment_folder(&self) -> PathBuf {
        self.path.join("segments")
    }

    pub(super) fn segment(&self, number: u32) -> PathBuf {
        self.segment_folder().join(format!("{number:08}.seg"))
    }

    /// The segments that exist, in the order in which they were written.
    pub(super) fn segments(&self) -> Result<Vec<(u32, PathBuf)>, StateError> {
        let files = numbered_files(&self.segment_folder(), &["seg"])?;
        Ok(files
            .into_iter()
            .filter_map(|(number, path)| Some((u32::try_from(number).ok()?, path)))
            .collect())
    }

    pub(super) fn journal_folder(&self) -> PathBuf {
        self.path.join("journal")
    }

    pub(super) fn open_journal(&self, run: u64) -> PathBuf {
        self.journal_folder().join(format!("{run:08}.ndjson"))
    }

    pub(super) fn closed_journal(&self, run: u64) -> PathBuf {
        self.journal_folder().join(format!("{run:08}.ndjson.zst"))
    }
}

/// Files named `<number>.<ending>`, by number; other names are not ours and are left out.
fn numbered_files(folder: &Path, endings: &[&str]) -> Result<Vec<(u64, PathBuf)>, StateError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StateError::io("list", folder)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(StateError::io("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some((number, ending)) = name.and_then(|name| name.split_once('.'))
            && endings.contains(&ending)
            && let Ok(number) = number.parse()
        {
            files.push((number, path));
        }
    }
    files.sort();
    Ok(files)
}
