use serde::{Deserialize, Serialize};

use crate::model::{ObjectVersion, PlannedBasis, PlannedDecision, PlannedObject, PlannedUnit};
use crate::state::segment::{Names, narrow, shared_end};

/// The units of a frame, column by column, as the ledger keeps them: like stands beside like.
#[derive(Serialize, Deserialize)]
pub(super) struct PlannedColumns {
    decisions: Vec<PlannedDecision>,
    /// 0 where the size is unknown, else the size and one.
    sizes: Vec<u64>,
    versions: Vec<Option<ObjectVersion>>,
    messages: Vec<u64>,
    targets: Names,
    /// How many last bytes a unit's source has in common with its target.
    shared_ends: Vec<u32>,
    /// The sources without those.
    source_starts: Names,
    /// Only of the units that met one, by number.
    at_sink: Vec<(u32, PlannedObject)>,
    /// The code of each refusal, by number.
    codes: Vec<(u32, String)>,
}

impl PlannedColumns {
    pub(super) fn of(units: &[PlannedUnit]) -> Self {
        let shared: Vec<usize> = units
            .iter()
            .map(|unit| shared_end(&unit.source, &unit.target))
            .collect();
        let starts = units
            .iter()
            .zip(&shared)
            .map(|(unit, shared)| &unit.source[..unit.source.len() - shared]);
        let numbered = || (0..).zip(units);
        Self {
            decisions: units.iter().map(|unit| unit.basis.decision).collect(),
            sizes: units
                .iter()
                .map(|unit| unit.basis.size.map_or(0, |size| size.saturating_add(1)))
                .collect(),
            versions: units.iter().map(|unit| unit.basis.version).collect(),
            messages: units.iter().map(|unit| unit.basis.messages).collect(),
            targets: Names::of(units.iter().map(|unit| unit.target.as_str())),
            source_starts: Names::of(starts),
            shared_ends: shared.iter().map(|shared| narrow(*shared)).collect(),
            at_sink: numbered()
                .filter_map(|(number, unit)| Some((number, unit.basis.at_sink?)))
                .collect(),
            codes: numbered()
                .filter_map(|(number, unit)| Some((number, unit.basis.code.as_deref()?.to_owned())))
                .collect(),
        }
    }

    /// The units again; `None` if the columns contradict each other, as only damage or a defect can make them.
    pub(super) fn into_units(self) -> Option<Vec<PlannedUnit>> {
        let count = self.decisions.len();
        let lengths = [
            self.sizes.len(),
            self.versions.len(),
            self.messages.len(),
            self.shared_ends.len(),
        ];
        if lengths.iter().any(|length| *length != count) {
            return None;
        }
        let targets = self.targets.into_texts(count)?;
        let starts = self.source_starts.into_texts(count)?;
        let mut units = Vec::with_capacity(count);
        for (unit, (target, start)) in targets.into_iter().zip(starts).enumerate() {
            let shared = usize::try_from(self.shared_ends[unit]).ok()?;
            let end = target.get(target.len().checked_sub(shared)?..)?;
            units.push(PlannedUnit {
                source: start + end,
                target,
                basis: PlannedBasis {
                    decision: self.decisions[unit],
                    code: None,
                    size: self.sizes[unit].checked_sub(1),
                    version: self.versions[unit],
                    at_sink: None,
                    messages: self.messages[unit],
                },
            });
        }
        for (unit, found) in self.at_sink {
            units.get_mut(usize::try_from(unit).ok()?)?.basis.at_sink = Some(found);
        }
        for (unit, code) in self.codes {
            units.get_mut(usize::try_from(unit).ok()?)?.basis.code = Some(code.into());
        }
        Some(units)
    }
}
