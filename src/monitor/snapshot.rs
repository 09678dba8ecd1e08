use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{Progress, Timestamp, redact};
use crate::report::CommandLine;
use crate::state::Holder;

use super::Rates;

/// Of the document that [`Snapshot`] is written as. It rises when an older reader would misread it.
pub const SNAPSHOT_VERSION: u32 = 1;

/// Kinds of failure that a snapshot names.
const FAILURES_NAMED: usize = 5;

/// A run at one moment, with all that another process needs to show it: the contents of `status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    #[serde(deserialize_with = "this_version")]
    pub schema_version: u32,
    pub job: String,
    pub profile: String,
    pub command_line: CommandLine,
    /// The process that runs the job.
    pub holder: Holder,
    /// When this was taken.
    pub taken: Timestamp,
    pub progress: Progress,
    pub rates: Rates,
    /// The most frequent failures of this run, the most frequent first.
    pub frequent_failures: Vec<FailureCount>,
}

/// Failures of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCount {
    /// `class code`
    pub kind: String,
    pub count: u64,
}

impl Snapshot {
    /// Puts a run's progress and its rates together. Item keys come from data, so credentials are taken out of them here.
    pub fn new(
        job: impl Into<String>,
        profile: impl Into<String>,
        command_line: CommandLine,
        holder: Holder,
        taken: Timestamp,
        mut progress: Progress,
        rates: Rates,
    ) -> Self {
        for key in progress.slots.values_mut() {
            *key = redact(key).into_owned();
        }
        let mut failures: Vec<FailureCount> = progress
            .failures
            .iter()
            .map(|(kind, count)| FailureCount {
                kind: kind.clone(),
                count: *count,
            })
            .collect();
        failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
        failures.truncate(FAILURES_NAMED);
        Self {
            schema_version: SNAPSHOT_VERSION,
            job: job.into(),
            profile: profile.into(),
            command_line,
            holder,
            taken,
            progress,
            rates,
            frequent_failures: failures,
        }
    }

    /// All failures that ended a file or a listing in this run.
    pub fn failures(&self) -> u64 {
        self.progress.failures.values().sum()
    }
}

/// Refuses what another version wrote before it could be misread.
fn this_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        SNAPSHOT_VERSION => Ok(SNAPSHOT_VERSION),
        other => Err(serde::de::Error::custom(format_args!(
            "a snapshot of version {other}; this program reads version {SNAPSHOT_VERSION}"
        ))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Account, ItemAccount, Phase, UnitKind};
    use crate::monitor::Rate;

    pub(crate) fn snapshot() -> Snapshot {
        let progress = Progress {
            phase: Phase::Running,
            run: 3,
            started: Timestamp(1_790_000_000_000),
            items: ItemAccount {
                planned: 50,
                done: 20,
                failed: 1,
                pending: 29,
                ..ItemAccount::default()
            },
            units: Account {
                done: 400,
                present: 12,
                failed: 3,
                pending: 647,
                bytes: 31 << 20,
                ..Account::default()
            },
            listed: true,
            units_before: 100,
            bytes_moved: 31 << 20,
            rows_moved: 0,
            unit_kind: UnitKind::File,
            in_flight: 10,
            retries: 7,
            throttles: Vec::new(),
            outages: Vec::new(),
            failures: BTreeMap::from([
                ("not_found store.not_found".to_owned(), 1),
                ("transient store.timeout".to_owned(), 2),
            ]),
            slots: (0..6).map(|slot| (slot, format!("WI-{slot}"))).collect(),
            tables: BTreeMap::new(),
        };
        let rate = |recent, overall| Rate {
            recent: Some(recent),
            overall: Some(overall),
        };
        let rates = Rates {
            items_per_minute: rate(2.1, 2.0),
            files_per_minute: rate(95.0, 90.0),
            bytes_per_second: rate(1_258_291.2, 1_153_434.0),
            rows_per_second: Rate::default(),
            remaining_s: Some(432),
        };
        Snapshot::new(
            "reupload",
            "local",
            CommandLine::new("jobs/reupload.yaml"),
            Holder {
                host: "laptop".to_owned(),
                pid: 4711,
                started: Timestamp(1_790_000_000_000),
                command: "pipeline run jobs/reupload.yaml".to_owned(),
            },
            Timestamp(1_790_000_723_000),
            progress,
            rates,
        )
    }

    #[test]
    fn a_snapshot_reads_back_as_it_was_written() {
        let snapshot = snapshot();
        let text = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
        assert_eq!(snapshot.frequent_failures[0].kind, "transient store.timeout");
    }

    #[test]
    fn a_snapshot_of_another_version_is_refused() {
        let mut snapshot = snapshot();
        snapshot.schema_version = 9;
        let text = serde_json::to_string(&snapshot).unwrap();
        let refused = serde_json::from_str::<Snapshot>(&text).unwrap_err();
        assert!(refused.to_string().contains("version 9"), "{refused}");
    }

    #[test]
    fn a_credential_in_an_item_key_is_not_in_the_snapshot() {
        let mut progress = Progress::default();
        progress.slots.insert(0, "https://a.example/c?sig=abc".to_owned());
        let snapshot = Snapshot::new(
            "job",
            "local",
            CommandLine::default(),
            Holder::this_process("pipeline run a.yaml"),
            Timestamp(0),
            progress,
            Rates::default(),
        );
        assert!(!serde_json::to_string(&snapshot).unwrap().contains("abc"));
    }
}
