use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::model::{Account, Failure, FailureClass, HashKind, ItemAccount};
use crate::state::StateError;

/// Why a run could not go on at all.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the item list could not be read: {0}")]
    ItemList(Failure),
    #[error("connection `{name}` could not be opened: {failure}")]
    Connection { name: String, failure: Failure },
    #[error("stopped after several files in a row were denied, the last one with: {0}")]
    Denied(Failure),
    #[error("a part of the runner ended unexpectedly: {0}")]
    Internal(String),
}

/// Why a run ended before its work did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It was asked to, and everything in flight came to its end.
    Drained,
    /// It was asked twice: units in flight were given up.
    Aborted,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    pub run: u64,
    pub items: ItemAccount,
    pub units: Account,
    /// Every item has been listed: `units` is all there is.
    pub listed: bool,
    /// Units that this run wrote itself.
    pub done_now: u64,
    /// Units that this run found at the sink.
    pub present_now: u64,
    /// Bytes that this run read from sources.
    pub bytes_moved: u64,
    pub duration: Duration,
    /// Repeated attempts of this run.
    pub retries: u64,
    pub stopped: Option<StopReason>,
    /// What the accounts and the states they are derived from disagree on; anything but empty is a defect of the runner.
    pub imbalances: Vec<String>,
    pub hash: HashKind,
}

impl RunReport {
    /// Whether nothing of what was asked is left to do.
    pub fn is_complete(&self) -> bool {
        self.items.planned == self.items.done && self.units.failed == 0 && self.units.pending == 0
    }
}

/// Failures by class and code while they come in.
#[derive(Debug, Default)]
pub struct FailureTally {
    counts: BTreeMap<(FailureClass, Cow<'static, str>), u64>,
}

impl FailureTally {
    pub fn count(&mut self, failure: &Failure) {
        *self.counts.entry((failure.class, failure.code.clone())).or_default() += 1;
    }

    /// By `class code`, for progress.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts
            .iter()
            .map(|((class, code), count)| (format!("{class} {code}"), *count))
            .collect()
    }
}
