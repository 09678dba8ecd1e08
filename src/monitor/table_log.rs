use std::collections::HashSet;
use std::time::Duration;

use crate::model::{ItemStatus, Phase, TableProgress, Timestamp, format_count, format_duration};
use crate::report::{counted, shown};

use super::Snapshot;
use super::lines::progress_line;

/// Tells of each table that comes to an end in a run, and after so many of them how the whole stands.
#[derive(Debug)]
pub struct TableLog {
    summary_every: u64,
    told: HashSet<Told>,
    ended: u64,
}

/// What is told once of a table.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Told {
    Rows(String),
    Failure(String),
}

impl TableLog {
    /// With a summary behind every so many tables.
    pub fn new(summary_every: u64) -> Self {
        Self {
            summary_every,
            told: HashSet::new(),
            ended: 0,
        }
    }

    /// The lines about what has come to its end since the last snapshot; none for a job without tables.
    pub fn news(&mut self, snapshot: &Snapshot) -> Vec<String> {
        let progress = &snapshot.progress;
        // What earlier runs have done is taken in before this one begins.
        if progress.phase == Phase::Starting {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let mut ended = (progress.tables.values())
            .filter(|table| table.is_over() && !is_of(table, progress.started))
            .count() as u64;
        let mut new: Vec<(&String, &TableProgress)> = (progress.tables.iter())
            .filter(|(_, table)| table.is_over() && is_of(table, progress.started))
            .collect();
        new.sort_by_key(|(_, table)| (data_ended(table), table.number));
        for (key, table) in new {
            ended += 1;
            let loaded = table.is_loaded() && self.told.insert(Told::Rows(key.clone()));
            let failed = table.status == ItemStatus::Failed && self.told.insert(Told::Failure(key.clone()));
            if !(loaded || failed) {
                continue;
            }
            let of = format_count(progress.tables.len() as u64);
            lines.push(format!("[{}/{of}] {}", format_count(ended), told(key, table, failed)));
            self.ended += 1;
            if self.ended.is_multiple_of(self.summary_every) {
                lines.push(progress_line(snapshot));
            }
        }
        lines
    }
}

/// Whether it came to its end in the run that began then.
fn is_of(table: &TableProgress, started: Timestamp) -> bool {
    let ended = table.stages.iter().filter_map(|stage| stage.ended).max();
    ended.is_some_and(|ended| ended >= started)
}

fn data_ended(table: &TableProgress) -> Option<Timestamp> {
    table.stage("data").and_then(|data| data.ended)
}

/// What is shorter has no rate worth telling.
const RATED_FROM: Duration = Duration::from_millis(50);

/// `dbo.Orders → campaign.orders: 120,000 rows in 3 chunks, 3.4 s, 35,294 rows/s`
fn told(key: &str, table: &TableProgress, failed: bool) -> String {
    let name = match table.target.as_str() {
        "" => shown(key).into_owned(),
        target => format!("{} → {}", shown(key), shown(target)),
    };
    if failed {
        let stage = table.stages.iter().find(|stage| stage.status.is_bad());
        let stage = stage.map(|stage| format!(" in `{}`", shown(&stage.stage)));
        let error = match (&table.error, table.chunks_failed) {
            (Some(error), _) => shown(error).into_owned(),
            (None, failed) => format!("{} failed", counted(failed, "chunk", "chunks")),
        };
        return format!("{name}: failed{}: {error}", stage.unwrap_or_default());
    }
    let rows = counted(table.rows.written, "row", "rows");
    let rejected = match table.rows.rejected {
        0 => String::new(),
        rejected => format!(" and {} rejected", format_count(rejected)),
    };
    let chunks = counted(table.chunks, "chunk", "chunks");
    let times = table.stage("data").and_then(|data| Some((data.started?, data.ended?)));
    let pace = times.map_or_else(String::new, |(started, ended)| {
        let taken = ended.since(started);
        let rate = table.rows.settled() as f64 / taken.as_secs_f64();
        // Of rows that were there already, no time tells how fast they came.
        match rate > 0.0 && taken >= RATED_FROM {
            true => format!(", {}, {} rows/s", format_duration(taken), format_count(rate as u64)),
            false => format!(", {}", format_duration(taken)),
        }
    });
    format!("{name}: {rows}{rejected} in {chunks}{pace}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RowCount, StageProgress, StageStatus};
    use crate::monitor::snapshot::tests::snapshot;

    fn stage(name: &str, status: StageStatus, started: i64, ended: i64) -> StageProgress {
        StageProgress {
            stage: name.to_owned(),
            status,
            started: Some(Timestamp(started)),
            ended: Some(Timestamp(ended)),
        }
    }

    fn table(number: u64, ended: i64) -> TableProgress {
        let mut table = TableProgress::new(number, format!("campaign.t{number}"), None);
        table.rows = RowCount {
            written: 120_000,
            rejected: 0,
        };
        table.chunks = 3;
        table.stages = vec![stage("data", StageStatus::Done, ended - 2_000, ended)];
        table
    }

    #[test]
    fn each_table_is_told_of_once_and_those_of_earlier_runs_never() {
        let mut snapshot = snapshot();
        let begun = snapshot.progress.started.0;
        let tables = &mut snapshot.progress.tables;
        tables.insert("dbo.T1".to_owned(), table(1, begun - 9_000));
        tables.insert("dbo.T2".to_owned(), table(2, begun + 4_000));
        tables.insert(
            "dbo.T3".to_owned(),
            TableProgress::new(3, "campaign.t3".to_owned(), None),
        );
        let mut log = TableLog::new(2);
        let line = "[2/3] dbo.T2 → campaign.t2: 120,000 rows in 3 chunks, 2.0 s, 60,000 rows/s";
        assert_eq!(log.news(&snapshot), [line]);
        assert_eq!(log.news(&snapshot), [""; 0]);

        let mut third = table(3, begun + 5_000);
        third.status = ItemStatus::Failed;
        third.stages = vec![stage("data", StageStatus::Failed, begun, begun + 5_000)];
        third.error = Some("no such column\nx".to_owned());
        snapshot.progress.tables.insert("dbo.T3".to_owned(), third);
        let news = log.news(&snapshot);
        assert_eq!(
            news[0],
            "[3/3] dbo.T3 → campaign.t3: failed in `data`: no such column\\nx"
        );
        assert!(
            news[1].starts_with("items 21/50"),
            "a summary behind every second one: {news:?}"
        );
    }
}
