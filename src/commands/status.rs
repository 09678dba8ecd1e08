use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::Timestamp;
use crate::monitor::{Snapshot, Status};
use crate::state::{StateFolder, StatusFile, holder};

use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline status`
#[derive(Clone, Debug)]
pub struct StatusArguments {
    /// Absent: every job that has a state below this folder.
    pub job: Option<JobArguments>,
    pub output: OutputArguments,
    /// Show it again and again until the run has ended.
    pub follow: bool,
    /// Between two looks.
    pub every: Duration,
}

/// Where the states of all jobs lie, below the folder that holds `jobs`.
const STATES: &str = ".pipeline";

/// Between two looks for a run that has not written its first status yet.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// Shows where runs stand. Reads what a run writes beside its database, so it works while the run holds that.
pub async fn status(arguments: &StatusArguments) -> Result<Exit, CommandError> {
    let folders = match &arguments.job {
        Some(job) => vec![job.state_folder(&job.load_to_look()?)],
        None => states_below(Path::new(STATES)),
    };
    if folders.is_empty() {
        return Err(CommandError::Usage(format!(
            "no job has been run below this folder (there is no `{STATES}`); name a spec, as in `pipeline status jobs/reupload.yaml`"
        )));
    }
    loop {
        let mut looks = Vec::with_capacity(folders.len());
        for folder in &folders {
            looks.push(Look::at(folder)?);
        }
        let is_running = looks.iter().any(|look| look.running);
        if looks.iter().all(|look| look.snapshot.is_none()) {
            if arguments.follow && is_running {
                tokio::time::sleep(FIRST_LOOK).await;
                continue;
            }
            return Err(no_state(arguments, &folders));
        }
        show(arguments, &looks)?;
        if !arguments.follow || !is_running {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(arguments.every).await;
    }
}

/// What one look at a state found.
pub(super) struct Look {
    pub running: bool,
    pub snapshot: Option<Snapshot>,
}

impl Look {
    /// The lock is looked at first: a run that ends in between has written its last status by then.
    pub fn at(folder: &StateFolder) -> Result<Self, CommandError> {
        let running = holder(folder)?.is_some_and(|holder| is_run(&holder.command));
        Ok(Self {
            running,
            snapshot: StatusFile::of(folder).read()?,
        })
    }

    fn status(&self) -> Option<Status<'_>> {
        self.snapshot.as_ref().map(|snapshot| Status {
            snapshot,
            running: self.running,
            now: Timestamp::now(),
        })
    }
}

/// One page a job; as JSON one document for a named job, a list of them otherwise.
fn show(arguments: &StatusArguments, looks: &[Look]) -> Result<(), CommandError> {
    let statuses: Vec<Status<'_>> = looks.iter().filter_map(Look::status).collect();
    let pages: Vec<String> = statuses.iter().map(ToString::to_string).collect();
    let json = || {
        let mut documents: Vec<serde_json::Value> = statuses.iter().map(Status::to_json).collect();
        match (&arguments.job, documents.pop()) {
            (Some(_), Some(document)) => document,
            (_, last) => {
                documents.extend(last);
                serde_json::Value::Array(documents)
            }
        }
    };
    Ok(arguments.output.print(pages.join("\n"), json)?)
}

fn no_state(arguments: &StatusArguments, folders: &[StateFolder]) -> CommandError {
    let run = match &arguments.job {
        Some(job) => job.command_line().command("run"),
        None => "pipeline run JOB".to_owned(),
    };
    let folder = folders
        .first()
        .map_or_else(PathBuf::new, |folder| folder.path().to_owned());
    CommandError::NoState { folder, run }
}

/// The state folders `<job>/<profile>` below a folder, in the order of their names; those that cannot be looked into are left out.
fn states_below(folder: &Path) -> Vec<StateFolder> {
    let folders_in = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        paths.sort();
        paths
    };
    let jobs = folders_in(folder);
    let profiles = jobs.iter().flat_map(|job| folders_in(job));
    profiles.map(StateFolder::new).filter(StateFolder::exists).collect()
}

/// Whether a command runs the job, rather than looks at its state.
fn is_run(command: &str) -> bool {
    ["pipeline run", "pipeline retry"]
        .iter()
        .any(|run| command.starts_with(run))
}
