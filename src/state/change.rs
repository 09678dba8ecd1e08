use crate::model::{ItemId, ItemSummary, PageIntent, UnitRecord, UnitResult};

use super::{RunRecord, StageFingerprints, Vars};

/// One thing for the writer to record. Changes become durable in the order in which they were sent, and no later one before an
/// earlier one.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An item's summary, new or changed.
    Item(ItemSummary),
    /// A page before its first effect. It starts without results, whatever was recorded under its number before.
    OpenPage {
        item: ItemId,
        page: u32,
        intent: PageIntent,
        summary: ItemSummary,
    },
    /// Units that came to their end in this run; of one unit the last one counts.
    Results {
        item: ItemId,
        page: u32,
        results: Vec<UnitResult>,
    },
    /// A page with a ledger is taken up again for its unsettled units, before their first effect. `records` is what the page
    /// holds now, so it is not stored again: the sealed ledger stays the base of what follows until the page is sealed anew.
    ReopenPage {
        item: ItemId,
        page: u32,
        intent: PageIntent,
        records: Vec<UnitRecord>,
        summary: ItemSummary,
    },
    /// The whole ledger of a page; it takes the place of intent and results.
    SealPage {
        item: ItemId,
        page: u32,
        records: Vec<UnitRecord>,
        summary: ItemSummary,
    },
    Job(JobRecord),
    /// The next page that is sealed begins a new segment.
    BeginSegment,
}

/// A record of the job as a whole.
#[derive(Clone, Debug, PartialEq)]
pub enum JobRecord {
    Vars(Vars),
    Fingerprints(StageFingerprints),
    /// A run that starts or ends, under its number.
    Run(RunRecord),
}
