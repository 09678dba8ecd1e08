use crate::model::{ItemId, ItemSummary};
use crate::report::CommandLine;
use crate::spec::closest;
use crate::state::{State, StateError};

use super::CommandError;

/// The item of the state that has this key.
///
/// # Errors
/// [`CommandError::UnknownItem`] with the key that was probably meant.
pub fn known_item(state: &State, key: &str, command_line: &CommandLine) -> Result<ItemSummary, CommandError> {
    if let Some(summary) = state.item(ItemId::of(key))? {
        return Ok(summary);
    }
    let keys = state.items().map(|found| found.map(|(_, summary)| summary.key));
    let keys: Vec<String> = keys.collect::<Result<_, StateError>>()?;
    Err(unknown_item(key, keys.iter().map(String::as_str), command_line))
}

pub fn unknown_item<'a>(
    key: &str,
    keys: impl IntoIterator<Item = &'a str>,
    command_line: &CommandLine,
) -> CommandError {
    CommandError::UnknownItem {
        key: key.to_owned(),
        closest: closest(key, keys).map(str::to_owned),
        list: command_line.command("history"),
    }
}
