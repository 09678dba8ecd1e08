use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, ItemAccount, ItemKey, Timestamp};

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
    /// Units in flight.
    pub in_flight: u64,
    /// Repeated attempts in this run.
    pub retries: u64,
    /// Less is in flight than the spec allows, because the other side asked for less.
    pub throttle: Option<Throttle>,
    /// Failed attempts that ended a unit or a listing in this run, by `class code`.
    pub failures: BTreeMap<String, u64>,
    /// By slot, the item it works on.
    pub slots: BTreeMap<usize, ItemKey>,
}

/// A limit of the concurrency tree that has given way to throttling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Leaves in flight now, at most.
    pub limit: u64,
    /// What the spec allows.
    pub ceiling: u64,
    /// Of the failure that cut it last.
    pub code: String,
}
