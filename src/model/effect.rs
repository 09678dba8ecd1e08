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
    /// The step was left out (`--skip`), or the spec has it no longer; made up by a run of its stage.
    LeftOut,
    Failed,
    /// Its unit failed, so that there is nothing to tell.
    Blocked,
}

impl EffectStatus {
    /// Whether no run will ever do anything about it again.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Sent | Self::NotDue)
    }

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
    /// The step's name: a spec may have its steps in another order by the time when this is due.
    pub step: String,
    pub body: String,
    /// Why the body could not be rendered: then this effect fails, not its unit.
    pub refusal: Option<Failure>,
}

/// The ledger's line about one effect of a unit; a unit has one for each step that the job had when it was listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectRecord {
    /// The step's name.
    pub step: String,
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
            step: intent.step.clone(),
            status: EffectStatus::Pending,
            body: intent.refusal.is_none().then(|| intent.body.clone()),
            attempts: 0,
            failure: intent.refusal.clone(),
        }
    }

    /// Whether a plain run would send it once its unit is at the sink.
    pub fn is_to_be_sent(&self) -> bool {
        let is_owed = matches!(
            self.status,
            EffectStatus::Pending | EffectStatus::Failed | EffectStatus::Blocked
        );
        is_owed && self.body.is_some()
    }

    /// Takes an outcome in. Why a body could not be rendered stays known whatever becomes of the unit: no later run renders it again.
    pub fn apply(&mut self, outcome: &EffectOutcome) {
        self.status = outcome.status;
        self.attempts += outcome.attempts;
        if self.status.is_over() {
            self.body = None;
            self.failure = None;
        } else if self.body.is_some() {
            self.failure.clone_from(&outcome.failure);
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

impl EffectOutcome {
    /// Whether it was sent in this run.
    pub fn has_sent(&self) -> bool {
        self.status == EffectStatus::Sent && self.attempts > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: EffectStatus) -> EffectOutcome {
        EffectOutcome {
            status,
            attempts: 1,
            failure: None,
        }
    }

    #[test]
    fn why_a_body_could_not_be_rendered_outlives_a_failure_of_the_unit() {
        let refusal = Failure::data("template.null", "`file.Tag` is NULL");
        let mut effect = EffectRecord::pending(&EffectIntent {
            step: "notify".to_owned(),
            body: String::new(),
            refusal: Some(refusal.clone()),
        });
        effect.apply(&outcome(EffectStatus::Blocked));
        assert_eq!(effect.failure, Some(refusal));
        effect.apply(&outcome(EffectStatus::NotDue));
        assert_eq!(effect.failure, None);
    }

    #[test]
    fn a_body_is_kept_until_its_message_is_sent() {
        let mut effect = EffectRecord::pending(&EffectIntent {
            step: "notify".to_owned(),
            body: "b".to_owned(),
            refusal: None,
        });
        effect.apply(&EffectOutcome {
            failure: Some(Failure::transient("queue.timeout", "x")),
            ..outcome(EffectStatus::Failed)
        });
        assert!(effect.body.is_some() && effect.failure.is_some());
        effect.apply(&outcome(EffectStatus::Sent));
        assert_eq!((effect.body, effect.failure, effect.attempts), (None, None, 2));
    }
}
