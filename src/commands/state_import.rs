use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::connect::Connections;
use crate::engine::{DoneFile, Fatal, Imported, Stop, close_state, import_done, read_items};
use crate::model::{ItemKey, format_count};
use crate::report::counted;

use super::items::unknown_item;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline state import`
#[derive(Clone, Debug)]
pub struct StateImportArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// A CSV file with the columns `item`, `target` and, where they are known, `size`.
    pub done: PathBuf,
}

/// Takes over what something else has done already: such files count as present, and the sink is not asked about them.
pub async fn state_import(arguments: &StateImportArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load_files("state import")?;
    let done = read_done(&arguments.done)?;
    let connections = Connections::new(job.connections.clone());
    let entries = read_items(&job, &connections, &Stop::default()).await;
    let entries = entries.map_err(Fatal::ItemList)?;
    let keys = || entries.iter().map(|entry| entry.key.as_str());
    let known: HashSet<&str> = keys().collect();
    if let Some(unknown) = done.keys().find(|key| !known.contains(key.as_str())) {
        return Err(unknown_item(unknown, keys(), &arguments.job.command_line()));
    }
    let state = arguments.job.open_state(&job, "state import")?;
    let writer = state.writer()?;
    let imported = import_done(&state, &writer, &entries, done, job.limits.page_units).await?;
    close_state(writer).await?;
    let next = arguments.job.command_line().command("plan");
    let document = || {
        serde_json::json!({
            "schema_version": 1,
            "taken_over": imported.settled + imported.added,
            "settled_before": imported.settled_before,
            "not_in_list": imported.not_in_list,
            "next": next,
        })
    };
    arguments.output.print(page(&imported, &next), document)?;
    Ok(Exit::Done)
}

fn page(imported: &Imported, next: &str) -> String {
    let taken = counted(
        imported.settled + imported.added,
        "file counts as present from now on: it is",
        "files count as present from now on: they are",
    );
    let mut text = format!("{taken} neither copied nor told of\n");
    for (count, what) in [
        (imported.settled_before, "were done or present already"),
        (
            imported.not_in_list,
            "are not in the list of their item, which has been read to its end: left out",
        ),
    ] {
        if count > 0 {
            text.push_str(&format!("{} {what}\n", format_count(count)));
        }
    }
    text.push_str(&format!("Next: {next}\n"));
    text
}

#[derive(Debug, Deserialize)]
struct DoneLine {
    item: ItemKey,
    target: String,
    #[serde(default)]
    size: Option<u64>,
}

fn read_done(path: &Path) -> Result<BTreeMap<ItemKey, Vec<DoneFile>>, CommandError> {
    let unreadable = |problem: String| CommandError::Unreadable {
        path: path.to_owned(),
        problem,
    };
    let mut reader = csv::Reader::from_path(path).map_err(|error| unreadable(error.to_string()))?;
    let mut done: BTreeMap<ItemKey, Vec<DoneFile>> = BTreeMap::new();
    for line in reader.deserialize() {
        let DoneLine { item, target, size } = line.map_err(|error| unreadable(error.to_string()))?;
        if target.is_empty() {
            return Err(unreadable(format!("a line of item `{item}` names no target")));
        }
        done.entry(item).or_default().push(DoneFile { target, size });
    }
    Ok(done)
}
