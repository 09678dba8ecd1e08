use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Account, Failure, StageRecord, StageStatus, Timestamp, UnitKind};

/// An item's key as the spec renders it, unique within its job (`WorkItemId`).
pub type ItemKey = String;

/// An item's fixed-width name in the state: the first 16 bytes of the SHA-256 of its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemId(pub [u8; 16]);

impl ItemId {
    pub fn of(key: &str) -> Self {
        let digest = Sha256::digest(key.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Not begun, or put back by a stop or by `verify --reopen`.
    #[default]
    Pending,
    /// Begun by a run that has not ended it.
    InProgress,
    /// Every unit is done or present.
    Completed,
    /// A unit failed, or the list of its units could not be read.
    Failed,
    /// Set aside by `state skip`: no run takes it up.
    Skipped,
}

impl ItemStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// All that the state keeps of an item outside its pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemSummary {
    pub key: ItemKey,
    /// Its place in the item list, from 0, when it was first met.
    pub ordinal: u64,
    pub status: ItemStatus,
    /// Units by state over all its pages, sealed or open.
    pub units: Account,
    /// The whole unit list has been read and paged: a resume need not ask the source again.
    pub listed: bool,
    /// The pages do not hold a beginning of the list: until it has been read to its end again, its rows are told apart from those in
    /// the pages by their names and not by their order.
    pub listed_by_name: bool,
    /// Pages that exist, sealed or open; they are numbered from 0.
    pub pages: u32,
    /// Why the unit list could not be read, when it could not.
    pub listing_failure: Option<Failure>,
    /// Runs that have worked on it.
    pub attempts: u32,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// Of an item whose stages are worked off one behind the other; empty where only units are.
    pub stages: Vec<StageRecord>,
}

impl ItemSummary {
    pub fn new(key: ItemKey, ordinal: u64) -> Self {
        Self {
            key,
            ordinal,
            status: ItemStatus::Pending,
            units: Account::default(),
            listed: false,
            listed_by_name: false,
            pages: 0,
            listing_failure: None,
            attempts: 0,
            started: None,
            ended: None,
            stages: Vec::new(),
        }
    }

    /// Where a stage stands; begins it when it is not there yet.
    pub fn stage(&mut self, name: &str) -> &mut StageRecord {
        let place = self.stages.iter().position(|record| record.stage == name);
        let place = place.unwrap_or_else(|| {
            self.stages.push(StageRecord::new(name));
            self.stages.len() - 1
        });
        &mut self.stages[place]
    }

    /// Statements that were taken away from other tables for this one, and are owed to them.
    pub fn owed(&self) -> &[String] {
        let record = self.stages.iter().find(|record| record.stage == "constraints");
        record.map(|record| record.owed.as_slice()).unwrap_or_default()
    }

    /// What its units are: only tables are worked off in stages of their own.
    pub fn unit_kind(&self) -> UnitKind {
        if self.stages.is_empty() {
            UnitKind::File
        } else {
            UnitKind::Chunk
        }
    }

    /// Where a stage stands.
    pub fn stage_status(&self, name: &str) -> StageStatus {
        let record = self.stages.iter().find(|record| record.stage == name);
        record.map(|record| record.status).unwrap_or_default()
    }

    /// Where a stage stands for who looks at it: one that is left in progress by a table that no run works on has failed with its chunks.
    pub fn standing_of(&self, record: &StageRecord) -> StageStatus {
        match record.status {
            StageStatus::InProgress if self.status == ItemStatus::Failed && self.units.failed > 0 => {
                StageStatus::Failed
            }
            status => status,
        }
    }

    /// What `units` of this item are in the accounts of the job: of a skipped one, all that is not settled is skipped.
    pub fn in_accounts(&self, units: Account) -> Account {
        match self.status {
            ItemStatus::Skipped => units.set_aside(),
            _ => units,
        }
    }

    /// Whether its list could not be read, or a stage of it failed, and that still counts.
    pub fn has_failed_listing(&self) -> bool {
        self.listing_failure.is_some() && self.status != ItemStatus::Skipped
    }

    pub fn id(&self) -> ItemId {
        ItemId::of(&self.key)
    }
}
