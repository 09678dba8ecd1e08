use std::fs;
use std::io;
use std::path::Path;

use crate::model::{Account, ItemId};

use super::database::Database;
use super::files::remove_folder;
use super::lock::Lock;
use super::marker::Marker;
use super::open::{Opened, emptied, open_marked};
use super::segment::{BlockWalk, Walked};
use super::{Holder, Identity, PageState, State, StateError, StateFolder};

/// One thing that is not as it should be.
#[derive(Debug)]
pub enum Finding {
    /// The database cannot be opened, or a record of it cannot be read. `pipeline state rebuild` helps.
    Database(StateError),
    /// A page of the ledger that the database refers to cannot be read. `pipeline state rebuild` helps: the page is done again.
    Page {
        item: String,
        page: u32,
        problem: StateError,
    },
    /// A summary contradicts its pages.
    Account {
        item: String,
        claimed: Account,
        counted: Account,
    },
    /// Bytes in a segment that nothing refers to and that are no block. Harmless: a commit was cut off there.
    Torn { segment: u32, offset: u64 },
}

/// What the doctor saw.
#[derive(Debug, Default)]
pub struct Diagnosis {
    pub findings: Vec<Finding>,
    pub items: u64,
    /// Sealed pages that read back whole.
    pub sealed_pages: u64,
    /// Pages that a rebuild would do again.
    pub open_pages: u64,
    /// Whole blocks in the segments, referred to or not: what a rebuild can keep.
    pub blocks: u64,
}

impl Diagnosis {
    /// Whether a run can go on as things are.
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| matches!(finding, Finding::Torn { .. }))
    }
}

/// Examines a state without changing it: the database is opened as a copy, because opening alone may alter a damaged one.
///
/// # Errors
/// Only what keeps it from looking: the state is in use, another job's, or the copy cannot be made.
pub fn doctor(folder: &StateFolder, identity: &Identity, holder: &Holder) -> Result<Diagnosis, StateError> {
    let lock = Lock::take(folder, holder)?;
    let mut diagnosis = Diagnosis::default();
    for (segment, path) in folder.segments()? {
        for walked in BlockWalk::open(&path)? {
            match walked {
                Walked::Block { .. } => diagnosis.blocks += 1,
                Walked::Torn { offset } => diagnosis.findings.push(Finding::Torn { segment, offset }),
                // Named below with its page if anything refers to it.
                Walked::Damaged(_) => {}
            }
        }
    }
    let copy = folder.path().join("db.examined");
    remove_folder(&copy)?;
    let database = copy_folder(&folder.database(), &copy)
        .map_err(StateError::io("copy the database for examination to", &copy))
        .and_then(|()| open_copy(folder, identity, &copy));
    let examined = match database {
        Ok(database) => examine(
            &State::examined(folder, Opened { database, _lock: lock }),
            &mut diagnosis,
        ),
        Err(problem) => Err(problem),
    };
    remove_folder(&copy)?;
    match examined {
        Err(
            problem @ (StateError::Damaged { .. } | StateError::Emptied { .. } | StateError::DamagedSegment { .. }),
        ) => {
            diagnosis.findings.push(Finding::Database(problem));
            Ok(diagnosis)
        }
        other => other.map(|()| diagnosis),
    }
}

fn open_copy(folder: &StateFolder, identity: &Identity, copy: &Path) -> Result<Database, StateError> {
    match Marker::read(folder, identity)? {
        Some(marker) => open_marked(folder, copy, &marker),
        None if Database::is_missing(copy) => Err(emptied(folder)),
        None => Database::open(folder, copy),
    }
}

fn examine(state: &State, diagnosis: &mut Diagnosis) -> Result<(), StateError> {
    for item in state.items() {
        let (id, summary) = item?;
        diagnosis.items += 1;
        examine_item(state, id, &summary.key, diagnosis)?;
    }
    for finding in state.audit()? {
        diagnosis.findings.push(Finding::Account {
            item: finding.item,
            claimed: finding.claimed,
            counted: finding.counted,
        });
    }
    state.runs().and(state.vars()).and(state.fingerprints()).map(|_| ())
}

fn examine_item(state: &State, id: ItemId, key: &str, diagnosis: &mut Diagnosis) -> Result<(), StateError> {
    for page in state.pages(id)? {
        match page {
            PageState::Open { .. } => diagnosis.open_pages += 1,
            PageState::Sealed { page, reference } => match state.read_page(&reference) {
                Ok(_) => diagnosis.sealed_pages += 1,
                Err(problem) => diagnosis.findings.push(Finding::Page {
                    item: key.to_owned(),
                    page,
                    problem,
                }),
            },
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
