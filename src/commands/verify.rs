use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::{self, Fatal, Finding, TableDifference, TableFinding, TableOutcome, VerifyOptions};
use crate::format::CsvWriter;
use crate::model::{Timestamp, Value, redact};
use crate::report::{self, Difference, VerifyReport, counted, shown};
use crate::resolve::{KnownJob, TableJob};
use crate::stages::{Check, Verdict};

use super::arguments::write_file;
use super::output::say;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline verify`
#[derive(Clone, Debug)]
pub struct VerifyArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// Check this many files drawn at random; all when absent.
    pub sample: Option<u64>,
    /// Read the bytes back and compare their hash with the ledger's.
    pub checksum: bool,
    /// The least share of files or tables that must be the same, in percent.
    pub minimum_percent: f64,
    /// Write the files that differ to this CSV file.
    pub export: Option<PathBuf>,
    /// Put files that are missing, and tables that differ, back to pending.
    pub reopen: bool,
}

/// Checks the ledger against the sink.
pub async fn verify(arguments: &VerifyArguments) -> Result<Exit, CommandError> {
    let job = match arguments.job.load()?.known() {
        KnownJob::Files(job) => job,
        KnownJob::Tables(job) => return verify_rows(arguments, &job).await,
    };
    let state = arguments.job.open_existing_state(&job, "verify")?;
    let options = VerifyOptions {
        sample: arguments.sample,
        how: if arguments.checksum {
            Check::Checksum
        } else {
            Check::Presence
        },
        reopen: arguments.reopen,
        seed: Timestamp::now().0.unsigned_abs(),
    };
    let mut findings = Vec::new();
    let mut csv = CsvWriter::new(["item", "source", "target", "difference"]).map_err(Fatal::ItemList)?;
    let mut written = Ok(());
    let writer = state.writer()?;
    let counts = engine::verify(&job, Arc::new(state), &writer, options, |finding| {
        let difference = difference(finding);
        if arguments.export.is_some() && written.is_ok() {
            let fields = [
                &finding.item,
                &finding.record.source,
                &finding.record.target,
                &difference.to_string(),
            ];
            written = csv.write(&fields.map(|field| Value::Text(redact(field).into_owned())));
        }
        if findings.len() < VerifyReport::SHOWN {
            findings.push(report::Finding::new(&finding.item, &finding.record, difference));
        }
    })
    .await?;
    tokio::task::spawn_blocking(move || writer.close())
        .await
        .map_err(|error| Fatal::Internal(error.to_string()))??;
    if let Some(path) = &arguments.export {
        let csv = written.and_then(|()| csv.take()).map_err(Fatal::ItemList)?;
        write_file(path, &csv)?;
        say(format_args!(
            "{} written to `{}`",
            counted(counts.differences(), "file that differs", "files that differ"),
            path.display()
        ));
    }
    let command_line = arguments.job.command_line();
    let report = VerifyReport {
        job: &job.name,
        counts,
        by_checksum: arguments.checksum,
        minimum_percent: arguments.minimum_percent,
        findings: &findings,
        reopen: arguments.reopen,
        command_line: &command_line,
    };
    arguments.output.print(report, || report.to_json())?;
    Ok(if report.is_passed() {
        Exit::Done
    } else {
        Exit::Differences
    })
}

fn difference(finding: &Finding) -> Difference {
    match &finding.verdict {
        Verdict::SizeDiffers { ledger, sink } => Difference::Size {
            ledger: *ledger,
            sink: *sink,
        },
        Verdict::ChecksumDiffers => Difference::Checksum,
        Verdict::Unreadable(failure) => Difference::Unreadable {
            message: failure.to_string(),
        },
        Verdict::NotDone => Difference::NotDone,
        Verdict::Missing | Verdict::Same { .. } => Difference::Missing,
    }
}

/// Compares tables with their sources.
async fn verify_rows(arguments: &VerifyArguments, job: &TableJob) -> Result<Exit, CommandError> {
    if arguments.sample.is_some() || arguments.export.is_some() {
        return Err(CommandError::Usage(
            "`--sample` and `--export` are about files; tables are compared as a whole: `verify`, or `verify --checksum`".to_owned(),
        ));
    }
    let state = arguments.job.open_existing_state(job, "verify")?;
    let writer = arguments.reopen.then(|| state.writer()).transpose()?;
    let mut findings = Vec::new();
    let found = |finding| findings.push(finding);
    engine::verify_tables(job, &state, writer.as_ref(), arguments.checksum, found).await?;
    if let Some(writer) = writer {
        tokio::task::spawn_blocking(move || writer.close())
            .await
            .map_err(|error| Fatal::Internal(error.to_string()))??;
    }
    let report = TableReport::new(arguments, &findings);
    arguments.output.print(&report, || report.to_json())?;
    Ok(if report.is_passed() {
        Exit::Done
    } else {
        Exit::Differences
    })
}

/// What `verify` says of tables.
struct TableReport<'a> {
    arguments: &'a VerifyArguments,
    findings: &'a [TableFinding],
    equal: usize,
    left_out: usize,
    rejected: u64,
}

impl<'a> TableReport<'a> {
    fn new(arguments: &'a VerifyArguments, findings: &'a [TableFinding]) -> Self {
        let mut report = Self {
            arguments,
            findings,
            equal: 0,
            left_out: 0,
            rejected: 0,
        };
        for finding in findings {
            match &finding.outcome {
                TableOutcome::Equal { rejected, .. } => {
                    report.equal += 1;
                    report.rejected += rejected;
                }
                TableOutcome::Different(difference) => report.rejected += difference.rejected,
                TableOutcome::LeftOut => report.left_out += 1,
                TableOutcome::NotLoaded | TableOutcome::Unreadable(_) => {}
            }
        }
        report
    }

    /// Tables of which something is expected.
    fn compared(&self) -> usize {
        self.findings.len() - self.left_out
    }

    /// Whether as many are equal as were asked for. Where nothing was compared, nothing is wrong.
    fn is_passed(&self) -> bool {
        self.equal as f64 * 100.0 >= self.arguments.minimum_percent * self.compared() as f64
    }

    /// What brings the most tables into order.
    fn next(&self) -> String {
        let command_line = self.arguments.job.command_line();
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
        if self.equal == self.compared() {
            command_line.command("report")
        } else if is_any(wants_reload) {
            let checksum = if self.arguments.checksum { " --checksum" } else { "" };
            format!("{}{checksum} --reopen", command_line.command("verify"))
        } else if is_any(can_run) {
            command_line.command("run")
        } else {
            command_line.command("report")
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let tables = self.findings.iter().map(|finding| {
            let (is_equal, rejected, is_reopened) = match &finding.outcome {
                TableOutcome::Equal { rejected, .. } => (true, *rejected, false),
                TableOutcome::Different(difference) => (false, difference.rejected, difference.is_reopened),
                _ => (false, 0, false),
            };
            serde_json::json!({
                "table": finding.table,
                "target": finding.target,
                "is_equal": is_equal,
                "rejected": rejected,
                "is_reopened": is_reopened,
                "outcome": told(&finding.outcome),
            })
        });
        serde_json::json!({
            "schema_version": 1,
            "tables": tables.collect::<Vec<_>>(),
            "equal": self.equal,
            "left_out": self.left_out,
            "passed": self.is_passed(),
            "next": self.next(),
        })
    }
}

impl fmt::Display for TableReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.findings {
            if matches!(finding.outcome, TableOutcome::Equal { rejected: 0, .. }) {
                continue;
            }
            let target = finding.target.as_ref().map(|target| format!(" → {}", shown(target)));
            let (table, target) = (shown(&finding.table), target.unwrap_or_default());
            writeln!(formatter, "{table}{target}: {}", told(&finding.outcome))?;
        }
        let how = match self.arguments.checksum {
            true => "a digest of all rows",
            false => "the number of rows",
        };
        let tables = counted(self.compared() as u64, "table", "tables");
        write!(formatter, "{} of {tables} equal by {how}", self.equal)?;
        if self.rejected > 0 {
            let rows = counted(self.rejected, "row was", "rows were");
            write!(formatter, "; {rows} rejected on the way, and not expected")?;
        }
        if self.left_out > 0 {
            let tables = counted(self.left_out as u64, "table is", "tables are");
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
    let mut told = match source == sink {
        _ if difference.is_gone => format!("{source} rows at the source, and no such table at the sink"),
        true => format!("{source} rows on both sides, and not the same"),
        false => format!("{source} rows at the source, {sink} at the sink"),
    };
    if *rejected > 0 {
        told.push_str(&format!(", {rejected} rejected"));
    }
    if difference.is_reopened {
        told.push_str("; put back, and the next `run` loads it");
    } else if !difference.can_be_reloaded {
        told.push_str("; loading it once more would take no row away: put it right by hand");
    }
    told
}
