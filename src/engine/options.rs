use std::sync::Arc;
use std::time::Duration;

use crate::state::PlanFile;

use super::Selection;

/// What a run is asked to do beyond its spec.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Leave units, effects and items that failed in earlier runs as they are.
    pub leave_failed: bool,
    /// Steps to leave out; recorded as left out.
    pub skip: Vec<String>,
    /// The only stage to do: `copy`, or a step's name, which then also makes up what was left out.
    pub stage: Option<String>,
    pub selection: Selection,
    /// Stop when so many units and effects have failed in this run.
    pub max_failures: Option<u64>,
    /// Stop when so much time has passed.
    pub max_duration: Option<Duration>,
    /// Do what this plan says and nothing else.
    pub plan: Option<Arc<PlanFile>>,
}

impl RunOptions {
    /// Whether what was left out is made up: the run is asked for a step alone.
    pub fn makes_up(&self) -> bool {
        !self.copies()
    }

    /// Whether a stage of a job of tables is done.
    pub fn does(&self, stage: &str) -> bool {
        self.stage.as_deref().is_none_or(|only| only == stage)
    }

    /// Whether units are listed and copied.
    pub fn copies(&self) -> bool {
        self.stage.as_deref().is_none_or(|stage| stage == "copy")
    }
}
