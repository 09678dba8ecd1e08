use crate::connect::{Connections, PartialOwner};
use crate::engine::remove_leftovers;
use crate::model::{Failure, Timestamp, format_bytes};
use crate::report::counted;
use crate::resolve::{FileJob, KnownJob, TableJob, Work};
use crate::state::{Cleaned, State, cleanup as clean};

use super::output::say;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline cleanup`
#[derive(Clone, Debug)]
pub struct CleanupArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// How many journals, the newest ones, are kept.
    pub journals_kept: usize,
}

/// Removes what the state of a job does not need any more, and what its killed runs have left at the sink.
pub async fn cleanup(arguments: &CleanupArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "cleanup")?;
    let cleaned = clean(&state, arguments.journals_kept).await?;
    let is_tables = matches!(job.work, Work::Tables(_));
    let partials = match job.clone().known() {
        KnownJob::Files(job) => remove_partials(&job, &state).await?,
        KnownJob::Tables(job) => remove_tables(&job, &state).await,
    };
    let next = arguments.job.command_line().command("report");
    let document = || {
        serde_json::json!({
            "schema_version": 1,
            "pages_rewritten": cleaned.pages,
            "segments_removed": cleaned.segments,
            "journals_removed": cleaned.journals,
            "databases_removed": cleaned.set_aside,
            "unfinished_files_removed": if is_tables { 0 } else { partials },
            "tables_removed": if is_tables { partials } else { 0 },
            "bytes_before": cleaned.bytes_before,
            "bytes_after": cleaned.bytes_after,
            "next": next,
        })
    };
    arguments
        .output
        .print(page(&cleaned, partials, is_tables, &next), document)?;
    Ok(Exit::Done)
}

/// Removes the unfinished files that runs of this job left at the sink when they were killed, and tells how many. No run of it is alive
/// while this command holds its state; what other processes write there is theirs.
async fn remove_partials(job: &FileJob, state: &State) -> Result<u64, CommandError> {
    let sink = &job.work.sink.connection;
    if !job.connection(sink).kind.keeps_partials() {
        return Ok(0);
    }
    let now = Timestamp::now();
    let runs = state.runs()?;
    let ends = runs.iter().skip(1).map(|next| next.started).chain([now]);
    let processes: Vec<_> = runs
        .iter()
        .zip(ends)
        .map(|(run, end)| (run.pid, run.host.as_str(), run.started, run.ended.unwrap_or(end)))
        .collect();
    let removed = async {
        let store = Connections::new(job.connections.clone()).store(sink).await?;
        let is_over = |owner: &PartialOwner| {
            let mut processes = processes.iter();
            processes.any(|(pid, host, started, ended)| owner.is(*pid, host, *started, *ended))
        };
        store.remove_partials(&is_over).await
    };
    let removed: Result<u64, Failure> = removed.await;
    Ok(removed.unwrap_or_else(|failure| {
        say(format_args!(
            "warning: unfinished files at the sink `{sink}` stay where they are: {failure}; `cleanup` tries again"
        ));
        0
    }))
}

/// Drops the tables that interrupted runs of this job have left at the sink, and tells how many.
async fn remove_tables(job: &TableJob, state: &State) -> u64 {
    match remove_leftovers(job, state).await {
        Ok(dropped) => dropped.len() as u64,
        Err(error) => {
            let sink = &job.work.sink.connection;
            say(format_args!(
                "warning: tables that interrupted runs have left at the sink `{sink}` stay there: {error}; `cleanup` tries again"
            ));
            0
        }
    }
}

fn page(cleaned: &Cleaned, partials: u64, is_tables: bool, next: &str) -> String {
    let mut text = String::new();
    let left = match is_tables {
        true => [
            "table dropped at the sink that an interrupted run had made for itself",
            "tables dropped at the sink that interrupted runs had made for themselves",
        ],
        false => [
            "unfinished file of a killed run removed at the sink",
            "unfinished files of killed runs removed at the sink",
        ],
    };
    for (count, [one, many]) in [
        (
            cleaned.pages,
            [
                "page of the ledger written anew, to leave dead ones behind",
                "pages of the ledger written anew, to leave dead ones behind",
            ],
        ),
        (cleaned.segments, ["segment removed", "segments removed"]),
        (cleaned.journals, ["journal removed", "journals removed"]),
        (
            cleaned.set_aside,
            [
                "database removed that a rebuild had set aside",
                "databases removed that a rebuild had set aside",
            ],
        ),
        (partials, left),
    ] {
        if count > 0 {
            text.push_str(&format!("{}\n", counted(count, one, many)));
        }
    }
    if text.is_empty() {
        text.push_str("there was nothing to remove\n");
    }
    text.push_str(&format!(
        "ledger and journals: {} before, {} now\nNext: {next}\n",
        format_bytes(cleaned.bytes_before),
        format_bytes(cleaned.bytes_after)
    ));
    text
}
