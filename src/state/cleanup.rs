use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::remove_folder;
use super::key::{Key, Kind, Prefix};
use super::records::CommitRecord;
use super::{Change, PageState, SealedReference, State, StateError};

/// What a cleanup took away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Pages that were written anew, out of segments that held dead blocks.
    pub pages: u64,
    pub segments: u64,
    pub journals: u64,
    /// Databases that a rebuild had set aside.
    pub set_aside: u64,
    /// Bytes of the folder before and after, without the database.
    pub bytes_before: u64,
    pub bytes_after: u64,
}

/// Removes what a state does not need any more: dead blocks of the ledger, journals but for the last `journals_kept`, and databases that were set
/// aside.
///
/// A page that lies beside dead blocks is first appended to a new segment. Old segments go only when nothing refers to them any more, so that
/// a kill at any moment leaves every page readable, and the next cleanup goes on.
pub async fn cleanup(state: &State, journals_kept: usize) -> Result<Cleaned, StateError> {
    let mut cleaned = Cleaned {
        bytes_before: bytes_of(state)?,
        ..Cleaned::default()
    };
    cleaned.pages = rewrite(state).await?;
    for path in unreferenced(state)? {
        fs::remove_file(&path).map_err(StateError::io("remove", &path))?;
        cleaned.segments += 1;
    }
    let journals = state.folder().journals()?;
    for (_, path) in journals.iter().rev().skip(journals_kept) {
        fs::remove_file(path).map_err(StateError::io("remove", path))?;
        cleaned.journals += 1;
    }
    for path in set_aside(state.folder().path())? {
        remove_folder(&path)?;
        cleaned.set_aside += 1;
    }
    cleaned.bytes_after = bytes_of(state)?;
    Ok(cleaned)
}

/// Appends every sealed page of a segment with dead blocks to a new one. Returns how many.
async fn rewrite(state: &State) -> Result<u64, StateError> {
    let wasteful = wasteful(state)?;
    if wasteful.is_empty() {
        return Ok(0);
    }
    let writer = state.writer()?;
    writer.send(Change::BeginSegment).await?;
    let mut pages = 0;
    for found in state.items() {
        let (item, summary) = found?;
        for page in state.pages(item)? {
            // A page that is open over a sealed one stays where it is: a run will seal it anew.
            let PageState::Sealed { page, reference } = page else {
                continue;
            };
            if !wasteful.contains(&reference.segment) {
                continue;
            }
            let sealed = Change::SealPage {
                item,
                page,
                records: state.read_page(&reference)?,
                summary: summary.clone(),
            };
            writer.send_durable(sealed).await?.wait().await?;
            pages += 1;
        }
    }
    // Closing joins a thread that has nothing left to do: everything above is durable.
    writer.close()?;
    Ok(pages)
}

/// Segments that hold more than the blocks that are referred to.
fn wasteful(state: &State) -> Result<Vec<u32>, StateError> {
    let live = live_bytes(state)?;
    let mut wasteful = Vec::new();
    for (segment, path) in state.folder().segments()? {
        let length = fs::metadata(&path).map_err(StateError::io("read", &path))?.len();
        if live.get(&segment).is_some_and(|live| *live < length) {
            wasteful.push(segment);
        }
    }
    Ok(wasteful)
}

/// Segments before the one that is written to, to which nothing refers.
fn unreferenced(state: &State) -> Result<Vec<PathBuf>, StateError> {
    let live = live_bytes(state)?;
    let last: Option<CommitRecord> = state.shared.opened.database.get(Key::job(Kind::Commit))?;
    let tail = last.unwrap_or_default().tail.segment;
    let segments = state.folder().segments()?.into_iter();
    let dead = segments.filter(|(segment, _)| *segment < tail && !live.contains_key(segment));
    Ok(dead.map(|(_, path)| path).collect())
}

/// Bytes of each segment that are referred to, by open pages as well.
fn live_bytes(state: &State) -> Result<BTreeMap<u32, u64>, StateError> {
    let mut live: BTreeMap<u32, u64> = BTreeMap::new();
    for found in state.items() {
        let (item, _) = found?;
        let sealed = state
            .shared
            .opened
            .database
            .scan::<SealedReference>(&Prefix::item(item, Kind::Sealed))?;
        for (_, reference) in sealed {
            *live.entry(reference.segment).or_default() += u64::from(reference.length);
        }
    }
    Ok(live)
}

/// Databases that a rebuild has moved aside.
fn set_aside(folder: &Path) -> Result<Vec<PathBuf>, StateError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(StateError::io("list", folder))? {
        let path = entry.map_err(StateError::io("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("db.damaged-") && path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Of segments, journals and databases that were set aside.
fn bytes_of(state: &State) -> Result<u64, StateError> {
    let folder = state.folder();
    let segments = folder.segments()?.into_iter().map(|(_, path)| path);
    let journals = folder.journals()?.into_iter().map(|(_, path)| path);
    let mut files: Vec<PathBuf> = segments.chain(journals).collect();
    for aside in set_aside(folder.path())? {
        let entries = fs::read_dir(&aside).map_err(StateError::io("list", &aside))?;
        files.extend(
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_file()),
        );
    }
    let lengths = files.iter().map(|path| {
        let length = fs::metadata(path).map(|metadata| metadata.len());
        length.map_err(StateError::io("read", path))
    });
    lengths.sum()
}
