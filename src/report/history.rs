use std::fmt;

use serde_json::{Value, json};

use crate::model::{Account, ItemAccount, ItemSummary, UnitKind, format_count, format_duration, redact};
use crate::state::{RunOutcome, RunRecord};

use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::{CommandLine, shown, shown_short};

/// The runs of a job, and where its items stand.
#[derive(Clone, Copy, Debug)]
pub struct HistoryReport<'a> {
    pub job: &'a str,
    /// Oldest first.
    pub runs: &'a [RunRecord],
    /// Items and files that the state knows.
    pub items: &'a ItemAccount,
    pub files: &'a Account,
    /// Items that were asked for; `None` when only the totals were.
    pub listed: Option<ListedItems<'a>>,
    pub command_line: &'a CommandLine,
}

/// Items of one status, or one item, in the order of the item list.
#[derive(Clone, Copy, Debug)]
pub struct ListedItems<'a> {
    /// The first of them.
    pub shown: &'a [ItemSummary],
    /// How many there are.
    pub count: u64,
}

impl HistoryReport<'_> {
    pub fn to_json(&self) -> Value {
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.job,
            "runs": self.runs.iter().map(run_json).collect::<Vec<_>>(),
            "totals": { "items": self.items, "files": self.files },
            "items": self.listed.map(|listed| listed.shown.iter().map(item_json).collect::<Vec<_>>()),
            "items_count": self.listed.map(|listed| listed.count),
            "next": self.next(),
        })
    }

    fn next(&self) -> String {
        let command = match (self.items.failed, self.items.pending) {
            (0, 0) => "verify",
            (0, _) => "run",
            _ => "failures",
        };
        self.command_line.command(command)
    }
}

pub(super) fn run_json(run: &RunRecord) -> Value {
    json!({
        "run": run.number,
        "started": run.started.to_string(),
        "ended": run.ended.map(|time| time.to_string()),
        "duration_ms": run.ended.map(|ended| u64::try_from(ended.since(run.started).as_millis()).unwrap_or(u64::MAX)),
        "outcome": outcome_name(run.outcome),
        "host": run.host,
        "pid": run.pid,
        "spec": run.spec_path,
    })
}

/// `run 3  2026-…  completed in 12 s`
pub(super) fn run_line(run: &RunRecord) -> String {
    let outcome = outcome_name(run.outcome).replace('_', " ");
    let duration = run.ended.map(|ended| format_duration(ended.since(run.started)));
    let duration = duration.map_or_else(String::new, |duration| format!(" after {duration}"));
    format!("run {:>3}  {}  {outcome}{duration}", run.number, run.started)
}

/// A run without an end was killed, as nobody can look at the state of one that goes on.
fn outcome_name(outcome: Option<RunOutcome>) -> &'static str {
    match outcome {
        Some(RunOutcome::Complete) => "completed",
        Some(RunOutcome::Failures) => "completed_with_failures",
        Some(RunOutcome::Stopped) => "stopped",
        Some(RunOutcome::Interrupted) => "interrupted",
        Some(RunOutcome::Fatal) => "fatal",
        None => "killed",
    }
}

pub(super) fn item_json(summary: &ItemSummary) -> Value {
    json!({
        "item": redact(&summary.key),
        "ordinal": summary.ordinal,
        "status": summary.status.name(),
        "attempts": summary.attempts,
        "started": summary.started.map(|time| time.to_string()),
        "ended": summary.ended.map(|time| time.to_string()),
        "listed": summary.listed,
        "listing_failure": summary.listing_failure,
        summary.unit_kind().plural(): summary.units,
        "stage_records": summary.stages,
    })
}

fn item_line(summary: &ItemSummary) -> String {
    let (units, kind) = (&summary.units, summary.unit_kind());
    let ended = summary.ended.map(|time| format!(", ended {time}")).unwrap_or_default();
    format!(
        "  `{}`: {}, {}: {} done, {} present, {} failed, {} pending; {}{ended}",
        shown_short(&summary.key),
        summary.status.name().replace('_', " "),
        counted(units.planned(), kind.singular(), kind.plural()),
        format_count(units.done),
        format_count(units.present),
        format_count(units.failed),
        format_count(units.pending),
        counted(u64::from(summary.attempts), "run", "runs"),
    )
}

/// The items by status, without the columns that are empty.
pub(super) fn items_text(items: &ItemAccount) -> String {
    let columns = [
        (items.done, "completed"),
        (items.skipped, "skipped"),
        (items.failed, "failed"),
        (items.pending, "pending"),
    ];
    let columns = columns.iter().filter(|(count, _)| *count > 0);
    let columns: Vec<String> = columns
        .map(|(count, name)| format!("{} {name}", format_count(*count)))
        .collect();
    format!("{}: {}", counted(items.planned, "item", "items"), columns.join(", "))
}

impl fmt::Display for HistoryReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{}, {}",
            shown(self.job),
            counted(self.runs.len() as u64, "run", "runs")
        )?;
        for run in self.runs {
            writeln!(formatter, "  {}", run_line(run))?;
        }
        writeln!(formatter, "{}", items_text(self.items))?;
        if let Some(listed) = self.listed {
            for summary in listed.shown {
                writeln!(formatter, "{}", item_line(summary))?;
                if let Some(failure) = &summary.listing_failure {
                    let what = match summary.unit_kind() {
                        UnitKind::File => "its list: ",
                        UnitKind::Chunk => "",
                    };
                    writeln!(formatter, "    {what}{}", shown(&failure.to_string()))?;
                }
            }
            let hidden = listed.count.saturating_sub(listed.shown.len() as u64);
            if hidden > 0 {
                let hidden = counted(hidden, "item", "items");
                writeln!(formatter, "  and {hidden} more; `--show N` shows so many")?;
            }
        }
        writeln!(formatter, "Next: {}", self.next())
    }
}
