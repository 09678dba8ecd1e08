use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Account, Failure, FailureClass, HashKind, ItemAccount, ItemId, ItemKey, UnitKind};
use crate::state::StateError;

use super::StopCause;

/// Why a run could not go on at all.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the item list could not be read: {0}")]
    ItemList(Failure),
    /// Of a job of tables: the catalogues cannot be read, or the runner's own tables cannot be made.
    #[error("source or sink cannot be worked with: {0}")]
    Tables(Failure),
    #[error("connection `{name}` could not be opened: {failure}")]
    Connection { name: String, failure: Failure },
    #[error("{0}")]
    Selection(String),
    #[error("{0}")]
    Plan(String),
    #[error("a part of the runner ended unexpectedly: {0}")]
    Internal(String),
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunReport {
    pub run: u64,
    /// The items that it was about.
    pub selected: Vec<ItemId>,
    pub items: ItemAccount,
    /// As the run counted them, event by event.
    pub units: Account,
    /// The same as the state's pages hold them at the end: what `units` has to agree with.
    pub held: Account,
    /// Every item has been listed: `units` is all there is.
    pub listed: bool,
    /// Units that this run wrote itself; of tables, the chunks of those that it loaded.
    pub done_now: u64,
    /// Stages of tables that this run brought to their end.
    pub stages_now: u64,
    /// Units that this run found at the sink.
    pub present_now: u64,
    /// Messages that this run sent.
    pub sent_now: u64,
    /// Bytes that this run read from sources.
    pub bytes_moved: u64,
    pub duration: Duration,
    /// Repeated attempts of this run.
    pub retries: u64,
    /// The only stage that was asked for.
    pub stage: Option<String>,
    /// Effects that this stage still owes, when it is a step.
    pub owed_by_stage: u64,
    /// Tables that `--stage constraints` had to leave alone because their rows are not all there.
    pub rows_missing: u64,
    /// Why it ended before its work did, when it did.
    pub stopped: Option<StopCause>,
    /// What the accounts and the states they are derived from disagree on; anything but empty is a defect of the runner.
    pub imbalances: Vec<String>,
    pub hash: HashKind,
    pub unit_kind: UnitKind,
    /// Lists and files that were left alone because they are not as the plan has them.
    pub drifted: u64,
    pub vanished: Vanished,
}

/// Items of a plan that the list does not have any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vanished {
    /// The first few of them.
    pub keys: Vec<ItemKey>,
    pub count: u64,
}

impl Vanished {
    /// Keys that are kept.
    pub const SHOWN: usize = 10;
}

impl RunReport {
    /// Whether this run changed nothing.
    pub fn did_nothing(&self) -> bool {
        self.done_now + self.stages_now + self.present_now + self.sent_now == 0
    }

    /// Whether nothing of what was asked is left to do.
    pub fn is_complete(&self) -> bool {
        let effects = &self.units.effects;
        let copied = self.listed && self.items.failed_listings + self.units.failed + self.units.pending == 0;
        let told = effects.failed + effects.pending == 0;
        match self.stage.as_deref() {
            None => self.items.planned == self.items.done + self.items.skipped && copied && told,
            Some("copy") => copied,
            Some(_) => self.owed_by_stage == 0,
        }
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
