use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{read_if_there, replace_file};
use super::{Change, State, StateError};
use crate::model::{ItemId, ItemKey, ItemSummary};

/// The stage behind which statements are given back.
const STAGE: &str = "constraints";

/// What a table owes to the sink: keys that were taken away to empty or replace it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owed {
    key: ItemKey,
    ordinal: u64,
    statements: Vec<String>,
}

/// Writes down beside the database what a state owes, before the state is forgotten: nobody else knows of it any more. Returns how many
/// statements there are.
pub fn keep_owed(state: &State) -> Result<usize, StateError> {
    let path = state.folder().owed();
    // A restart that was cut off may have left some that the state does not have yet.
    let mut kept = match read_if_there(&path)? {
        Some(text) => decoded(&path, &text)?,
        None => Vec::new(),
    };
    for found in state.items() {
        let (_, summary) = found?;
        let statements = summary.owed().to_vec();
        if !statements.is_empty() && !kept.iter().any(|owed| owed.key == summary.key) {
            let (key, ordinal) = (summary.key, summary.ordinal);
            kept.push(Owed {
                key,
                ordinal,
                statements,
            });
        }
    }
    if !kept.is_empty() {
        let text = serde_json::to_vec(&kept).map_err(|_| StateError::Unencodable)?;
        replace_file(&path, &text)?;
    }
    Ok(kept.iter().map(|owed| owed.statements.len()).sum())
}

/// Takes over what the state before this one owed. A kill at any moment leaves it in the file, in the state, or in both.
pub async fn take_over_owed(state: &State) -> Result<(), StateError> {
    let path = state.folder().owed();
    let Some(text) = read_if_there(&path)? else {
        return Ok(());
    };
    let writer = state.writer()?;
    for owed in decoded(&path, &text)? {
        let known = state.item(ItemId::of(&owed.key))?;
        let mut summary = known.unwrap_or_else(|| ItemSummary::new(owed.key, owed.ordinal));
        let standing = &mut summary.stage(STAGE).owed;
        for statement in owed.statements {
            if !standing.contains(&statement) {
                standing.push(statement);
            }
        }
        writer.send_durable(Change::Item(summary)).await?.wait().await?;
    }
    // Closing joins a thread that has nothing left to do: everything above is durable.
    writer.close()?;
    fs::remove_file(&path).map_err(StateError::io("remove", &path))
}

fn decoded(path: &Path, text: &[u8]) -> Result<Vec<Owed>, StateError> {
    serde_json::from_slice(text).map_err(|error| StateError::io("read", path)(error.into()))
}
