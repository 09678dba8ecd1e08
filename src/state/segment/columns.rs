use serde::{Deserialize, Serialize};

use crate::model::{ContentHash, EffectRecord, EffectStatus, Failure, HashKind, RowCount, UnitRecord, UnitStatus};

use super::names::{Names, narrow, shared_end};

/// The ledger of a page, column by column: like stands beside like, which is what compression lives on. All columns have one
/// entry a unit, except `failures`.
#[derive(Serialize, Deserialize)]
pub(super) struct Columns {
    statuses: Vec<UnitStatus>,
    existed: Vec<bool>,
    /// 0 where the size is unknown, else the size and one.
    sizes: Vec<u64>,
    hash_kinds: Vec<HashKind>,
    /// The hashes' bytes without gaps; `hash_kinds` tells how many each unit has.
    hashes: Vec<u8>,
    attempts: Vec<u32>,
    rows: Vec<RowCount>,
    targets: Names,
    /// How many last bytes a unit's source has in common with its target.
    shared_ends: Vec<u32>,
    /// The sources without those.
    source_starts: Names,
    /// Only of the units that have one, by number.
    failures: Vec<(u32, Failure)>,
    effects: Effects,
}

/// The effects of all units, one behind the other.
#[derive(Default, Serialize, Deserialize)]
struct Effects {
    /// How many each unit has.
    counts: Vec<u32>,
    /// The names of the steps, each once.
    steps: Vec<String>,
    /// Which of them each effect is of.
    step_numbers: Vec<u32>,
    statuses: Vec<EffectStatus>,
    attempts: Vec<u32>,
    /// Only of the effects that have one, by number.
    bodies: Vec<(u32, String)>,
    failures: Vec<(u32, Failure)>,
}

impl Columns {
    pub(super) fn of(records: &[UnitRecord]) -> Self {
        let mut columns = Self {
            statuses: records.iter().map(|record| record.status).collect(),
            existed: records.iter().map(|record| record.existed).collect(),
            sizes: records
                .iter()
                .map(|record| record.size.map_or(0, |size| size.saturating_add(1)))
                .collect(),
            hash_kinds: Vec::with_capacity(records.len()),
            hashes: Vec::new(),
            attempts: records.iter().map(|record| record.attempts).collect(),
            // Files have none, and none take no room.
            rows: if records.iter().all(|record| record.rows == RowCount::default()) {
                Vec::new()
            } else {
                records.iter().map(|record| record.rows).collect()
            },
            targets: Names::of(records.iter().map(|record| record.target.as_str())),
            shared_ends: Vec::with_capacity(records.len()),
            source_starts: Names::default(),
            failures: Vec::new(),
            effects: Effects::of(records),
        };
        let mut starts = Vec::with_capacity(records.len());
        for (unit, record) in (0..).zip(records) {
            let hash = record.hash.as_ref().filter(|hash| width(hash.kind) == hash.bytes.len());
            columns.hash_kinds.push(hash.map_or(HashKind::None, |hash| hash.kind));
            columns.hashes.extend(hash.iter().flat_map(|hash| &hash.bytes));
            if let Some(failure) = &record.failure {
                columns.failures.push((unit, failure.clone()));
            }
            let shared = shared_end(&record.source, &record.target);
            columns.shared_ends.push(narrow(shared));
            starts.push(&record.source[..record.source.len() - shared]);
        }
        columns.source_starts = Names::of(starts);
        columns
    }

    /// The records again; `None` if the columns contradict each other, as only damage or a defect can make them.
    pub(super) fn into_records(self) -> Option<Vec<UnitRecord>> {
        let count = self.statuses.len();
        let even = [
            self.existed.len(),
            self.sizes.len(),
            self.hash_kinds.len(),
            self.attempts.len(),
            self.shared_ends.len(),
        ];
        let rows_fit = self.rows.is_empty() || self.rows.len() == count;
        if even.iter().any(|length| *length != count) || !rows_fit {
            return None;
        }
        let targets = self.targets.into_texts(count)?;
        let starts = self.source_starts.into_texts(count)?;
        let mut effects = self.effects.into_records(count)?.into_iter();
        let mut hashes = self.hashes.as_slice();
        let mut records = Vec::with_capacity(count);
        for (unit, (target, start)) in targets.into_iter().zip(starts).enumerate() {
            let kind = self.hash_kinds[unit];
            let (hash, rest) = hashes.split_at_checked(width(kind))?;
            hashes = rest;
            let shared = usize::try_from(self.shared_ends[unit]).ok()?;
            let end = target.get(target.len().checked_sub(shared)?..)?;
            records.push(UnitRecord {
                source: start + end,
                target,
                size: self.sizes[unit].checked_sub(1),
                rows: self.rows.get(unit).copied().unwrap_or_default(),
                existed: self.existed[unit],
                status: self.statuses[unit],
                hash: (kind != HashKind::None).then(|| ContentHash {
                    kind,
                    bytes: hash.to_vec(),
                }),
                attempts: self.attempts[unit],
                failure: None,
                effects: effects.next()?,
            });
        }
        for (unit, failure) in self.failures {
            records.get_mut(usize::try_from(unit).ok()?)?.failure = Some(failure);
        }
        Some(records)
    }
}

impl Effects {
    fn of(records: &[UnitRecord]) -> Self {
        let mut effects = Self::default();
        for record in records {
            effects.counts.push(narrow(record.effects.len()));
            for effect in &record.effects {
                let number = narrow(effects.statuses.len());
                let step = effects.number_of(&effect.step);
                effects.step_numbers.push(step);
                effects.statuses.push(effect.status);
                effects.attempts.push(effect.attempts);
                if let Some(body) = &effect.body {
                    effects.bodies.push((number, body.clone()));
                }
                if let Some(failure) = &effect.failure {
                    effects.failures.push((number, failure.clone()));
                }
            }
        }
        effects
    }

    fn number_of(&mut self, step: &str) -> u32 {
        let known = self.steps.iter().position(|known| known == step);
        narrow(known.unwrap_or_else(|| {
            self.steps.push(step.to_owned());
            self.steps.len() - 1
        }))
    }

    /// By unit.
    fn into_records(self, count: usize) -> Option<Vec<Vec<EffectRecord>>> {
        let even = [self.step_numbers.len(), self.attempts.len()];
        if self.counts.len() != count || even.iter().any(|length| *length != self.statuses.len()) {
            return None;
        }
        let steps = &self.steps;
        let columns = self.step_numbers.into_iter().zip(self.statuses).zip(self.attempts);
        let record = |((step, status), attempts)| {
            Some(EffectRecord {
                step: steps.get(usize::try_from(step).ok()?)?.clone(),
                status,
                body: None,
                attempts,
                failure: None,
            })
        };
        let mut all: Vec<EffectRecord> = columns.map(record).collect::<Option<_>>()?;
        for (number, body) in self.bodies {
            all.get_mut(usize::try_from(number).ok()?)?.body = Some(body);
        }
        for (number, failure) in self.failures {
            all.get_mut(usize::try_from(number).ok()?)?.failure = Some(failure);
        }
        let mut all = all.into_iter();
        let mut by_unit = Vec::with_capacity(count);
        for length in self.counts {
            let length = usize::try_from(length).ok()?;
            let effects: Vec<EffectRecord> = all.by_ref().take(length).collect();
            if effects.len() != length {
                return None;
            }
            by_unit.push(effects);
        }
        all.next().is_none().then_some(by_unit)
    }
}

/// Bytes of a hash of this kind.
fn width(kind: HashKind) -> usize {
    match kind {
        HashKind::Sha256 | HashKind::Blake3 => 32,
        HashKind::Crc32c => 4,
        HashKind::None => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_record()(
            source in "[ab/é]{0,8}", target in "[ab/é]{0,8}", size in proptest::option::of(0..u64::MAX),
            existed: bool, status in 0..4u8, hash in 0..4u8, attempts: u32, failed: bool,
            bodies in proptest::collection::vec(proptest::option::of("[a-z]{0,4}"), 0..3),
        ) -> UnitRecord {
            let kind = [HashKind::Sha256, HashKind::Blake3, HashKind::Crc32c, HashKind::None][usize::from(hash)];
            UnitRecord {
                source, target, size, existed, attempts, rows: Default::default(),
                status: [UnitStatus::Pending, UnitStatus::Done, UnitStatus::Present, UnitStatus::Failed][usize::from(status)],
                hash: (kind != HashKind::None).then(|| ContentHash { kind, bytes: vec![7; width(kind)] }),
                failure: failed.then(|| Failure::data("name.empty", "the name is empty")),
                effects: bodies
                    .into_iter()
                    .map(|body| EffectRecord {
                        step: if attempts % 2 == 0 { "notify" } else { "archive" }.to_owned(),
                        status: if body.is_some() { EffectStatus::Pending } else { EffectStatus::Sent },
                        failure: failed.then(|| Failure::data("queue.body", "too large")),
                        attempts,
                        body,
                    })
                    .collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn records_come_back_from_their_columns(records in proptest::collection::vec(any_record(), 0..40)) {
            prop_assert_eq!(Columns::of(&records).into_records(), Some(records));
        }
    }

    #[test]
    fn columns_that_contradict_each_other_are_refused() {
        let record = UnitRecord {
            source: "a/x".to_owned(),
            target: "b/x".to_owned(),
            size: None,
            existed: false,
            rows: Default::default(),
            status: UnitStatus::Done,
            hash: None,
            attempts: 1,
            failure: None,
            effects: Vec::new(),
        };
        let damage: [fn(&mut Columns); 8] = [
            |columns| columns.effects.step_numbers.push(0),
            |columns| columns.effects.counts.push(0),
            |columns| columns.effects.statuses.push(EffectStatus::Sent),
            |columns| columns.sizes.clear(),
            |columns| columns.hash_kinds[0] = HashKind::Sha256,
            |columns| columns.shared_ends[0] = 99,
            |columns| columns.targets.lengthen_first(),
            |columns| columns.failures.push((9, Failure::cancelled())),
        ];
        for damage in damage {
            let mut columns = Columns::of(std::slice::from_ref(&record));
            damage(&mut columns);
            assert_eq!(columns.into_records(), None);
        }
    }
}
