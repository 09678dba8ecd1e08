use crate::model::{Account, EffectStatus, ItemId, ItemSummary, UnitRecord, UnitStatus};
use crate::state::{PageState, State, StateError};

/// The ids of the items that `is_wanted` picks, in the order of the item list. Holds 24 bytes for each.
pub fn in_list_order(
    state: &State,
    is_wanted: impl Fn(&ItemSummary) -> bool,
) -> Result<impl Iterator<Item = ItemId>, StateError> {
    let mut items = Vec::new();
    for found in state.items() {
        let (id, summary) = found?;
        if is_wanted(&summary) {
            items.push((summary.ordinal, id));
        }
    }
    items.sort_unstable();
    Ok(items.into_iter().map(|(_, id)| id))
}

/// Visits every failure that the state holds of items that are not skipped, in the order of the item list: the item alone for a list that could not be read, and each unit
/// that has failed. Reads only the pages that hold one. Blocks on the disk.
pub fn each_failure(state: &State, mut visit: impl FnMut(&ItemSummary, Option<&UnitRecord>)) -> Result<(), StateError> {
    let has_failed =
        |summary: &ItemSummary| failures(&summary.in_accounts(summary.units)) > 0 || summary.has_failed_listing();
    for id in in_list_order(state, has_failed)? {
        let Some(summary) = state.item(id)? else { continue };
        if summary.listing_failure.is_some() {
            visit(&summary, None);
        }
        for page in state.pages(id)? {
            if failures(&page.account()) == 0 {
                continue;
            }
            let records = match page {
                PageState::Open { records, .. } => records,
                PageState::Sealed { reference, .. } => state.read_page(&reference)?,
            };
            let failed = records.iter().filter(|record| has_failed_in(record));
            failed.for_each(|record| visit(&summary, Some(record)));
        }
    }
    Ok(())
}

fn failures(account: &Account) -> u64 {
    account.failed + account.effects.failed
}

fn has_failed_in(record: &UnitRecord) -> bool {
    record.status == UnitStatus::Failed
        || record
            .effects
            .iter()
            .any(|effect| effect.status == EffectStatus::Failed)
}
