use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::{self, Fatal, Finding, VerifyOptions, close_state};
use crate::format::CsvWriter;
use crate::model::{Timestamp, Value, redact};
use crate::report::{self, Difference, TableVerifyReport, VerifyReport, counted};
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
    close_state(writer).await?;
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
        close_state(writer).await?;
    }
    let command_line = arguments.job.command_line();
    let report = TableVerifyReport {
        by_checksum: arguments.checksum,
        minimum_percent: arguments.minimum_percent,
        findings: &findings,
        command_line: &command_line,
    };
    arguments.output.print(report, || report.to_json())?;
    Ok(if report.is_passed() {
        Exit::Done
    } else {
        Exit::Differences
    })
}
