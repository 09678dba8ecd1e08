use crate::model::{EffectRecord, EffectStatus, ItemId};
use crate::state::{PageState, State, StateError};

/// How many effects of one step are still owed by these items, those that failed included. Reads only the pages that hold any. Blocks on the
/// disk.
pub fn owed(state: &State, items: &[ItemId], step: &str) -> Result<u64, StateError> {
    let mut owed = 0;
    for item in items {
        for page in state.pages(*item)? {
            let effects = page.account().effects;
            if effects.failed + effects.pending == 0 {
                continue;
            }
            let records = match page {
                PageState::Open { records, .. } => records,
                PageState::Sealed { reference, .. } => state.read_page(&reference)?,
            };
            let is_owed = |effect: &EffectRecord| {
                effect.step == step && matches!(effect.status, EffectStatus::Pending | EffectStatus::Failed)
            };
            let effects = records.iter().flat_map(|record| &record.effects);
            owed += effects.filter(|effect| is_owed(effect)).count() as u64;
        }
    }
    Ok(owed)
}
