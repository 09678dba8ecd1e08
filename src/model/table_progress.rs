use serde::{Deserialize, Serialize};

use super::{ItemStatus, ItemSummary, RowCount, StageStatus, Timestamp};

/// Where one table of a job stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableProgress {
    /// Its place in the list of tables, from 1.
    pub number: u64,
    /// Its name at the sink; empty when it cannot be taken over.
    pub target: String,
    pub status: ItemStatus,
    /// The stages that were begun, in their order.
    pub stages: Vec<StageProgress>,
    /// Rows as the source's catalogue estimates them.
    pub rows_estimate: Option<u64>,
    pub rows: RowCount,
    pub chunks: u64,
    pub chunks_done: u64,
    pub chunks_failed: u64,
    /// Why it failed: of the table as a whole, else of its first failed stage.
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageProgress {
    pub stage: String,
    pub status: StageStatus,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
}

impl TableProgress {
    /// A table that nothing has happened to.
    pub fn new(number: u64, target: String, rows_estimate: Option<u64>) -> Self {
        Self {
            number,
            target,
            status: ItemStatus::Pending,
            stages: Vec::new(),
            rows_estimate,
            rows: RowCount::default(),
            chunks: 0,
            chunks_done: 0,
            chunks_failed: 0,
            error: None,
        }
    }

    /// Takes over what is known of it now.
    pub fn follow(&mut self, summary: &ItemSummary) {
        self.status = summary.status;
        self.stages = (summary.stages.iter())
            .map(|record| StageProgress {
                stage: record.stage.clone(),
                status: summary.standing_of(record),
                started: record.started,
                ended: record.ended,
            })
            .collect();
        self.rows = summary.units.rows;
        self.chunks = summary.units.planned();
        self.chunks_done = summary.units.done;
        self.chunks_failed = summary.units.failed;
        let of_stage = || summary.stages.iter().find_map(|record| record.failure.as_ref());
        let failure = summary.listing_failure.as_ref().or_else(of_stage);
        self.error = failure.map(|failure| failure.message.clone());
    }

    pub fn stage(&self, name: &str) -> Option<&StageProgress> {
        self.stages.iter().find(|stage| stage.stage == name)
    }

    /// Whether its rows were read in the run that began then.
    pub fn is_loaded_since(&self, started: Timestamp) -> bool {
        let data = self.stage("data").and_then(|data| data.started);
        data.is_some_and(|begun| begun >= started)
    }

    /// Stages that came to a good end in the run that began then.
    pub fn stages_ended_since(&self, started: Timestamp) -> u64 {
        let is_new = |stage: &&StageProgress| {
            stage.status == StageStatus::Done && stage.ended.is_some_and(|ended| ended >= started)
        };
        self.stages.iter().filter(is_new).count() as u64
    }

    /// Whether its rows are all there, whatever is left to do behind them.
    pub fn is_loaded(&self) -> bool {
        self.stage("data").is_some_and(|data| data.status == StageStatus::Done)
    }

    /// Whether no more rows will come in this run, for better or worse.
    pub fn is_over(&self) -> bool {
        self.is_loaded()
            || matches!(
                self.status,
                ItemStatus::Failed | ItemStatus::Skipped | ItemStatus::Completed
            )
    }
}
