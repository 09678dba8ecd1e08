use crate::state::{Holder, Unlocked, unlock};

use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline state unlock`
#[derive(Clone, Debug)]
pub struct StateUnlockArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
}

/// Tells who holds a state. The operating system frees a lock together with its process, so all that can be left behind is a name.
pub fn state_unlock(arguments: &StateUnlockArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let command_line = arguments.job.command_line();
    let unlocked = unlock(&arguments.job.state_folder(&job))?;
    let (word, holder, next) = match &unlocked {
        Unlocked::Held(holder) => ("held", holder.as_ref(), command_line.command("status")),
        Unlocked::Stale(holder) => ("stale_name_removed", Some(holder), command_line.command("run")),
        Unlocked::Free => ("free", None, command_line.command("run")),
    };
    let text = match &unlocked {
        Unlocked::Held(holder) => format!(
            "the state is held by {}; the lock is the operating system's and ends with that process: wait until it ends, or stop it",
            holder.as_ref().map_or_else(|| "another process".to_owned(), describe)
        ),
        Unlocked::Stale(holder) => format!(
            "nobody holds the state; the name of {}, which ended without taking it away, is removed",
            describe(holder)
        ),
        Unlocked::Free => "nobody holds the state".to_owned(),
    };
    let document = || serde_json::json!({ "schema_version": 1, "lock": word, "holder": holder, "next": next });
    arguments.output.print(format!("{text}\nNext: {next}\n"), document)?;
    Ok(match unlocked {
        Unlocked::Held(_) => Exit::State,
        Unlocked::Stale(_) | Unlocked::Free => Exit::Done,
    })
}

fn describe(holder: &Holder) -> String {
    let Holder {
        host,
        pid,
        started,
        command,
    } = holder;
    format!("process {pid} on host `{host}`, started {started} as `{command}`")
}
