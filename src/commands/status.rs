use std::time::Duration;

use crate::model::Timestamp;
use crate::monitor::{Snapshot, Status};
use crate::state::{StatusFile, holder};

use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline status`
#[derive(Clone, Debug)]
pub struct StatusArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// Show it again and again until the run has ended.
    pub follow: bool,
    /// Between two looks.
    pub every: Duration,
}

/// Shows where a run stands. Reads what the run writes beside its database, so it works while the run holds that.
pub async fn status(arguments: &StatusArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let folder = arguments.job.state_folder(&job);
    let file = StatusFile::of(&folder);
    loop {
        // The lock is looked at first: a run that ends in between has written its last status by then.
        let running = holder(&folder)?.is_some_and(|holder| is_run(&holder.command));
        let Some(snapshot) = file.read::<Snapshot>()? else {
            if arguments.follow && running {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            let run = arguments.job.command_line().command("run");
            return Err(CommandError::NoState {
                folder: folder.path().to_owned(),
                run,
            });
        };
        let status = Status {
            snapshot: &snapshot,
            running,
            now: Timestamp::now(),
        };
        arguments.output.print(status, || status.to_json())?;
        if !arguments.follow || !running {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(arguments.every).await;
    }
}

/// Whether a command runs the job, rather than looks at its state.
fn is_run(command: &str) -> bool {
    ["pipeline run", "pipeline retry"]
        .iter()
        .any(|run| command.starts_with(run))
}
