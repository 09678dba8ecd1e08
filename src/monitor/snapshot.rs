use serde::{Deserialize, Serialize};

use crate::model::{Progress, Timestamp, redact};
use crate::report::CommandLine;

use super::Rates;

/// Of the document that [`Snapshot`] is written as. It rises when an older reader would misread it.
pub const SNAPSHOT_VERSION: u32 = 1;

/// Kinds of failure that a snapshot names.
const FAILURES_NAMED: usize = 5;

/// A run at one moment, with all that another process needs to show it: the contents of `status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub schema_version: u32,
    pub job: String,
    pub profile: String,
    pub command_line: CommandLine,
    /// The process that runs the job.
    pub process: RunProcess,
    /// When this was taken.
    pub taken: Timestamp,
    pub progress: Progress,
    pub rates: Rates,
    /// The most frequent failures of this run, the most frequent first.
    pub frequent_failures: Vec<FailureCount>,
}

/// A process of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProcess {
    pub pid: u32,
    pub host: String,
}

/// Failures of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCount {
    /// `class code`
    pub kind: String,
    pub count: u64,
}

/// Why a text is no snapshot that this version can show.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(
        "the snapshot is written as version {found}, this program reads version {SNAPSHOT_VERSION}; use the newer program of the two"
    )]
    Version { found: u64 },
    #[error("the snapshot is not readable; the next `run` writes it anew")]
    Syntax(#[from] serde_json::Error),
}

impl Snapshot {
    /// Puts a run's progress and its rates together. Item keys come from data, so credentials are taken out of them here.
    pub fn new(
        job: impl Into<String>,
        profile: impl Into<String>,
        command_line: CommandLine,
        process: RunProcess,
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
            process,
            taken,
            progress,
            rates,
            frequent_failures: failures,
        }
    }

    /// Reads what [`to_json_text`](Self::to_json_text) wrote, and refuses another version before it could be misread.
    pub fn from_json_text(text: &str) -> Result<Self, SnapshotError> {
        let document: serde_json::Value = serde_json::from_str(text)?;
        match document.get("schema_version").and_then(serde_json::Value::as_u64) {
            Some(found) if found != u64::from(SNAPSHOT_VERSION) => Err(SnapshotError::Version { found }),
            _ => Ok(serde_json::from_value(document)?),
        }
    }

    /// The text of `status.json`.
    pub fn to_json_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// All failures that ended a file or a listing in this run.
    pub fn failures(&self) -> u64 {
        self.progress.failures.values().sum()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Account, ItemAccount, Phase};
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
            in_flight: 10,
            retries: 7,
            failures: BTreeMap::from([
                ("not_found store.not_found".to_owned(), 1),
                ("transient store.timeout".to_owned(), 2),
            ]),
            slots: (0..6).map(|slot| (slot, format!("WI-{slot}"))).collect(),
        };
        let rate = |recent, overall| Rate {
            recent: Some(recent),
            overall: Some(overall),
        };
        let rates = Rates {
            items_per_minute: rate(2.1, 2.0),
            files_per_minute: rate(95.0, 90.0),
            bytes_per_second: rate(1_258_291.2, 1_153_434.0),
            remaining_s: Some(432),
        };
        Snapshot::new(
            "reupload",
            "local",
            CommandLine::new("jobs/reupload.yaml"),
            RunProcess {
                pid: 4711,
                host: "laptop".to_owned(),
            },
            Timestamp(1_790_000_723_000),
            progress,
            rates,
        )
    }

    #[test]
    fn a_snapshot_reads_back_as_it_was_written() {
        let snapshot = snapshot();
        let text = snapshot.to_json_text().unwrap();
        assert_eq!(Snapshot::from_json_text(&text).unwrap(), snapshot);
        assert_eq!(snapshot.frequent_failures[0].kind, "transient store.timeout");
    }

    #[test]
    fn a_snapshot_of_another_version_or_of_none_is_refused() {
        let other = Snapshot::from_json_text(r#"{"schema_version": 9, "job": 1}"#).unwrap_err();
        assert!(other.to_string().contains("version 9"), "{other}");
        for text in ["", "{}", "[1]", "null"] {
            assert!(
                matches!(Snapshot::from_json_text(text), Err(SnapshotError::Syntax(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_credential_in_an_item_key_is_not_in_the_snapshot() {
        let mut progress = Progress::default();
        progress.slots.insert(0, "https://a.example/c?sig=abc".to_owned());
        let snapshot = Snapshot::new(
            "job",
            "local",
            CommandLine::default(),
            RunProcess::default(),
            Timestamp(0),
            progress,
            Rates::default(),
        );
        assert!(!snapshot.to_json_text().unwrap().contains("abc"));
    }
}
