use std::io;
use std::path::{Path, PathBuf};

use crate::engine::{Fatal, each_failure};
use crate::model::ItemId;
use crate::report::{FailedUnit, FailureCsv, FailureGroups, FailureJson, FailuresReport, counted};
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
    /// Write all of them to this file as well: a JSON array where it is named `.json`, otherwise CSV.
    pub export: Option<PathBuf>,
}

/// Lists what has failed, by class and code.
pub async fn failures(arguments: &FailuresArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "failures")?;
    let (examples, export) = (arguments.examples, arguments.export.as_deref().map(ExportFormat::of));
    let read = tokio::task::spawn_blocking(move || read(&state, examples, export)).await;
    let (groups, exported) = read.map_err(|error| Fatal::Internal(error.to_string()))??;
    if let Some(path) = &arguments.export {
        write_file(path, &exported)?;
        say(format_args!(
            "{} written to `{}`",
            counted(groups.total(), "failure", "failures"),
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

/// How failures are written to a file.
#[derive(Clone, Copy, Debug)]
enum ExportFormat {
    Csv,
    Json,
}

impl ExportFormat {
    fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension == "json" => Self::Json,
            _ => Self::Csv,
        }
    }
}

/// The failures by kind, and the file with all of them when one is wanted.
fn read(
    state: &State,
    examples: usize,
    export: Option<ExportFormat>,
) -> Result<(FailureGroups, Vec<u8>), CommandError> {
    let mut groups = FailureGroups::new(examples);
    let mut exported = Vec::new();
    match export {
        None => each_failed_unit(state, |_| true, |failed| groups.add(failed))?,
        Some(ExportFormat::Csv) => {
            let mut writer = FailureCsv::new(&mut exported).map_err(io::Error::from)?;
            let written = export_each(state, &mut groups, |failed| writer.write(failed))?;
            written.and_then(|()| writer.finish()).map_err(io::Error::from)?;
        }
        Some(ExportFormat::Json) => {
            let mut writer = FailureJson::new(&mut exported)?;
            let written = export_each(state, &mut groups, |failed| writer.write(failed))?;
            written.and_then(|()| writer.finish())?;
        }
    }
    Ok((groups, exported))
}

/// Counts every failure and writes it, until the first that cannot be written.
fn export_each<E>(
    state: &State,
    groups: &mut FailureGroups,
    mut write: impl FnMut(&FailedUnit) -> Result<(), E>,
) -> Result<Result<(), E>, StateError> {
    let mut written = Ok(());
    each_failed_unit(
        state,
        |_| true,
        |failed| {
            if written.is_ok() {
                written = write(&failed);
            }
            groups.add(failed);
        },
    )?;
    Ok(written)
}

/// Everything that is failed of the items that are wanted: lists of files, files, and what files owe.
pub(super) fn each_failed_unit(
    state: &State,
    is_wanted: impl Fn(ItemId) -> bool,
    mut visit: impl FnMut(FailedUnit),
) -> Result<(), StateError> {
    each_failure(state, |summary, record| match record {
        _ if !is_wanted(summary.id()) => {}
        None => FailedUnit::of_listing(summary).into_iter().for_each(&mut visit),
        Some(record) => {
            FailedUnit::of_file(&summary.key, record)
                .into_iter()
                .for_each(&mut visit);
            FailedUnit::of_effects(&summary.key, record).for_each(&mut visit);
        }
    })
}
