use std::collections::BTreeMap;

use crate::model::Failure;
use crate::plan::UnitDecision;
use crate::state::StateError;

use super::names::NameMark;

/// What one item contributes, in the order of its list.
pub enum Found {
    Units(Vec<UnitDecision>),
    /// Units that the ledger has as settled.
    Settled {
        names: Vec<String>,
        /// Their rows, as `mark_row` has them, where a plan is held against them.
        rows: Vec<NameMark>,
        /// Messages about them that are still to be sent, by step.
        messages: BTreeMap<String, u64>,
    },
    /// A completed item: its units, and their names where another item could give the same.
    Completed {
        units: u64,
        names: Vec<String>,
    },
    Listing(Failure),
    State(StateError),
}
