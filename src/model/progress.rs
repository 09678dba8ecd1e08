use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, ItemAccount, ItemKey, TableProgress, Timestamp, UnitKind};

/// Where a run as a whole stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the item list and the state.
    #[default]
    Starting,
    Running,
    /// Asked to stop: what is in flight is finished, nothing new is begun.
    Draining,
    Ended,
}

/// A run at one moment, as its dispatcher sees it. What a progress line, a bar, `status.json` and a callback are made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub phase: Phase,
    /// The number of the run within its state, from 1.
    pub run: u64,
    pub started: Timestamp,
    pub items: ItemAccount,
    /// Units that are known so far; more appear while items are still being listed.
    pub units: Account,
    /// Every item has been listed: `units` is all there is.
    pub listed: bool,
    /// Units that were settled before this run began, and their bytes: not part of this run's rates.
    pub units_before: u64,
    /// Bytes read from sources in this run, of finished and unfinished units.
    pub bytes_moved: u64,
    /// Rows read from sources in this run, of finished and unfinished chunks.
    pub rows_moved: u64,
    pub unit_kind: UnitKind,
    /// Units in flight.
    pub in_flight: u64,
    /// Repeated attempts in this run.
    pub retries: u64,
    /// Work that a connection has throttled in this run.
    pub throttles: Vec<Throttle>,
    /// Connections that are gone and are waited for.
    pub outages: Vec<Outage>,
    /// Failed attempts that ended a unit or a listing in this run, by `class code`.
    pub failures: BTreeMap<String, u64>,
    /// By slot, the item it works on.
    pub slots: BTreeMap<usize, ItemKey>,
    /// Every table of a job of tables; empty for any other.
    pub tables: BTreeMap<ItemKey, TableProgress>,
}

impl Progress {
    /// Items that have come to their end, for better or worse; tables when their rows have, though keys between them come behind the last of them.
    pub fn items_over(&self) -> u64 {
        match self.unit_kind {
            UnitKind::File => self.items.planned.saturating_sub(self.items.pending),
            UnitKind::Chunk => self.tables.values().filter(|table| table.is_over()).count() as u64,
        }
    }
}

/// How a connection's throttling answers have lowered what is in flight to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// The stage whose work it is: `copy`, a step's name, or `list` where only lists are read.
    pub stage: String,
    pub connection: String,
    /// Calls in flight to it now, at most.
    pub limit: u64,
    /// What the spec allows; `limit` has grown back when it is the same.
    pub ceiling: u64,
    /// The lowest that `limit` has been.
    pub lowest: u64,
    /// How often it was lowered.
    pub cuts: u64,
    /// The status of the answer that lowered it last, or the failure's code where it had none.
    pub answer: String,
}

impl Throttle {
    /// Whether less is in flight than the spec allows.
    pub fn is_in_force(&self) -> bool {
        self.limit < self.ceiling
    }
}

/// A connection that is gone: nothing new is begun with it before it answers again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    pub connection: String,
    /// When it was noticed.
    pub since: Timestamp,
    /// How often it was asked since.
    pub probes: u64,
    /// Of the failure that the last question met.
    pub code: String,
}
