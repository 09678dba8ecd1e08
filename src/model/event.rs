use serde::{Deserialize, Serialize};

use super::{EffectStatus, Failure, ItemId, ItemSummary, PageIntent, UnitRecord, UnitResult, UnitStatus};

/// What the executor of an item tells the rest of the run. It is the contract of that seam: serialisable, and complete enough
/// that state, journal, accounts and progress all follow from it alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A slot took the item up.
    ItemStarted { slot: usize, summary: ItemSummary },
    /// The targets of a page that has no results yet, before its first effect. Must be durable before work goes on.
    PageOpened {
        item: ItemId,
        page: u32,
        intent: PageIntent,
        summary: ItemSummary,
    },
    /// A sealed page was taken up again for its unsettled units. Must be durable before work goes on.
    PageReopened {
        item: ItemId,
        page: u32,
        intent: PageIntent,
        records: Vec<UnitRecord>,
        summary: ItemSummary,
    },
    /// An attempt failed and another follows.
    UnitRetried {
        item: ItemId,
        page: u32,
        unit: u32,
        failure: Failure,
    },
    /// A unit came to its end in this run; `previous` and `previous_effects` are where it stood before.
    UnitFinished {
        item: ItemId,
        page: u32,
        previous: UnitStatus,
        previous_effects: Vec<EffectStatus>,
        result: UnitResult,
        /// Of a unit that failed, or whose message did: its name at the sink, or at the source where it has none.
        name: Option<String>,
    },
    /// Every unit of the page has a result: its ledger can be sealed.
    PageFinished {
        item: ItemId,
        page: u32,
        records: Vec<UnitRecord>,
        summary: ItemSummary,
    },
    /// A stage of the item has come to another standing.
    ItemChanged { summary: ItemSummary },
    /// The slot lets go of the item.
    ItemFinished { slot: usize, summary: ItemSummary },
}
