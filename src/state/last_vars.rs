use super::{JournalEntry, JournalReader, StateFolder, Vars};

/// The vars that the last run of a state was started with, as its journal has them: to be had without opening the state, which a run may hold.
/// Empty where there was no run, or no journal that can be read.
pub fn last_vars(folder: &StateFolder) -> Vars {
    let journals = folder.journals().unwrap_or_default();
    let runs = journals
        .iter()
        .rev()
        .filter_map(|(_, path)| JournalReader::open(path).ok());
    // A run that was killed at once may have left an empty one.
    let mut started = runs.filter_map(|mut lines| match lines.next()?.ok()?.entry {
        JournalEntry::RunStarted { run } => Some(run.vars),
        _ => None,
    });
    started.next().unwrap_or_default()
}
