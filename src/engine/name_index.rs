use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use unicode_normalization::UnicodeNormalization;

use crate::plan::{Collision, CollisionKind, Inventory, collision_form};
use crate::state::{NameLog, Scratch, SortRecord, Sorter, StateError};

use super::names::{NameMark, mark};

/// Different names, and which of them only some stores tell apart. In bounded memory, whatever their number: what is known of each
/// is sorted on disk, and the names of the few that are shown are looked up at the end.
#[derive(Debug)]
pub struct NameIndex {
    /// Of each name the form in which all collisions are equal, its number, and its normalised form.
    forms: Sorter,
    names: NameLog,
}

/// What of the names meets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NameCollisions {
    pub counts: BTreeMap<CollisionKind, u64>,
    /// The first few, in the order of the later name.
    pub samples: Vec<Collision>,
}

/// A name that met an earlier one; in the order of the later name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    second: u64,
    first: u64,
    kind: CollisionKind,
}

impl NameIndex {
    pub fn new(scratch: &Scratch) -> Self {
        Self {
            forms: Sorter::new(scratch.clone()),
            names: NameLog::new(scratch.clone()),
        }
    }

    /// Takes in a name that is none of the earlier ones.
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub fn push(&mut self, name: &str) -> Result<(), StateError> {
        let number = self.names.push(name)?;
        let (form, normalised) = marks(name);
        self.forms.push([form, number, normalised])
    }

    /// # Errors
    /// [`StateError::Io`]
    pub fn finish(mut self) -> Result<NameCollisions, StateError> {
        let mut tally = Tally::default();
        let mut group: Vec<SortRecord> = Vec::new();
        self.forms.finish(|record| {
            if group.first().is_some_and(|first| first[0] != record[0]) {
                tally.take(&group);
                group.clear();
            }
            group.push(record);
        })?;
        tally.take(&group);
        let shown = tally.shown.into_sorted_vec();
        let numbers: BTreeSet<u64> = shown.iter().flat_map(|met| [met.first, met.second]).collect();
        let names = if numbers.is_empty() {
            BTreeMap::new()
        } else {
            self.names.names(&numbers)?
        };
        let name = |number: u64| names.get(&number).cloned().unwrap_or_default();
        let samples = shown.iter().map(|met| Collision {
            kind: met.kind,
            first: name(met.first),
            second: name(met.second),
        });
        Ok(NameCollisions {
            counts: tally.counts,
            samples: samples.collect(),
        })
    }
}

/// The name in the form in which names that some file system takes for one are equal, and normalised.
fn marks(name: &str) -> (NameMark, NameMark) {
    let form = collision_form(name);
    if name.is_ascii() {
        let normalised = mark(name);
        let form = if form == name { normalised } else { mark(&form) };
        return (form, normalised);
    }
    (mark(&form), mark(&name.nfc().collect::<String>()))
}

#[derive(Debug, Default)]
struct Tally {
    counts: BTreeMap<CollisionKind, u64>,
    shown: BinaryHeap<Met>,
}

impl Tally {
    /// Takes the names of one form, in the order in which they came.
    fn take(&mut self, group: &[SortRecord]) {
        let [first, later @ ..] = group else { return };
        if later.is_empty() {
            return;
        }
        let mut normalised = HashMap::from([(first[2], first[1])]);
        for record in later {
            let equal = normalised.get(&record[2]).copied();
            normalised.entry(record[2]).or_insert(record[1]);
            let kind = match equal {
                Some(_) => CollisionKind::Normalised,
                None => CollisionKind::CaseFolded,
            };
            *self.counts.entry(kind).or_default() += 1;
            self.shown.push(Met {
                second: record[1],
                first: equal.unwrap_or(first[1]),
                kind,
            });
            if self.shown.len() > Inventory::SHOWN {
                self.shown.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::StateFolder;

    /// The same by looking at every name for every name.
    fn expected(names: &[String]) -> NameCollisions {
        let mut expected = NameCollisions::default();
        for (index, second) in names.iter().enumerate() {
            let earlier = || names[..index].iter();
            let normalised = earlier().find(|first| first.nfc().eq(second.nfc()));
            let folded = earlier().find(|first| collision_form(first) == collision_form(second));
            let (kind, first) = match (normalised, folded) {
                (Some(first), _) => (CollisionKind::Normalised, first),
                (None, Some(first)) => (CollisionKind::CaseFolded, first),
                (None, None) => continue,
            };
            *expected.counts.entry(kind).or_default() += 1;
            if expected.samples.len() < Inventory::SHOWN {
                let (first, second) = (first.clone(), second.clone());
                expected.samples.push(Collision { kind, first, second });
            }
        }
        expected
    }

    fn found(names: &[String], scratch: &Scratch, records_max: usize) -> NameCollisions {
        let mut index = NameIndex {
            forms: Sorter::bounded(scratch.clone(), records_max),
            names: NameLog::new(scratch.clone()),
        };
        for name in names {
            index.push(name).unwrap();
        }
        index.finish().unwrap()
    }

    proptest! {
        #[test]
        fn names_that_meet_are_found_in_memory_and_over_the_disk(names in "([aAbüÜ]|u\u{308}|U\u{308}){1,3}( ([aAbüÜ]|u\u{308}|U\u{308}){1,3}){0,60}") {
            let mut seen = BTreeSet::new();
            let names: Vec<String> = names.split(' ').filter(|name| seen.insert(*name)).map(str::to_owned).collect();
            let folder = tempfile::tempdir().unwrap();
            let scratch = Scratch::beside(&StateFolder::new(folder.path()));
            let expected = expected(&names);
            prop_assert_eq!(&found(&names, &scratch, 5), &expected);
            prop_assert_eq!(&found(&names, &scratch, 1_000), &expected);
        }
    }
}
