use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::{self, Fatal, Finding, TableFinding, TableOutcome, VerifyOptions};
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
    /// The least share of files that must be the same, in percent.
    pub minimum_percent: f64,
    /// Write the files that differ to this CSV file.
    pub export: Option<PathBuf>,
    /// Put files that are missing back to pending.
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
    if arguments.sample.is_some() || arguments.reopen || arguments.export.is_some() {
        return Err(CommandError::Usage(
            "`--sample`, `--reopen` and `--export` are about files; tables are compared as a whole: `verify`, or `verify --checksum`"
                .to_owned(),
        ));
    }
    let state = arguments.job.open_existing_state(job, "verify")?;
    let mut findings = Vec::new();
    engine::verify_tables(job, &state, arguments.checksum, |finding| findings.push(finding)).await?;
    let is_equal = |finding: &&TableFinding| matches!(finding.outcome, TableOutcome::Equal { .. });
    let equal = findings.iter().filter(is_equal).count();
    let is_left_out = |finding: &&TableFinding| matches!(finding.outcome, TableOutcome::LeftOut);
    let left_out = findings.iter().filter(is_left_out).count();
    let compared = findings.len() - left_out;
    let command_line = arguments.job.command_line();
    let next = command_line.command(if equal == compared { "report" } else { "run" });
    let how = if arguments.checksum {
        "a digest of all rows"
    } else {
        "the number of rows"
    };
    let mut text = String::new();
    for finding in findings.iter().filter(|finding| !is_equal(finding)) {
        let target = finding.target.as_ref().map(|target| format!(" → {}", shown(target)));
        text.push_str(&format!(
            "{}{}: {}\n",
            shown(&finding.table),
            target.unwrap_or_default(),
            told(&finding.outcome)
        ));
    }
    let tables = counted(compared as u64, "table", "tables");
    let aside = match left_out {
        0 => String::new(),
        count => format!(
            "; {} set aside, which nothing is expected of",
            counted(count as u64, "table is", "tables are")
        ),
    };
    text.push_str(&format!("{equal} of {tables} equal by {how}{aside}\nNext: {next}\n"));
    let document = || {
        let tables = findings.iter().map(|finding| {
            serde_json::json!({
                "table": finding.table,
                "target": finding.target,
                "is_equal": is_equal(&finding),
                "outcome": told(&finding.outcome),
            })
        });
        serde_json::json!({ "schema_version": 1, "tables": tables.collect::<Vec<_>>(), "equal": equal, "left_out": left_out, "next": next })
    };
    arguments.output.print(text, document)?;
    Ok(if equal == compared {
        Exit::Done
    } else {
        Exit::Differences
    })
}

fn told(outcome: &TableOutcome) -> String {
    match outcome {
        TableOutcome::Equal { rows } => format!("{} on both sides", counted(*rows, "row", "rows")),
        TableOutcome::Different {
            source,
            sink,
            digests: None,
        } => format!("{source} rows at the source, {sink} at the sink"),
        TableOutcome::Different { source, sink, .. } if source != sink => {
            format!("{source} rows at the source, {sink} at the sink")
        }
        TableOutcome::Different { source, .. } => format!("{source} rows on both sides, and not the same"),
        TableOutcome::NotLoaded => "not loaded to its end yet".to_owned(),
        TableOutcome::LeftOut => "set aside by `state skip`, and not compared".to_owned(),
        TableOutcome::Unreadable(failure) => shown(&failure.to_string()).into_owned(),
    }
}
