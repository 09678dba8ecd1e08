use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

use super::files::{read_if_there, replace_file};
use super::{StateError, StateFolder};

/// The format that this version writes. A change of any record, of a key or of a segment block is a new number, and the old
/// format's folder under `tests/fixtures/` stays readable.
pub const FORMAT_VERSION: u32 = 1;

/// Whose state a folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub job: String,
    pub profile: String,
}

/// What `format.json` and the database's format record both say. The two stand in different files, so a database that was
/// emptied, deleted or exchanged is found out: it opens without an error of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub format: u32,
    pub job: String,
    pub profile: String,
    pub created: Timestamp,
    /// Random, 32 hexadecimal digits: tells this database from any other.
    pub database: String,
}

/// The part of a marker that every format shares, so that a newer one can be named instead of being called damaged.
#[derive(Deserialize)]
struct AnyMarker {
    format: u32,
}

impl Marker {
    pub(super) fn new(identity: &Identity) -> Self {
        Self {
            format: FORMAT_VERSION,
            job: identity.job.clone(),
            profile: identity.profile.clone(),
            created: Timestamp::now(),
            database: random_id(),
        }
    }

    /// The folder's marker, checked against whose state it should be; `None` where there is none.
    pub(super) fn read(folder: &StateFolder, identity: &Identity) -> Result<Option<Self>, StateError> {
        let Some(text) = read_if_there(&folder.marker())? else {
            return Ok(None);
        };
        let unreadable = |error: serde_json::Error| StateError::Damaged {
            folder: folder.path().to_owned(),
            problem: format!("`format.json` cannot be read: {error}"),
        };
        let any: AnyMarker = serde_json::from_slice(&text).map_err(unreadable)?;
        if any.format > FORMAT_VERSION {
            return Err(StateError::NewerFormat {
                folder: folder.path().to_owned(),
                found: any.format,
                known: FORMAT_VERSION,
            });
        }
        let marker: Self = serde_json::from_slice(&text).map_err(unreadable)?;
        marker.check_identity(folder, identity)?;
        Ok(Some(marker))
    }

    pub(super) fn write(&self, folder: &StateFolder) -> Result<(), StateError> {
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        replace_file(&folder.marker(), &text)
    }

    pub(super) fn check_identity(&self, folder: &StateFolder, identity: &Identity) -> Result<(), StateError> {
        if self.job == identity.job && self.profile == identity.profile {
            return Ok(());
        }
        Err(StateError::OtherJob {
            folder: folder.path().to_owned(),
            job: self.job.clone(),
            profile: self.profile.clone(),
        })
    }
}

/// Sixteen bytes from the standard library's hash keys, which the operating system seeds: enough to tell databases apart.
fn random_id() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}
