use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Failure, ItemKey, ObjectVersion};

use super::{AtSink, Collision, CollisionKind, Decision, Known};

/// The plan's decisions over the enumerated items and units.
///
/// Holds counts, the first few of everything that has to be shown, and no unit: it stays small whatever the job's size.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub items: u64,
    /// Items that the ledger has as completed: not listed again.
    pub items_completed: u64,
    /// Units by what would happen to them (`copy`, `present`, …).
    pub decisions: BTreeMap<&'static str, u64>,
    /// Bytes of the units to copy or overwrite whose size is known.
    pub bytes: u64,
    /// Of those units, how many tell no size.
    pub sizes_unknown: u64,
    /// Units by the code of their refusal.
    pub refusals: BTreeMap<String, u64>,
    /// Messages that a run would send, by step.
    pub messages: BTreeMap<String, u64>,
    /// Items whose unit list could not be read.
    pub failed_listings: Vec<(ItemKey, Failure)>,
    /// A sample of source → target names.
    pub samples: Vec<Sample>,
    pub collisions: BTreeMap<CollisionKind, u64>,
    /// The first few collisions of any kind.
    pub collision_samples: Vec<Collision>,
}

impl Inventory {
    /// Samples and collisions kept for showing.
    pub const SHOWN: usize = 10;

    pub fn count(&self, decision: &str) -> u64 {
        self.decisions.get(decision).copied().unwrap_or(0)
    }

    /// Of all steps.
    pub fn messages_to_send(&self) -> u64 {
        self.messages.values().sum()
    }

    /// Whether a run would do anything.
    pub fn has_work(&self) -> bool {
        self.items > self.items_completed
            && self
                .decisions
                .iter()
                .any(|(name, count)| *name != "settled" && *count > 0)
            || !self.failed_listings.is_empty()
            || self.messages_to_send() > 0
    }
}

/// What would happen to one unit, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitDecision {
    pub item: ItemKey,
    pub source: String,
    pub target: String,
    /// Bytes, where known.
    pub size: Option<u64>,
    pub decision: Decision,
    /// The steps that have a message to send about it, should it get to the sink.
    pub owes: Vec<String>,
    /// What the ledger said.
    pub known: Known,
    /// Of the object at the source, where it was told or asked.
    pub version: Option<ObjectVersion>,
    /// What stood at the target.
    pub at_sink: Option<AtSink>,
    /// A digest over the messages about it, 0 where there are none or the ledger has them.
    pub messages: u64,
}

/// One line of the sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    pub item: ItemKey,
    pub source: String,
    pub target: String,
    pub decision: &'static str,
    pub reason: String,
}
