use std::fmt;

use serde_json::{Value, json};

use crate::model::{TableDifference, TableFinding, TableOutcome, format_count, redact};

use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::{CommandLine, shown};

/// What `verify` says of tables.
#[derive(Clone, Copy, Debug)]
pub struct TableVerifyReport<'a> {
    /// Values were compared, and not the number of rows alone.
    pub by_checksum: bool,
    /// The least share of tables that must be equal, in percent.
    pub minimum_percent: f64,
    pub findings: &'a [TableFinding],
    pub command_line: &'a CommandLine,
}

impl TableVerifyReport<'_> {
    fn equal(self) -> usize {
        let is_equal = |finding: &&TableFinding| matches!(finding.outcome, TableOutcome::Equal { .. });
        self.findings.iter().filter(is_equal).count()
    }

    fn left_out(self) -> usize {
        let is_left_out = |finding: &&TableFinding| matches!(finding.outcome, TableOutcome::LeftOut);
        self.findings.iter().filter(is_left_out).count()
    }

    /// Tables of which something is expected.
    fn compared(self) -> usize {
        self.findings.len() - self.left_out()
    }

    /// Whether as many are equal as were asked for. Where nothing was compared, nothing is wrong.
    pub fn is_passed(self) -> bool {
        self.equal() as f64 * 100.0 >= self.minimum_percent * self.compared() as f64
    }

    /// What brings the most tables into order.
    fn next(self) -> String {
        let command_line = self.command_line;
        let is_any = |is: fn(&TableOutcome) -> bool| self.findings.iter().any(|finding| is(&finding.outcome));
        // Loaded once more, a table loses what was put there by hand for rows that were rejected.
        let wants_reload = |outcome: &TableOutcome| match outcome {
            TableOutcome::Different(difference) => {
                let is_by_hand = difference.rejected > 0 && !difference.is_gone;
                difference.can_be_reloaded && !difference.is_reopened && !is_by_hand
            }
            _ => false,
        };
        let can_run = |outcome: &TableOutcome| match outcome {
            TableOutcome::NotLoaded => true,
            TableOutcome::Different(difference) => difference.is_reopened,
            _ => false,
        };
        if self.equal() == self.compared() {
            command_line.command("report")
        } else if is_any(wants_reload) {
            let checksum = if self.by_checksum { " --checksum" } else { "" };
            format!("{}{checksum} --reopen", command_line.command("verify"))
        } else if is_any(can_run) {
            command_line.command("run")
        } else {
            command_line.command("report")
        }
    }

    pub fn to_json(self) -> Value {
        let tables = self.findings.iter().map(|finding| {
            let is_reopened = matches!(&finding.outcome, TableOutcome::Different(difference) if difference.is_reopened);
            json!({
                "table": redact(&finding.table),
                "target": finding.target.as_deref().map(redact),
                "is_equal": matches!(finding.outcome, TableOutcome::Equal { .. }),
                "rejected": finding.outcome.rejected(),
                "is_reopened": is_reopened,
                "outcome": redact(&told(&finding.outcome)),
            })
        });
        json!({
            "schema_version": SCHEMA_VERSION,
            "tables": tables.collect::<Vec<_>>(),
            "equal": self.equal(),
            "left_out": self.left_out(),
            "passed": self.is_passed(),
            "next": self.next(),
        })
    }
}

impl fmt::Display for TableVerifyReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.findings {
            if matches!(finding.outcome, TableOutcome::Equal { rejected: 0, .. }) {
                continue;
            }
            let target = finding.target.as_ref().map(|target| format!(" → {}", shown(target)));
            let (table, target) = (shown(&finding.table), target.unwrap_or_default());
            writeln!(formatter, "{table}{target}: {}", told(&finding.outcome))?;
        }
        let how = match self.by_checksum {
            true => "a digest of all rows",
            false => "the number of rows",
        };
        let tables = counted(self.compared() as u64, "table", "tables");
        write!(formatter, "{} of {tables} equal by {how}", self.equal())?;
        let rejected: u64 = self.findings.iter().map(|finding| finding.outcome.rejected()).sum();
        if rejected > 0 {
            let rows = counted(rejected, "row was", "rows were");
            write!(formatter, "; {rows} rejected on the way, and not expected")?;
        }
        if self.left_out() > 0 {
            let tables = counted(self.left_out() as u64, "table is", "tables are");
            write!(formatter, "; {tables} set aside, which nothing is expected of")?;
        }
        writeln!(formatter, "\nNext: {}", self.next())
    }
}

fn told(outcome: &TableOutcome) -> String {
    match outcome {
        TableOutcome::Equal { rows, rejected: 0 } => format!("{} on both sides", counted(*rows, "row", "rows")),
        TableOutcome::Equal { rows, rejected } => {
            format!(
                "{} on both sides, but for {rejected} rejected",
                counted(*rows, "row", "rows")
            )
        }
        TableOutcome::Different(difference) => difference_told(difference),
        TableOutcome::NotLoaded => "not loaded to its end yet".to_owned(),
        TableOutcome::LeftOut => "set aside by `state skip`, and not compared".to_owned(),
        TableOutcome::Unreadable(failure) => shown(&failure.to_string()).into_owned(),
    }
}

fn difference_told(difference: &TableDifference) -> String {
    let TableDifference {
        source, sink, rejected, ..
    } = difference;
    let rows = counted(*source, "row", "rows");
    let mut told = match source == sink {
        _ if difference.is_gone => format!("{rows} at the source, and no such table at the sink"),
        true => format!("{rows} on both sides, and not the same"),
        false => format!("{rows} at the source, {} at the sink", format_count(*sink)),
    };
    if *rejected > 0 {
        told.push_str(&format!(", {rejected} rejected"));
    }
    if difference.is_reopened {
        told.push_str("; put back, and the next `run` loads it");
    } else if !difference.can_be_reloaded {
        told.push_str(match sink > source {
            true => "; loading it once more would take no row away: put it right by hand",
            false => "; loading it once more would add the rows that are there a second time: put it right by hand",
        });
    }
    told
}
