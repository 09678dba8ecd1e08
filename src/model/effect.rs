use serde::{Deserialize, Serialize};

use super::Failure;

/// Where one effect of a unit stands: what a step such as `notify` owes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectStatus {
    /// Owed.
    #[default]
    Pending,
    /// Sent at least once.
    Sent,
    /// Not asked for: the object was there already and the step is for written ones.
    NotDue,
    /// The step was left out (`--skip`); made up by a run of its stage.
    LeftOut,
    Failed,
    /// Its unit failed, so that there is nothing to tell.
    Blocked,
}

impl EffectStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::NotDue => "not_due",
            Self::LeftOut => "left_out",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
        }
    }
}

/// What one step will do for a unit, rendered while the unit's row is at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectIntent {
    pub body: String,
    /// Why the body could not be rendered: then this effect fails, not its unit.
    pub refusal: Option<Failure>,
}

/// The ledger's line about one effect of a unit; a unit has one for each step, in the order of the spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectRecord {
    pub status: EffectStatus,
    /// Kept for as long as it may still be needed.
    pub body: Option<String>,
    /// Attempts over all runs.
    pub attempts: u32,
    pub failure: Option<Failure>,
}

impl EffectRecord {
    /// An effect before its first result.
    pub fn pending(intent: &EffectIntent) -> Self {
        Self {
            status: EffectStatus::Pending,
            body: intent.refusal.is_none().then(|| intent.body.clone()),
            attempts: 0,
            failure: intent.refusal.clone(),
        }
    }

    pub fn apply(&mut self, outcome: &EffectOutcome) {
        self.status = outcome.status;
        self.attempts += outcome.attempts;
        self.failure.clone_from(&outcome.failure);
        if matches!(self.status, EffectStatus::Sent | EffectStatus::NotDue) {
            self.body = None;
        }
    }
}

/// What became of one effect in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectOutcome {
    pub status: EffectStatus,
    /// Attempts in this run.
    pub attempts: u32,
    pub failure: Option<Failure>,
}
