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

/// Failures of one kind in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailureCount {
    pub class: FailureClass,
    pub code: String,
    pub count: u64,
    /// The first one, as an example, with the item it came from.
    pub example: String,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    pub run: u64,
    pub items: ItemAccount,
    pub units: Account,
    /// Units that this run settled itself.
    pub settled_now: u64,
    /// Bytes that this run read from sources.
    pub bytes_moved: u64,
    pub duration: Duration,
    pub stopped: Option<StopReason>,
    /// This run's failures by class and code, most frequent first.
    pub failures: Vec<FailureCount>,
    /// What the accounts and the states they are derived from disagree on; anything but empty is a defect of the runner.
    pub imbalances: Vec<String>,
    pub hash: HashKind,
}

impl RunReport {
    /// Whether nothing of what was asked is left to do.
    pub fn is_complete(&self) -> bool {
        self.items.planned == self.items.done && self.units.failed == 0 && self.units.pending == 0
    }

    /// Whether every failure that is left may pass when it is tried again. Failures of earlier runs that this one did not repeat
    /// count as lasting: they were left because a repetition cannot cure them.
    pub fn is_retryable(&self) -> bool {
        let counted: u64 = self.failures.iter().map(|failure| failure.count).sum();
        self.failures.iter().all(|failure| failure.class.is_retryable())
            && counted >= self.units.failed + self.items.failed_listings
    }
}

/// Failures by class and code while they come in.
#[derive(Debug, Default)]
pub struct FailureTally {
    by_kind: BTreeMap<(FailureClass, String), (u64, String)>,
}

impl FailureTally {
    pub fn count(&mut self, item: &str, failure: &Failure) {
        let kind = (failure.class, failure.code.clone().into_owned());
        let entry = self
            .by_kind
            .entry(kind)
            .or_insert_with(|| (0, format!("item `{item}`: {}", failure.message)));
        entry.0 += 1;
    }

    /// Counts by `class code`, for progress.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.by_kind
            .iter()
            .map(|((class, code), (count, _))| (format!("{class} {code}"), *count))
            .collect()
    }

    pub fn into_counts(self) -> Vec<FailureCount> {
        let mut counts: Vec<FailureCount> = self
            .by_kind
            .into_iter()
            .map(|((class, code), (count, example))| FailureCount {
                class,
                code,
                count,
                example,
            })
            .collect();
        counts.sort_by_key(|failure| std::cmp::Reverse(failure.count));
        counts
    }
}
