//! `run --restart`: what is done is forgotten, of all items before the state is opened, or of the tables that are selected in the state that is open.

use std::io::IsTerminal;

use crate::connect::Connections;
use crate::engine::{Fatal, Stop, close_state, list_items, put_table_back};
use crate::model::{ItemId, ItemStatus};
use crate::report::{counted, shown};
use crate::resolve::{ResolvedJob, RowMode, TableWork, Work};
use crate::state::{State, keep_owed, restart as forget};

use super::output::say;
use super::{CommandError, RunArguments};

/// Forgets the whole state, where all items are meant.
pub(super) fn begin_anew(arguments: &RunArguments, job: &ResolvedJob) -> Result<(), CommandError> {
    if !arguments.selection.takes_all() {
        return match &job.work {
            Work::Tables(_) => Ok(()),
            Work::Files(_) => Err(CommandError::Usage(
                "`--restart` forgets what is done of every item, and `--only`, `--start-from` or `--limit` would do some of them again; \
                 leave the selection out to begin anew, or `--restart` to go on with what is selected"
                    .to_owned(),
            )),
        };
    }
    let folder = arguments.job.state_folder(job);
    if !folder.exists() {
        return Ok(());
    }
    confirm(arguments, job, "")?;
    keep_what_is_owed(arguments, job)?;
    Ok(forget(&folder, &arguments.job.holder("run"))?)
}

/// Puts the selected tables back to their beginning, where a part of them is meant. Keys that are owed to the sink stay owed.
pub(super) async fn load_anew(arguments: &RunArguments, job: &ResolvedJob, state: &State) -> Result<(), CommandError> {
    if arguments.selection.takes_all() {
        return Ok(());
    }
    let connections = Connections::new(job.connections.clone());
    let entries = list_items(job, &connections, &Stop::default()).await;
    let entries = entries.map_err(Fatal::Tables)?;
    let selected = arguments
        .selection
        .selection()?
        .apply(entries)
        .map_err(Fatal::Selection)?;
    let mut begun = Vec::new();
    for entry in selected {
        match state.item(ItemId::of(&entry.key))? {
            Some(summary) if summary.status == ItemStatus::Skipped => say(format_args!(
                "`{}` is set aside and stays so: `state skip` with `--undo` takes it up again",
                shown(&summary.key)
            )),
            summary => begun.extend(summary),
        }
    }
    if begun.is_empty() {
        return Ok(());
    }
    confirm(
        arguments,
        job,
        &format!(" of {}", counted(begun.len() as u64, "table", "tables")),
    )?;
    let writer = state.writer()?;
    for summary in begun {
        put_table_back(state, &writer, summary).await?;
    }
    Ok(close_state(writer).await?)
}

/// Asks before what is done `of` something is forgotten.
fn confirm(arguments: &RunArguments, job: &ResolvedJob, of: &str) -> Result<(), CommandError> {
    if arguments.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let what = match &job.work {
            Work::Files(_) => "which files are done",
            Work::Tables(_) => "what is done",
        };
        return Err(CommandError::Usage(format!(
            "`--restart` forgets {what}{of}; add `--yes` where nobody can be asked"
        )));
    }
    let is_added = |work: &TableWork| work.sink.mode == RowMode::Append;
    let added = match &job.work {
        Work::Tables(work) if is_added(work) => " Rows that it has added stay at the sink, and are added once more.",
        _ => "",
    };
    let (name, profile) = (&job.name, &job.profile);
    say(format_args!(
        "This forgets what `{name}` has done{of} on profile `{profile}`.{added} Go on? [y/N]"
    ));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CommandError::Usage(
            "nothing was forgotten and nothing was run".to_owned(),
        )),
    }
}

/// Foreign keys that were taken away from the sink are known to the state alone: they outlive it.
fn keep_what_is_owed(arguments: &RunArguments, job: &ResolvedJob) -> Result<(), CommandError> {
    let opened = match arguments.job.open_state(job, "run") {
        // A restart works on a damaged state too.
        Err(CommandError::State(error)) if error.is_damaged() => {
            say(
                "warning: the state cannot be read, so keys that a killed run has taken away from tables of the sink stay away: look for them there",
            );
            return Ok(());
        }
        opened => opened?,
    };
    let owed = keep_owed(&opened)?;
    if owed > 0 {
        let keys = counted(owed as u64, "key", "keys");
        say(format_args!(
            "{keys} that the state forgotten here owes to tables of the sink: this run gives them back behind the rows"
        ));
    }
    Ok(())
}
