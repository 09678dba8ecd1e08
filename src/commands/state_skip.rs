use crate::connect::Connections;
use crate::engine::{Fatal, Stop, close_state, list_items};
use crate::model::{ItemId, ItemStatus, ItemSummary};
use crate::report::{shown, shown_short};
use crate::resolve::ResolvedJob;
use crate::state::{Change, State};

use super::items::unknown_item;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline state skip`
#[derive(Clone, Debug)]
pub struct StateSkipArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// The item's key.
    pub item: String,
    /// Take it up again.
    pub undo: bool,
    /// Leave keys away that are owed to the sink.
    pub forget_keys: bool,
}

/// Sets an item aside, so that no run takes it up and nothing of it counts as left to do; or takes that back.
pub async fn state_skip(arguments: &StateSkipArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "state skip")?;
    let mut summary = find(arguments, &job, &state).await?;
    let key = shown_short(&summary.key).into_owned();
    let told = match (arguments.undo, summary.status) {
        (false, ItemStatus::Completed) => {
            return Err(CommandError::Usage(format!(
                "item `{key}` is completed: nothing of it is left to be skipped"
            )));
        }
        (false, _) if !summary.owed().is_empty() && !arguments.forget_keys => {
            let owed: String = (summary.owed().iter())
                .map(|statement| format!("\n  {}", shown(statement)))
                .collect();
            return Err(CommandError::Usage(format!(
                "table `{key}` is half-way, and keys were taken away at the sink for it:{owed}\n\
                 a `run` that loads it to its end gives them back; to go without it, execute these at the sink, and add `--forget-keys`"
            )));
        }
        (true, status) if status != ItemStatus::Skipped => {
            return Err(CommandError::Usage(format!(
                "item `{key}` is not skipped, so there is nothing to undo"
            )));
        }
        (true, _) => {
            summary.status = ItemStatus::Pending;
            "is taken up again by the next run"
        }
        (false, _) => {
            summary.status = ItemStatus::Skipped;
            if arguments.forget_keys && !summary.owed().is_empty() {
                summary.stage("constraints").owed.clear();
            }
            "is skipped from now on; `--undo` takes that back"
        }
    };
    let status = summary.status.name();
    record(&state, summary).await?;
    let next = arguments.job.command_line().command("run");
    let text = format!("item `{key}` {told}\nNext: {next}\n");
    let document = || serde_json::json!({ "schema_version": 1, "item": key, "status": status, "next": next });
    arguments.output.print(text, document)?;
    Ok(Exit::Done)
}

/// The item as the state has it, or a new one where only the list does.
async fn find(arguments: &StateSkipArguments, job: &ResolvedJob, state: &State) -> Result<ItemSummary, CommandError> {
    if let Some(summary) = state.item(ItemId::of(&arguments.item))? {
        return Ok(summary);
    }
    let connections = Connections::new(job.connections.clone());
    let entries = list_items(job, &connections, &Stop::default()).await;
    let entries = entries.map_err(Fatal::ItemList)?;
    match entries.iter().find(|entry| entry.key == arguments.item) {
        Some(entry) => Ok(ItemSummary::new(entry.key.clone(), entry.ordinal)),
        None => {
            let keys = entries.iter().map(|entry| entry.key.as_str());
            Err(unknown_item(&arguments.item, keys, &arguments.job.command_line()))
        }
    }
}

async fn record(state: &State, summary: ItemSummary) -> Result<(), CommandError> {
    let writer = state.writer()?;
    writer.send_durable(Change::Item(summary)).await?.wait().await?;
    Ok(close_state(writer).await?)
}
