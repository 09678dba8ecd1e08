use crate::model::{Account, EffectRecord, EffectStatus, ItemId, ItemStatus, ItemSummary, UnitRecord, UnitStatus};
use crate::state::{Change, State, StateError, StateWriter};

use super::RetrySelection;
use super::failed::in_list_order;

/// What was put back to pending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PutBack {
    /// Files that an attempt had failed on.
    pub failed: u64,
    /// Files that were done and have been found missing.
    pub missing: u64,
    /// Files that had been refused before any attempt: their items are listed anew.
    pub refused: u64,
    /// Items that are listed anew.
    pub listed_anew: u64,
    /// Messages.
    pub effects: u64,
    /// Messages whose text could not be made from their row: they stay failed.
    pub effects_left: u64,
}

impl PutBack {
    pub fn is_empty(&self) -> bool {
        self.failed + self.missing + self.refused + self.listed_anew + self.effects == 0
    }
}

/// Puts failures back to pending, for the next run.
///
/// | what | becomes |
/// |---|---|
/// | a file that an attempt failed on | pending |
/// | a file that is done and named as missing | pending, as one that this job meant to write where nothing stood |
/// | a file that was refused before any attempt | forgotten; the item is listed anew, by names, and what its list has now is met there |
/// | a list that could not be read | not read; the item is listed anew, by names |
/// | a message that could not be sent | owed |
/// | anything else | stays |
///
/// Each page is replaced together with the item's summary in one step, so that a kill leaves every page either as it was or put back.
pub async fn put_back(state: &State, writer: &StateWriter, selection: &RetrySelection) -> Result<PutBack, StateError> {
    let mut total = PutBack::default();
    let is_wanted = |summary: &ItemSummary| {
        let has_failed = failures(&summary.units) > 0 || summary.listing_failure.is_some();
        summary.status != ItemStatus::Skipped
            && selection.has_item(&summary.key)
            && (has_failed || selection.may_have_missing(&summary.key))
    };
    for id in in_list_order(state, is_wanted)? {
        put_item_back(state, writer, selection, id, &mut total).await?;
    }
    Ok(total)
}

async fn put_item_back(
    state: &State,
    writer: &StateWriter,
    selection: &RetrySelection,
    id: ItemId,
    total: &mut PutBack,
) -> Result<(), StateError> {
    let Some(mut summary) = state.item(id)? else {
        return Ok(());
    };
    let before = *total;
    let pages = state.pages(id)?;
    summary.units = pages.iter().fold(Account::default(), |mut sum, page| {
        sum += page.account();
        sum
    });
    let mut listed_anew = false;
    if summary.listing_failure.is_some() && selection.has_whole_item(&summary.key) {
        summary.listing_failure = None;
        listed_anew = true;
    }
    for page in pages {
        let account = page.account();
        if failures(&account) == 0 && !selection.may_have_missing(&summary.key) {
            continue;
        }
        let number = page.page();
        let records = state.records(page)?;
        let (kept, put_back) = sift(&records, &summary.key, selection);
        total.effects_left += put_back.effects_left;
        if kept == records {
            continue;
        }
        add(total, &put_back);
        listed_anew |= put_back.refused > 0;
        mark_pending(&mut summary, listed_anew);
        summary.units -= account;
        summary.units += Account::of(&kept);
        let sealed = Change::SealPage {
            item: id,
            page: number,
            records: kept,
            summary: summary.clone(),
        };
        writer.send_durable(sealed).await?.wait().await?;
    }
    if listed_anew || *total != before {
        total.listed_anew += u64::from(listed_anew);
        mark_pending(&mut summary, listed_anew);
        writer.send_durable(Change::Item(summary)).await?.wait().await?;
    }
    Ok(())
}

fn mark_pending(summary: &mut ItemSummary, listed_anew: bool) {
    summary.status = ItemStatus::Pending;
    if listed_anew {
        summary.listed = false;
        summary.listed_by_name = true;
    }
}

/// The records of a page as they are put back, without those that the list has to tell anew, and what was done.
fn sift(records: &[UnitRecord], key: &str, selection: &RetrySelection) -> (Vec<UnitRecord>, PutBack) {
    let mut counts = PutBack::default();
    let mut kept = Vec::with_capacity(records.len());
    for record in records {
        let mut record = record.clone();
        if selection.has_missing(key, &record) {
            counts.missing += 1;
            record.existed = false;
            // What was copied had this size; no list has told that what is there now has it.
            record.size = None;
            reopen(&mut record);
        } else if selection.has_unit(key, &record) {
            if record.status == UnitStatus::Failed && record.attempts == 0 {
                counts.refused += 1;
                continue;
            }
            if record.status == UnitStatus::Failed {
                counts.failed += 1;
                reopen(&mut record);
            }
            let failed = record.effects.iter_mut();
            for effect in failed.filter(|effect| effect.status == EffectStatus::Failed) {
                owe_again(effect, &mut counts);
            }
        }
        kept.push(record);
    }
    (kept, counts)
}

fn reopen(record: &mut UnitRecord) {
    record.status = UnitStatus::Pending;
    record.hash = None;
    record.failure = None;
}

fn owe_again(effect: &mut EffectRecord, counts: &mut PutBack) {
    if effect.body.is_none() {
        counts.effects_left += 1;
        return;
    }
    effect.status = EffectStatus::Pending;
    effect.failure = None;
    counts.effects += 1;
}

fn failures(account: &Account) -> u64 {
    account.failed + account.effects.failed
}

fn add(total: &mut PutBack, page: &PutBack) {
    total.failed += page.failed;
    total.missing += page.missing;
    total.refused += page.refused;
    total.effects += page.effects;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EffectIntent, Failure, UnitIntent};

    fn record(target: &str, status: UnitStatus, attempts: u32) -> UnitRecord {
        let mut record = UnitRecord::pending(&UnitIntent {
            source: format!("in/{target}"),
            target: target.to_owned(),
            size: None,
            existed: true,
            refusal: None,
            effects: Vec::new(),
        });
        record.status = status;
        record.attempts = attempts;
        record.failure = (status == UnitStatus::Failed).then(|| Failure::data("x", "y"));
        record
    }

    #[test]
    fn each_kind_of_failure_goes_its_own_way() {
        let mut done = record("told", UnitStatus::Done, 1);
        for body in ["{}", ""] {
            let intent = EffectIntent {
                step: "notify".to_owned(),
                body: body.to_owned(),
                refusal: body.is_empty().then(|| Failure::data("x", "y")),
            };
            let mut effect = EffectRecord::pending(&intent);
            effect.status = EffectStatus::Failed;
            done.effects.push(effect);
        }
        let records = [
            record("tried", UnitStatus::Failed, 2),
            record("refused", UnitStatus::Failed, 0),
            done,
        ];
        let (kept, counts) = sift(&records, "a", &RetrySelection::everything());
        let names: Vec<_> = kept
            .iter()
            .map(|record| (record.target.as_str(), record.status))
            .collect();
        assert_eq!(names, [("tried", UnitStatus::Pending), ("told", UnitStatus::Done)]);
        assert_eq!((kept[0].attempts, &kept[0].failure), (2, &None));
        assert_eq!(kept[1].effects[0].status, EffectStatus::Pending);
        assert_eq!(kept[1].effects[1].status, EffectStatus::Failed);
        assert_eq!((counts.failed, counts.refused), (1, 1));
        assert_eq!((counts.effects, counts.effects_left), (1, 1));
    }

    #[test]
    fn only_what_is_named_is_put_back() {
        use UnitStatus::{Done, Failed, Pending};
        let mut selection = RetrySelection::nothing();
        selection.add("a", Some("one"), false);
        selection.add("a", Some("gone"), true);
        selection.add("b", None, false);
        let records = [
            record("one", Failed, 1),
            record("two", Failed, 1),
            record("gone", Done, 1),
        ];
        let statuses = |key: &str| -> Vec<UnitStatus> {
            let (kept, _) = sift(&records, key, &selection);
            kept.iter().map(|record| record.status).collect()
        };
        assert_eq!(statuses("a"), [Pending, Failed, Pending]);
        assert_eq!(statuses("b"), [Pending, Pending, Done]);
        assert!(!selection.has_item("c"));
        let (kept, _) = sift(&records, "a", &selection);
        assert!(!kept[2].existed, "what is missing is written where nothing stands");
    }
}
