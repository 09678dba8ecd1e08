use crate::model::{ItemSummary, UnitRecord, UnitStatus};
use crate::state::{PageState, State, StateError};

/// Visits every failure that the state holds, item by item: the item alone for a list that could not be read, and each unit that has
/// failed. Reads only the pages that hold one. Blocks on the disk.
pub fn each_failure(state: &State, mut visit: impl FnMut(&ItemSummary, Option<&UnitRecord>)) -> Result<(), StateError> {
    for found in state.items() {
        let (id, summary) = found?;
        if summary.listing_failure.is_some() {
            visit(&summary, None);
        }
        if summary.units.failed == 0 {
            continue;
        }
        for page in state.pages(id)? {
            if page.account().failed == 0 {
                continue;
            }
            let records = match page {
                PageState::Open { records, .. } => records,
                PageState::Sealed { reference, .. } => state.read_page(&reference)?,
            };
            let failed = records.iter().filter(|record| record.status == UnitStatus::Failed);
            failed.for_each(|record| visit(&summary, Some(record)));
        }
    }
    Ok(())
}
