use serde::{Deserialize, Serialize};

use super::{Failure, Timestamp};

/// Where one stage of an item stands, for items whose stages are worked off one behind the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    pub stage: String,
    pub status: StageStatus,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// Why it failed, or what it waits for.
    pub failure: Option<Failure>,
    /// Statements that were taken away from other tables for this one, and are owed to them.
    pub owed: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    #[default]
    Pending,
    /// Begun, and not brought to its end by the run that did.
    InProgress,
    Done,
    Failed,
    /// Something else that it depends on has failed.
    Blocked,
}

impl StageStatus {
    /// It was tried, or waited for, in vain.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Blocked)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
        }
    }
}

impl StageRecord {
    pub fn new(stage: &str) -> Self {
        Self {
            stage: stage.to_owned(),
            status: StageStatus::Pending,
            started: None,
            ended: None,
            failure: None,
            owed: Vec::new(),
        }
    }
}
