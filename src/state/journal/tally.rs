use std::collections::{BTreeMap, HashMap};

use crate::model::ItemKey;

use super::JournalEntry;

/// Failures of one code that are told one by one in each item.
const TOLD_FAILURES: u64 = 20;

/// Counts what is not told one by one. Holds only the items in work, so it is bounded by the item slots and the failure codes.
#[derive(Default)]
pub(super) struct Tally {
    items: HashMap<ItemKey, ItemTally>,
}

#[derive(Default)]
struct ItemTally {
    failures: BTreeMap<String, u64>,
    retries: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts the entry, and says whether it has a line of its own.
    pub(super) fn admit(&mut self, entry: &JournalEntry) -> bool {
        match entry {
            JournalEntry::UnitFailed { item, failure, .. } => {
                let count = count(&mut self.item(item).failures, &failure.code);
                *count += 1;
                *count <= TOLD_FAILURES
            }
            JournalEntry::UnitRetried { item, failure } => {
                *count(&mut self.item(item).retries, &failure.code) += 1;
                false
            }
            _ => true,
        }
    }

    /// The sums of an item that is finished.
    pub(super) fn finish(&mut self, item: &str) -> Vec<JournalEntry> {
        let Some((item, tally)) = self.items.remove_entry(item) else {
            return Vec::new();
        };
        let failures = tally
            .failures
            .into_iter()
            .filter(|(_, failures)| *failures > TOLD_FAILURES);
        let failures = failures.map(|(code, failures)| JournalEntry::FailuresCounted {
            item: item.clone(),
            code,
            failures,
        });
        let retries = tally
            .retries
            .into_iter()
            .map(|(code, retries)| JournalEntry::RetriesCounted {
                item: item.clone(),
                code,
                retries,
            });
        failures.chain(retries).collect()
    }

    /// The items that have not been finished, as a stopped run leaves them.
    pub(super) fn unfinished(&self) -> Vec<ItemKey> {
        let mut items: Vec<ItemKey> = self.items.keys().cloned().collect();
        items.sort();
        items
    }

    fn item(&mut self, item: &str) -> &mut ItemTally {
        self.items.entry(item.to_owned()).or_default()
    }
}

fn count<'a>(counts: &'a mut BTreeMap<String, u64>, code: &str) -> &'a mut u64 {
    counts.entry(code.to_owned()).or_default()
}
