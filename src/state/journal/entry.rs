use serde::{Deserialize, Serialize};

use crate::model::{Account, Failure, ItemKey, ItemStatus, Timestamp};
use crate::state::RunRecord;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Milliseconds since 1970-01-01 UTC.
    pub at: Timestamp,
    pub entry: JournalEntry,
}

/// What a line tells. On disk: `{"kind": "unit_failed", …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JournalEntry {
    RunStarted {
        run: RunRecord,
    },
    RunEnded {
        run: RunRecord,
    },
    ItemStarted {
        item: ItemKey,
        slot: usize,
    },
    ItemFinished {
        item: ItemKey,
        status: ItemStatus,
        units: Account,
        /// Why its units could not be listed.
        listing_failure: Option<Failure>,
    },
    /// A unit failed for good in this run. The first ones of one code in an item are told, later ones counted.
    UnitFailed {
        item: ItemKey,
        /// Its name at the sink, or at the source where none could be rendered.
        unit: String,
        failure: Failure,
    },
    /// An attempt failed and another follows. Never told one by one: see `retries_counted`.
    UnitRetried {
        item: ItemKey,
        failure: Failure,
    },
    /// All failures of one code in an item, when some of them were not told.
    FailuresCounted {
        item: ItemKey,
        code: String,
        failures: u64,
    },
    /// All retries for one code in an item.
    RetriesCounted {
        item: ItemKey,
        code: String,
        retries: u64,
    },
}
