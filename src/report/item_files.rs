use crate::model::{Account, EffectStatus, UnitRecord, UnitStatus};

/// The files of one item on their way into a page for people: all of them are counted, and only as many kept as are shown.
#[derive(Debug)]
pub struct ItemFiles {
    /// The names of the job's steps, in the order of a file's effects.
    steps: Vec<String>,
    shown_max: usize,
    /// Files that some stage still applies to; they are shown first.
    unsettled: Vec<UnitRecord>,
    settled: Vec<UnitRecord>,
    units: Account,
    /// How many files each stage still applies to: `copy` first, then the steps.
    stages: Vec<(String, u64)>,
    has_refused: bool,
}

impl ItemFiles {
    /// Keeps at most `shown_max` files.
    pub fn new(steps: Vec<String>, shown_max: usize) -> Self {
        let stages = std::iter::once(COPY.to_owned()).chain(steps.iter().cloned());
        Self {
            stages: stages.map(|stage| (stage, 0)).collect(),
            steps,
            shown_max,
            unsettled: Vec::new(),
            settled: Vec::new(),
            units: Account::default(),
            has_refused: false,
        }
    }

    pub fn add(&mut self, record: UnitRecord) {
        self.units += Account::of(std::slice::from_ref(&record));
        self.has_refused |= is_refused(&record);
        let stage = self.stage_of(&record).map(str::to_owned);
        let kept = match &stage {
            Some(stage) => {
                let counts = self.stages.iter_mut().filter(|(name, _)| name == stage);
                counts.for_each(|(_, count)| *count += 1);
                &mut self.unsettled
            }
            None => &mut self.settled,
        };
        if kept.len() < self.shown_max {
            kept.push(record);
        }
    }

    /// The stage that a run would take the file up at; `None` when nothing is left to do for it.
    ///
    /// | the file | its effects | stage |
    /// |---|---|---|
    /// | pending, failed | any | `copy` |
    /// | done, present | one is pending, failed or left out | that step, the first of them |
    /// | done, present | all others | – |
    pub fn stage_of(&self, record: &UnitRecord) -> Option<&str> {
        if matches!(record.status, UnitStatus::Pending | UnitStatus::Failed) {
            return Some(COPY);
        }
        let mut effects = self.steps.iter().zip(&record.effects);
        let is_owed = |status| {
            matches!(
                status,
                EffectStatus::Pending | EffectStatus::Failed | EffectStatus::LeftOut
            )
        };
        effects
            .find(|(_, effect)| is_owed(effect.status))
            .map(|(step, _)| step.as_str())
    }

    /// Those that are shown, the ones with something left to do first.
    pub fn shown(&self) -> impl Iterator<Item = &UnitRecord> {
        self.unsettled.iter().chain(&self.settled).take(self.shown_max)
    }

    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// All of them by state.
    pub fn units(&self) -> &Account {
        &self.units
    }

    /// How many files each stage still applies to.
    pub fn stages(&self) -> &[(String, u64)] {
        &self.stages
    }

    /// Whether a file among them was refused before any attempt.
    pub fn has_refused(&self) -> bool {
        self.has_refused
    }

    pub fn hidden(&self) -> u64 {
        let shown = self.shown().count() as u64;
        self.units.planned().saturating_sub(shown)
    }
}

/// Refused before any attempt: only another list or another spec cures it.
pub(super) fn is_refused(record: &UnitRecord) -> bool {
    record.status == UnitStatus::Failed && record.attempts == 0
}

const COPY: &str = "copy";
