use std::fmt;

use serde_json::{Value, json};

use crate::model::{Failure, HashKind, format_count};

use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::{AccountReport, CommandLine, FailureTotal, shorten, shown};

/// Characters of an example's message before it is cut.
const EXAMPLE_SHOWN: usize = 240;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Everything that was asked for is done.
    Completed,
    /// Everything was tried; some of it failed.
    CompletedWithFailures,
    /// What was asked for waits for a stage that was not asked for: the constraints of so many tables for their rows.
    Waiting { tables: u64 },
    /// It ended early with its state clean; `by` names the cause: `SIGINT`, `--max-failures 10`.
    Stopped { by: String },
    /// Everything was settled before it began, as far as the ledger knows.
    NothingLeft,
    /// Some of it is not as the plan has it, and was left alone.
    Drifted { remake: String },
    /// It could not go on.
    Fatal(Failure),
}

impl Outcome {
    /// The word for it in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::CompletedWithFailures => "completed_with_failures",
            Self::Waiting { .. } => "waiting",
            Self::Stopped { .. } => "stopped",
            Self::NothingLeft => "nothing_left",
            Self::Drifted { .. } => "drifted",
            Self::Fatal(_) => "fatal",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => formatter.write_str("completed"),
            Self::CompletedWithFailures => formatter.write_str("completed with failures"),
            Self::Waiting { tables } => {
                let tables = counted(*tables, "table has", "tables have");
                write!(
                    formatter,
                    "{tables} not got its rows yet, which its constraints wait for; `--stage data` loads them"
                )
            }
            Self::Stopped { by } => write!(formatter, "stopped by {}; a later `run` goes on from here", shown(by)),
            Self::NothingLeft => {
                formatter.write_str("nothing left to do (trusting the ledger; `verify` checks the sink)")
            }
            Self::Drifted { .. } => formatter.write_str("not all is as the plan has it; what is not was left alone"),
            Self::Fatal(failure) => write!(
                formatter,
                "could not go on: {} ({}, {})",
                shown(&failure.message),
                failure.class,
                shown(&failure.code)
            ),
        }
    }
}

/// How far the run knows that what stands at the sink is what stood at the source. Files of this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Integrity {
    /// What was computed over the bytes as they streamed by.
    pub hash: HashKind,
    /// Files whose content hash is in the ledger; their lengths were checked too.
    pub hashed: u64,
    /// Files of which only the length was checked.
    pub size_only: u64,
    /// Files that were there before and were left alone: their bytes were not read.
    pub present: u64,
    /// What was moved are rows.
    pub is_of_rows: bool,
    /// Chunks of rows, each written in one transaction, whose rows were counted on their way.
    pub counted: u64,
}

impl Integrity {
    /// One sentence for each strength that occurred.
    fn lines(self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.hashed > 0 {
            lines.push(format!(
                "{} over the bytes as they streamed, computed by the runner, and length: {}",
                self.hash.name(),
                counted(self.hashed, "file", "files")
            ));
        }
        if self.size_only > 0 {
            let files = counted(self.size_only, "file", "files");
            lines.push(format!("length only: {files}"));
        }
        if self.present > 0 {
            let files = counted(self.present, "file that was", "files that were");
            lines.push(format!("nothing: {files} present already"));
        }
        if self.counted > 0 {
            let chunks = counted(self.counted, "chunk", "chunks");
            lines.push(format!(
                "rows counted on their way: {chunks}, each in one transaction of the sink"
            ));
        }
        if lines.is_empty() {
            let nothing = if self.is_of_rows {
                "no rows were loaded"
            } else {
                "nothing was copied"
            };
            lines.push(format!("nothing: {nothing}"));
        }
        lines
    }

    fn to_json(self) -> Value {
        json!({
            "hash": self.hash.name(),
            "hashed": self.hashed,
            "size_only": self.size_only,
            "present_not_read": self.present,
        })
    }
}

/// The end of `run`: how it ended, the account, what is known about the bytes, what failed, and what to do next.
#[derive(Clone, Debug)]
pub struct RunSummary<'a> {
    pub job: &'a str,
    pub profile: &'a str,
    /// The number of the run within its state, from 1.
    pub run: u64,
    pub outcome: Outcome,
    pub account: AccountReport,
    pub integrity: Integrity,
    /// Those that are left of what was selected, of earlier runs as well; the most frequent first.
    pub failures: &'a [FailureTotal],
    /// Repeated attempts in this run.
    pub retries: u64,
    pub command_line: &'a CommandLine,
    /// The plan that was carried out.
    pub plan: Option<&'a str>,
    /// The run was asked for some of the items: others may be left.
    pub is_selected: bool,
}

impl RunSummary<'_> {
    pub fn to_json(&self) -> Value {
        let detail = match &self.outcome {
            Outcome::Stopped { by } => Some(by.clone()),
            Outcome::Fatal(failure) => Some(failure.to_string()),
            _ => None,
        };
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.job,
            "profile": self.profile,
            "run": self.run,
            "outcome": self.outcome.name(),
            "outcome_detail": detail,
            "account": self.account.to_json(),
            "integrity": self.integrity.to_json(),
            "failures": self.failures,
            "retries": self.retries,
            "next": self.next(),
        })
    }

    /// What was asked for is not the whole of the job.
    fn leaves_work(&self) -> bool {
        self.is_selected || self.account.items.pending > 0
    }

    /// The command that goes on from here.
    fn next(&self) -> String {
        let has_failed = self.account.items.failed > 0 || self.account.files.failed > 0;
        let command = match &self.outcome {
            Outcome::Drifted { remake } => return remake.clone(),
            Outcome::Waiting { .. } => return self.command_line.clone().option("--stage", "data").command("run"),
            // What kept the run from going on has to be put right first, whatever else has failed.
            Outcome::Fatal(_) => "run",
            _ if has_failed || !self.failures.is_empty() => "failures",
            Outcome::Completed | Outcome::NothingLeft if !self.leaves_work() => "verify",
            Outcome::Completed | Outcome::NothingLeft | Outcome::CompletedWithFailures | Outcome::Stopped { .. } => {
                "run"
            }
        };
        match self.plan {
            Some(plan) if command == "run" => self.command_line.clone().option("--plan", plan).command(command),
            _ => self.command_line.command(command),
        }
    }
}

impl fmt::Display for RunSummary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (job, profile) = (shown(self.job), shown(self.profile));
        writeln!(
            formatter,
            "{job} (profile {profile}), run {}: {}",
            self.run, self.outcome
        )?;
        writeln!(formatter, "\n{}", self.account)?;
        writeln!(formatter, "checked {}", self.integrity.lines().join("\n        "))?;
        if self.retries > 0 {
            let retries = counted(self.retries, "attempt was", "attempts were");
            writeln!(formatter, "retries {retries} repeated")?;
        }
        let total: u64 = self.failures.iter().map(|failure| failure.count).sum();
        if total > 0 {
            writeln!(
                formatter,
                "\n{}:",
                counted(total, "failure is left", "failures are left")
            )?;
        }
        for failure in self.failures {
            let (count, code) = (format_count(failure.count), shown(&failure.code));
            writeln!(formatter, "  {count} {} {code}", failure.class)?;
            writeln!(formatter, "    {}", shorten(&shown(&failure.example), EXAMPLE_SHOWN))?;
        }
        writeln!(formatter, "\nNext: {}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, FailureClass, ItemAccount};
    use crate::report::account::tests::reupload;

    fn summary<'a>(outcome: Outcome, failures: &'a [FailureTotal], command_line: &'a CommandLine) -> RunSummary<'a> {
        RunSummary {
            job: "reupload",
            profile: "local",
            run: 2,
            outcome,
            account: reupload(),
            integrity: Integrity {
                hash: HashKind::Sha256,
                hashed: 1_045,
                size_only: 0,
                present: 12,
                ..Integrity::default()
            },
            failures,
            retries: 7,
            command_line,
            plan: None,
            is_selected: false,
        }
    }

    #[test]
    fn the_end_of_a_run_tells_what_happened_and_what_to_do() {
        let failure = |count, class, code: &str, example: &str| FailureTotal {
            class,
            code: code.to_owned(),
            count,
            example: example.to_owned(),
        };
        let failures = [
            failure(
                3,
                FailureClass::Transient,
                "store.timeout",
                "item `WI-1`: no answer within 10 s",
            ),
            failure(
                2,
                FailureClass::NotFound,
                "store.not_found",
                "item `WI-2`: `x\u{1b}[2K\r.bin` is not there",
            ),
        ];
        let command_line = CommandLine::new("jobs/reupload.yaml");
        let summary = summary(Outcome::CompletedWithFailures, &failures, &command_line);
        insta::assert_snapshot!(summary, @r#"
        reupload (profile local), run 2: completed with failures

        items   planned    52 = done    50 + present  0 + skipped 0 + failed 2 + blocked 0 + pending 0 (residual 0)
        files   planned 1,062 = done 1,045 + present 12 + skipped 0 + failed 5 + blocked 0 + pending 0 (residual 0)
        bytes   81 MiB in files done; this run moved 82 MiB in 12 s (6.8 MiB/s)
                1 item could not be listed: how many files it has is unknown, and none is counted
        checked sha256 over the bytes as they streamed, computed by the runner, and length: 1,045 files
                nothing: 12 files that were present already
        retries 7 attempts were repeated

        5 failures are left:
          3 transient store.timeout
            item `WI-1`: no answer within 10 s
          2 not_found store.not_found
            item `WI-2`: `x\u{1b}[2K\r.bin` is not there

        Next: pipeline failures jobs/reupload.yaml
        "#);
        let json = summary.to_json();
        assert_eq!(json["outcome"], "completed_with_failures");
        assert_eq!(json["next"], "pipeline failures jobs/reupload.yaml");
    }

    #[test]
    fn each_outcome_has_its_sentence_and_its_next_command() {
        let command_line = CommandLine::new("jobs/a.yaml");
        let told = |outcome| {
            let mut summary = summary(outcome, &[], &command_line);
            summary.account.items = ItemAccount::default();
            summary.account.files = Account::default();
            let text = summary.to_string();
            let first = text.lines().next().unwrap().to_owned();
            format!("{first} | {}", text.lines().last().unwrap())
        };
        assert_eq!(
            told(Outcome::NothingLeft),
            "reupload (profile local), run 2: nothing left to do (trusting the ledger; `verify` checks the sink) | \
             Next: pipeline verify jobs/a.yaml"
        );
        assert_eq!(
            told(Outcome::Stopped {
                by: "SIGINT".to_owned()
            }),
            "reupload (profile local), run 2: stopped by SIGINT; a later `run` goes on from here | \
             Next: pipeline run jobs/a.yaml"
        );
        assert_eq!(
            told(Outcome::Fatal(Failure::permanent("state.disk", "no space is left"))),
            "reupload (profile local), run 2: could not go on: no space is left (permanent, state.disk) | \
             Next: pipeline run jobs/a.yaml"
        );
    }

    #[test]
    fn a_part_of_a_job_is_followed_by_the_rest_of_it() {
        let command_line = CommandLine::new("jobs/a.yaml");
        let next = |pending, is_selected| {
            let mut summary = summary(Outcome::Completed, &[], &command_line);
            summary.account.items = ItemAccount {
                pending,
                ..ItemAccount::default()
            };
            summary.account.files = Account::default();
            RunSummary { is_selected, ..summary }.next()
        };
        assert_eq!(next(0, false), "pipeline verify jobs/a.yaml");
        assert_eq!(next(3, false), "pipeline run jobs/a.yaml");
        assert_eq!(next(0, true), "pipeline run jobs/a.yaml");
    }

    #[test]
    fn integrity_says_what_was_not_checked() {
        let sizes = Integrity {
            hash: HashKind::None,
            size_only: 1,
            ..Integrity::default()
        };
        assert_eq!(sizes.lines(), ["length only: 1 file"]);
        assert_eq!(Integrity::default().lines(), ["nothing: nothing was copied"]);
    }
}
