use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Account, PageIntent, Timestamp, UnitRecord, UnitResult};

/// The vars a job was started with; fixed until `--restart`.
pub type Vars = BTreeMap<String, String>;

/// Per stage, a digest over what decides what "done" means there.
pub type StageFingerprints = BTreeMap<String, String>;

/// One execution of the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// From 1, without gaps.
    pub number: u64,
    pub started: Timestamp,
    /// Absent while it runs, and for good when it was killed.
    pub ended: Option<Timestamp>,
    pub outcome: Option<RunOutcome>,
    pub pid: u32,
    pub host: String,
    /// The spec file as it was given.
    pub spec_path: String,
    pub profile: String,
    pub vars: Vars,
}

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Nothing of what was asked is left to do.
    Complete,
    /// It came to the end of its work, with failures.
    Failures,
    /// A limit stopped it with work left.
    Stopped,
    /// A signal stopped it.
    Interrupted,
    /// It could not go on.
    Fatal,
}

/// Where a sealed page stands in the ledger, and what of it is needed without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedReference {
    pub segment: u32,
    /// Of the block's first byte in its segment.
    pub offset: u64,
    /// Of the block with its header, in bytes.
    pub length: u32,
    pub units: u32,
    pub account: Account,
    /// The cursor of the enumeration, from the page's intent: rows before this page, and the digest up to its end.
    pub rows_before: u64,
    pub digest: [u8; 16],
}

/// A page of an item as a resume finds it.
#[derive(Clone, Debug, PartialEq)]
pub enum PageState {
    /// Not sealed, or taken up again after that.
    Open {
        page: u32,
        intent: PageIntent,
        /// One for each unit: what was sealed, if anything, with all later results taken in.
        records: Vec<UnitRecord>,
        /// There is a sealed ledger from before, which `records` continues.
        reopened: bool,
    },
    Sealed {
        page: u32,
        reference: SealedReference,
    },
}

impl PageState {
    pub fn page(&self) -> u32 {
        match self {
            Self::Open { page, .. } | Self::Sealed { page, .. } => *page,
        }
    }

    /// The page's units by state.
    pub fn account(&self) -> Account {
        match self {
            Self::Open { records, .. } => Account::of(records),
            Self::Sealed { reference, .. } => reference.account,
        }
    }
}

/// The ledger of an open page: the base with the results in their order. A result for a unit that the page does not have is
/// left out, as it can only come from damage.
pub(super) fn merge(mut base: Vec<UnitRecord>, results: impl IntoIterator<Item = UnitResult>) -> Vec<UnitRecord> {
    for result in results {
        let unit = usize::try_from(result.unit).ok();
        if let Some(record) = unit.and_then(|unit| base.get_mut(unit)) {
            record.apply(&result);
        }
    }
    base
}

/// The end of what the database knows of the segments. Bytes behind it belong to a commit that never came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SegmentTail {
    /// 0 before the first segment.
    pub segment: u32,
    pub length: u64,
}
