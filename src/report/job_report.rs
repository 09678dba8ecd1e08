use std::fmt;

use serde_json::{Value, json};

use crate::model::{Throttle, format_count};
use crate::state::RunRecord;

use super::history::{run_json, run_line};
use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::throttle::throttled;
use super::{AccountReport, CommandLine, FailureTotal, shorten, shown};

/// Where a job stands after its last run, from its state alone.
#[derive(Clone, Debug)]
pub struct JobReport<'a> {
    pub job: &'a str,
    pub profile: &'a str,
    /// Oldest first.
    pub runs: &'a [RunRecord],
    pub account: AccountReport,
    /// What connections throttled in the last run.
    pub throttles: &'a [Throttle],
    /// Everything that is failed, of all runs, the most frequent first.
    pub failures: &'a [FailureTotal],
    pub command_line: &'a CommandLine,
}

/// Runs that the report names.
const RUNS_SHOWN: usize = 5;

/// Characters of an example's message before it is cut.
const EXAMPLE_SHOWN: usize = 240;

impl JobReport<'_> {
    pub fn to_json(&self) -> Value {
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.job,
            "profile": self.profile,
            "run": self.runs.last().map(run_json),
            "account": self.account.to_json(),
            "throttles": self.throttles,
            "failures": self.failures,
            "last_runs": self.last_runs().map(run_json).collect::<Vec<_>>(),
            "next": self.next(),
        })
    }

    /// The newest first.
    fn last_runs(&self) -> impl Iterator<Item = &RunRecord> {
        self.runs.iter().rev().take(RUNS_SHOWN)
    }

    fn next(&self) -> String {
        let account = &self.account;
        let is_pending = account.items.pending + account.files.pending + account.files.effects.pending > 0;
        self.command_line.command(match (self.failures.is_empty(), is_pending) {
            (false, _) => "failures",
            (true, true) => "run",
            (true, false) => "verify",
        })
    }
}

impl fmt::Display for JobReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} (profile {})", shown(self.job), shown(self.profile))?;
        writeln!(formatter, "\n{}", self.account)?;
        for throttle in self.throttles {
            writeln!(formatter, "throttled {}", throttled(throttle))?;
        }
        let total: u64 = self.failures.iter().map(|failure| failure.count).sum();
        if total > 0 {
            writeln!(formatter, "\n{}:", counted(total, "failure", "failures"))?;
        }
        for failure in self.failures {
            let (count, code) = (format_count(failure.count), shown(&failure.code));
            writeln!(formatter, "  {count} {} {code}", failure.class)?;
            writeln!(formatter, "    {}", shorten(&shown(&failure.example), EXAMPLE_SHOWN))?;
        }
        writeln!(
            formatter,
            "\n{}, the last first:",
            counted(self.runs.len() as u64, "run", "runs")
        )?;
        for run in self.last_runs() {
            writeln!(formatter, "  {}", run_line(run))?;
        }
        writeln!(formatter, "\nNext: {}", self.next())
    }
}
