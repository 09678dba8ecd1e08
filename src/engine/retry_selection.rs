use std::collections::HashMap;

use crate::model::{ItemKey, UnitRecord, UnitStatus, redact};

/// Which failures are put back: all of them, or those that a file names.
#[derive(Clone, Debug, Default)]
pub struct RetrySelection {
    /// `None` for everything.
    items: Option<HashMap<ItemKey, Named>>,
}

/// What is named of one item.
#[derive(Clone, Debug, Default)]
struct Named {
    /// The item alone was named: all of its failures.
    whole: bool,
    /// Names at the sink; true for those that were found missing there.
    targets: HashMap<String, bool>,
}

impl RetrySelection {
    /// Every failure of every item.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Nothing, until something is added.
    pub fn nothing() -> Self {
        Self {
            items: Some(HashMap::new()),
        }
    }

    /// Adds an item, or one of its files where `target` names one; one that `is_missing` at the sink is put back even though it is done.
    pub fn add(&mut self, item: &str, target: Option<&str>, is_missing: bool) {
        let named = self.items.get_or_insert_default().entry(item.to_owned()).or_default();
        match target.filter(|target| !target.is_empty()) {
            Some(target) => *named.targets.entry(target.to_owned()).or_default() |= is_missing,
            None => named.whole = true,
        }
    }

    /// The keys that are named; none for everything.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.items.iter().flat_map(HashMap::keys).map(String::as_str)
    }

    pub(super) fn has_item(&self, key: &str) -> bool {
        self.items.as_ref().is_none_or(|items| items.contains_key(key))
    }

    /// Whether all failures of an item are meant, that of its list among them.
    pub(super) fn has_whole_item(&self, key: &str) -> bool {
        self.named(key).is_none_or(|named| named.whole)
    }

    /// Whether the failure of a unit is meant. Names are compared as exports write them, without credentials.
    pub(super) fn has_unit(&self, key: &str, record: &UnitRecord) -> bool {
        let Some(named) = self.named(key) else { return true };
        named.whole || named.targets.contains_key(redact(&record.target).as_ref())
    }

    /// Whether a unit is settled in the ledger and named as missing at the sink.
    pub(super) fn has_missing(&self, key: &str, record: &UnitRecord) -> bool {
        matches!(record.status, UnitStatus::Done | UnitStatus::Present)
            && self
                .named(key)
                .and_then(|named| named.targets.get(redact(&record.target).as_ref()))
                .is_some_and(|is_missing| *is_missing)
    }

    /// Whether pages without a failure have to be looked at as well.
    pub(super) fn may_have_missing(&self, key: &str) -> bool {
        self.named(key)
            .is_some_and(|named| named.targets.values().any(|is_missing| *is_missing))
    }

    fn named(&self, key: &str) -> Option<&Named> {
        self.items.as_ref()?.get(key)
    }
}
