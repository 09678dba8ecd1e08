use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ItemKey, Timestamp};

/// Which version of an object it is: a digest of the mark that its store gives it, or of its time of change where the store has no marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectVersion(pub u64);

impl ObjectVersion {
    /// `None` when a store tells neither. Listings and single answers of one store may put a mark in quotes or not; that is no difference.
    pub fn of(etag: Option<&str>, modified: Option<Timestamp>) -> Option<Self> {
        let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
        match (etag.filter(|etag| !etag.is_empty()), modified) {
            (Some(etag), _) => Some(Self(short_digest(etag.as_bytes()))),
            (None, Some(modified)) => Some(Self(short_digest(&modified.0.to_be_bytes()))),
            (None, None) => None,
        }
    }
}

/// The first eight bytes of the SHA-256.
pub fn short_digest(bytes: &[u8]) -> u64 {
    let mut short = [0; 8];
    short.copy_from_slice(&Sha256::digest(bytes)[..8]);
    u64::from_be_bytes(short)
}

/// What a plan has decided about a unit. One that the ledger has as settled stands in no plan file: nothing is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlannedDecision {
    Copy,
    Overwrite,
    Present,
    Compare,
    Refuse,
}

impl PlannedDecision {
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Overwrite => "overwrite",
            Self::Present => "present",
            Self::Compare => "compare",
            Self::Refuse => "refuse",
        }
    }

    /// Whether the bytes at the source matter for it.
    pub fn reads_source(self) -> bool {
        matches!(self, Self::Copy | Self::Overwrite | Self::Compare)
    }
}

/// The object that stood at a unit's target when the plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedObject {
    /// Bytes.
    pub size: u64,
    /// In whole seconds since 1970: a listing and a single answer of the same store agree on no more.
    pub modified_s: Option<i64>,
}

/// One unit of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedUnit {
    pub source: String,
    pub target: String,
    pub basis: PlannedBasis,
}

/// A decision with all that it was made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBasis {
    pub decision: PlannedDecision,
    /// Of a refusal.
    pub code: Option<Cow<'static, str>>,
    /// Bytes at the source, where known.
    pub size: Option<u64>,
    pub version: Option<ObjectVersion>,
    pub at_sink: Option<PlannedObject>,
    /// A digest over the messages that it owes, 0 where it owes none.
    pub messages: u64,
}

/// How far a plan knows an item's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlannedListing {
    /// Its list was read to the end.
    Listed,
    /// The ledger had it as completed: it was not listed.
    Completed,
    /// Its list could not be read.
    Unreadable,
}

/// What a plan was made for: a run of it has to be asked for the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHeader {
    /// The version of `pipeline` that made it, for people.
    pub made_by: String,
    pub made: Timestamp,
    pub job: String,
    /// As it was named on the command line.
    pub spec_path: String,
    pub profile: String,
    /// `--var name=value`, in the order of the command line.
    pub assignments: Vec<(String, String)>,
    /// `--set path=value`, in the order in which they count.
    pub settings: Vec<String>,
    /// All variables of the job, with their defaults.
    pub vars: BTreeMap<String, String>,
    /// `--state`, where it was given.
    pub state: Option<String>,
    /// By stage.
    pub fingerprints: BTreeMap<String, String>,
    /// The sink's, by name.
    pub mode: String,
    pub only: Option<String>,
    pub start_from: Option<String>,
    pub limit: Option<u64>,
}

/// One item of a plan, or a part of its units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedItem {
    pub key: ItemKey,
    pub listing: PlannedListing,
    pub units: Vec<PlannedUnit>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_mark_without_its_quotes_or_else_the_time() {
        let of = |etag| ObjectVersion::of(Some(etag), Some(Timestamp(1)));
        assert_eq!(of("\"abc\""), of("abc"));
        assert_eq!(of("W/\"abc\""), of("abc"));
        assert_ne!(of("abc"), of("abd"));
        assert_eq!(of(""), ObjectVersion::of(None, Some(Timestamp(1))));
        assert_ne!(of(""), ObjectVersion::of(None, Some(Timestamp(2))));
        assert_eq!(ObjectVersion::of(None, None), None);
    }
}
