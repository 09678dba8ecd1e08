use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::engine::{PutBack, RetrySelection, close_state, put_back};
use crate::report::{Difference, counted};
use crate::state::State;

use super::items::known_item;
use super::output::say;
use super::run::{admit, run_on};
use super::{CommandError, Exit, RunArguments};

/// `pipeline retry`
#[derive(Clone, Debug)]
pub struct RetryArguments {
    /// What is run once the failures are put back.
    pub run: RunArguments,
    /// The failures that are named in this file; all of them when absent.
    pub from: Option<PathBuf>,
}

/// Puts what failed back to pending, also what a plain run leaves alone, and runs.
pub async fn retry(arguments: &RetryArguments) -> Result<Exit, CommandError> {
    let mut run = arguments.run.clone();
    let job = run.job.load()?;
    let selection = match &arguments.from {
        None => RetrySelection::everything(),
        Some(path) => read_selection(path)?,
    };
    let state = run.job.open_existing_state(&job, "retry")?;
    for key in selection.keys() {
        known_item(&state, key, &run.job.command_line())?;
    }
    admit(&run, &job, &state).await?;
    tell(&put_back_in(&state, &selection).await?);
    // Failures that the file does not name stay as they are.
    run.no_failed |= arguments.from.is_some();
    run_on(&run, job, state, None).await
}

async fn put_back_in(state: &State, selection: &RetrySelection) -> Result<PutBack, CommandError> {
    let writer = state.writer()?;
    let put_back = put_back(state, &writer, selection).await?;
    close_state(writer).await?;
    Ok(put_back)
}

fn tell(put_back: &PutBack) {
    if put_back.is_empty() {
        say("nothing that failed was there to be put back");
    }
    for (count, what) in [
        (
            put_back.failed,
            ["failed file is put back", "failed files are put back"],
        ),
        (
            put_back.missing,
            ["missing file is put back", "missing files are put back"],
        ),
        (
            put_back.refused,
            [
                "refused file is forgotten until its item is listed anew",
                "refused files are forgotten until their items are listed anew",
            ],
        ),
        (
            put_back.listed_anew,
            [
                "item is listed anew; what is done of it stays done",
                "items are listed anew; what is done of them stays done",
            ],
        ),
        (put_back.effects, ["message is owed again", "messages are owed again"]),
        (
            put_back.effects_left,
            [
                "message stays failed: its text could not be made from its row; a new state (`run --restart`) makes it anew",
                "messages stay failed: their text could not be made from their row; a new state (`run --restart`) makes it anew",
            ],
        ),
    ] {
        if count > 0 {
            say(counted(count, what[0], what[1]));
        }
    }
}

/// What `retry` reads of a line that `failures --export` or `verify --export` wrote.
#[derive(Debug, Deserialize)]
struct NamedFailure {
    item: String,
    #[serde(default)]
    target: Option<String>,
    /// Only what `verify` wrote has it.
    #[serde(default)]
    difference: Option<String>,
}

fn read_selection(path: &Path) -> Result<RetrySelection, CommandError> {
    let unreadable = |problem: String| CommandError::Unreadable {
        path: path.to_owned(),
        problem,
    };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let named: Vec<NamedFailure> = if is_json {
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?
    } else {
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let rows = reader.deserialize().collect::<Result<_, csv::Error>>();
        rows.map_err(|error| unreadable(error.to_string()))?
    };
    let missing = Difference::Missing.to_string();
    let mut selection = RetrySelection::nothing();
    for failure in &named {
        let is_missing = failure.difference.as_ref() == Some(&missing);
        selection.add(&failure.item, failure.target.as_deref(), is_missing);
    }
    Ok(selection)
}
