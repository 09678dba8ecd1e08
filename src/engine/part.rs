use crate::model::{EffectRecord, EffectStatus};

use super::RunOptions;

/// What this run does about a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Does what is owed.
    Owed,
    /// Does what is owed and makes up what was left out: the run was asked for this stage alone.
    MadeUp,
    /// Leaves it out, for good unless it is made up.
    LeftOut,
    /// Does nothing about it now: it stays owed.
    Later,
}

impl Part {
    pub fn of(step: &str, options: &RunOptions) -> Self {
        match &options.stage {
            Some(stage) if stage == step => Self::MadeUp,
            Some(_) => Self::Later,
            None if options.skip.iter().any(|skipped| skipped == step) => Self::LeftOut,
            None => Self::Owed,
        }
    }

    /// Whether this run sends anything.
    pub fn sends(self) -> bool {
        matches!(self, Self::Owed | Self::MadeUp)
    }

    /// Whether this run works on an effect that stands like this. One whose body could not be rendered is never tried again.
    pub fn takes_up(self, effect: &EffectRecord, leave_failed: bool) -> bool {
        match effect.status {
            EffectStatus::Pending => matches!(self, Self::Owed | Self::MadeUp | Self::LeftOut),
            EffectStatus::Failed => effect.body.is_some() && !leave_failed && matches!(self, Self::Owed | Self::MadeUp),
            EffectStatus::LeftOut => self == Self::MadeUp,
            EffectStatus::Sent | EffectStatus::NotDue | EffectStatus::Blocked => false,
        }
    }
}
