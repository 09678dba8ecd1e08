use std::path::PathBuf;

use crate::engine::{Fatal, each_failure};
use crate::report::{FailedUnit, FailureCsv, FailureGroups, FailuresReport};
use crate::state::{State, StateError};

use super::arguments::write_file;
use super::output::say;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline failures`
#[derive(Clone, Debug)]
pub struct FailuresArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// Failures of one kind that are shown.
    pub examples: usize,
    /// Write all of them to this CSV file as well.
    pub export: Option<PathBuf>,
}

/// Lists what has failed, by class and code.
pub async fn failures(arguments: &FailuresArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "failures")?;
    let (examples, wants_csv) = (arguments.examples, arguments.export.is_some());
    let read = tokio::task::spawn_blocking(move || read(&state, examples, wants_csv)).await;
    let (groups, csv) = read.map_err(|error| Fatal::Internal(error.to_string()))??;
    if let Some(path) = &arguments.export {
        write_file(path, &csv)?;
        say(format_args!(
            "{} failures written to `{}`",
            groups.total(),
            path.display()
        ));
    }
    let command_line = arguments.job.command_line();
    let report = FailuresReport {
        job: &job.name,
        failures: &groups,
        command_line: &command_line,
    };
    arguments.output.print(report, || report.to_json())?;
    Ok(Exit::Done)
}

fn read(state: &State, examples: usize, wants_csv: bool) -> Result<(FailureGroups, Vec<u8>), CommandError> {
    let mut groups = FailureGroups::new(examples);
    let mut csv = Vec::new();
    let mut writer = FailureCsv::new(&mut csv).map_err(std::io::Error::from)?;
    let mut written = Ok(());
    each_failed_unit(state, |failed| {
        if wants_csv && written.is_ok() {
            written = writer.write(&failed);
        }
        groups.add(failed);
    })?;
    written.and_then(|()| writer.finish()).map_err(std::io::Error::from)?;
    Ok((groups, csv))
}

/// Everything that is failed: lists of files, files, and what files owe.
pub(super) fn each_failed_unit(state: &State, mut visit: impl FnMut(FailedUnit)) -> Result<(), StateError> {
    each_failure(state, |summary, record| match record {
        None => FailedUnit::of_listing(summary).into_iter().for_each(&mut visit),
        Some(record) => {
            FailedUnit::of_file(&summary.key, record)
                .into_iter()
                .for_each(&mut visit);
            FailedUnit::of_effects(&summary.key, record).for_each(&mut visit);
        }
    })
}
