use crate::model::{format_bytes, format_count};
use crate::state::{Cleaned, cleanup as clean};

use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline cleanup`
#[derive(Clone, Debug)]
pub struct CleanupArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// How many journals, the newest ones, are kept.
    pub journals_kept: usize,
}

/// Removes what the state of a job does not need any more.
pub async fn cleanup(arguments: &CleanupArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "cleanup")?;
    let cleaned = clean(&state, arguments.journals_kept).await?;
    let next = arguments.job.command_line().command("report");
    let document = || {
        serde_json::json!({
            "schema_version": 1,
            "pages_rewritten": cleaned.pages,
            "segments_removed": cleaned.segments,
            "journals_removed": cleaned.journals,
            "databases_removed": cleaned.set_aside,
            "bytes_before": cleaned.bytes_before,
            "bytes_after": cleaned.bytes_after,
            "next": next,
        })
    };
    arguments.output.print(page(&cleaned, &next), document)?;
    Ok(Exit::Done)
}

fn page(cleaned: &Cleaned, next: &str) -> String {
    let mut text = String::new();
    for (count, what) in [
        (
            cleaned.pages,
            "pages of the ledger written anew, to leave dead ones behind",
        ),
        (cleaned.segments, "segments removed"),
        (cleaned.journals, "journals removed"),
        (cleaned.set_aside, "databases removed that a rebuild had set aside"),
    ] {
        if count > 0 {
            text.push_str(&format!("{} {what}\n", format_count(count)));
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
