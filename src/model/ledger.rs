use serde::{Deserialize, Serialize};

use super::{ContentHash, EffectIntent, EffectOutcome, EffectRecord, Failure, RowCount, State};

/// Where a unit stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitStatus {
    /// Not tried to an end yet.
    #[default]
    Pending,
    /// Written by this job.
    Done,
    /// Was there before, and was left alone.
    Present,
    Failed,
}

impl UnitStatus {
    /// The unit's column in an account.
    pub fn state(self) -> State {
        match self {
            Self::Pending => State::Pending,
            Self::Done => State::Done,
            Self::Present => State::Present,
            Self::Failed => State::Failed,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Present => "present",
            Self::Failed => "failed",
        }
    }
}

/// What is about to be done to one unit, noted before the first effect on its page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitIntent {
    /// The path at the source, without query string.
    pub source: String,
    /// The rendered name at the sink. Empty when it could not be rendered: then `refusal` says why.
    pub target: String,
    /// Bytes, where the list told it.
    pub size: Option<u64>,
    /// An object stood at the target before this job touched it.
    pub existed: bool,
    /// Why the unit can never be tried as it is (its name is not acceptable, it collides with another).
    pub refusal: Option<Failure>,
    /// One for each step; none of a unit that is refused.
    pub effects: Vec<EffectIntent>,
}

/// The units of one page in the order of their enumeration; a unit's number is its index here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageIntent {
    pub units: Vec<UnitIntent>,
    /// Rows of the enumeration before this page, and a digest over them and this page: a list that is read again to go on
    /// behind this page must begin with the very same rows.
    pub rows_before: u64,
    pub digest: [u8; 16],
}

/// What became of one unit in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitResult {
    /// Its number in its page.
    pub unit: u32,
    pub status: UnitStatus,
    /// Bytes written, or found at the sink.
    pub size: Option<u64>,
    /// Of a chunk.
    pub rows: RowCount,
    /// Over the bytes as they were read; absent for units that were present.
    pub hash: Option<ContentHash>,
    /// Attempts in this run.
    pub attempts: u32,
    pub failure: Option<Failure>,
    /// What became of its effects, one for each that it has.
    pub effects: Vec<EffectOutcome>,
}

/// The ledger's line about one unit: its intent and its latest result together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitRecord {
    pub source: String,
    pub target: String,
    pub size: Option<u64>,
    /// Of a chunk.
    pub rows: RowCount,
    pub existed: bool,
    pub status: UnitStatus,
    pub hash: Option<ContentHash>,
    /// Attempts over all runs.
    pub attempts: u32,
    /// Of the last attempt, when it failed.
    pub failure: Option<Failure>,
    /// One for each step that the job had when it was listed.
    pub effects: Vec<EffectRecord>,
}

impl UnitRecord {
    /// A unit before its first result.
    pub fn pending(intent: &UnitIntent) -> Self {
        Self {
            source: intent.source.clone(),
            target: intent.target.clone(),
            size: intent.size,
            rows: RowCount::default(),
            existed: intent.existed,
            status: UnitStatus::Pending,
            hash: None,
            attempts: 0,
            failure: None,
            effects: intent.effects.iter().map(EffectRecord::pending).collect(),
        }
    }

    /// Takes a result in; a result that knows no size keeps the one known.
    pub fn apply(&mut self, result: &UnitResult) {
        self.status = result.status;
        self.size = result.size.or(self.size);
        self.rows = result.rows;
        self.hash.clone_from(&result.hash);
        self.attempts += result.attempts;
        self.failure.clone_from(&result.failure);
        for (effect, outcome) in self.effects.iter_mut().zip(&result.effects) {
            effect.apply(outcome);
        }
    }
}

/// The intent of a unit that is taken up again. One that was refused before any attempt stays refused.
impl From<&UnitRecord> for UnitIntent {
    fn from(record: &UnitRecord) -> Self {
        Self {
            source: record.source.clone(),
            target: record.target.clone(),
            size: record.size,
            existed: record.existed,
            refusal: record.failure.clone().filter(|_| record.attempts == 0),
            // The ledger that is taken up again has the bodies.
            effects: Vec::new(),
        }
    }
}
