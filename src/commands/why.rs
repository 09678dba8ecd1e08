use crate::engine::Fatal;
use crate::model::ItemId;
use crate::report::{ItemFiles, WhyReport};
use crate::resolve::Work;
use crate::state::{PageState, State};

use super::items::known_item;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline why`
#[derive(Clone, Debug)]
pub struct WhyArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// The item's key.
    pub item: String,
    /// The most files that are shown.
    pub shown_max: usize,
}

/// Shows everything that the state has about one item.
pub async fn why(arguments: &WhyArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "why")?;
    let command_line = arguments.job.command_line();
    let summary = known_item(&state, &arguments.item, &command_line)?;
    let steps = match job.work {
        Work::Files(work) => work.steps.into_iter().map(|step| step.name).collect(),
        Work::Tables(_) => Vec::new(),
    };
    let (id, files) = (summary.id(), ItemFiles::new(steps, arguments.shown_max));
    let read = tokio::task::spawn_blocking(move || read(&state, id, files)).await;
    let (files, sealed_pages, open_pages) = read.map_err(|error| Fatal::Internal(error.to_string()))??;
    let report = WhyReport {
        summary: &summary,
        sealed_pages,
        open_pages,
        files: &files,
        command_line: &command_line,
    };
    arguments.output.print(report, || report.to_json())?;
    Ok(Exit::Done)
}

/// The item's files, and how many of its pages are sealed and not.
fn read(state: &State, id: ItemId, mut files: ItemFiles) -> Result<(ItemFiles, u64, u64), CommandError> {
    let (mut sealed_pages, mut open_pages) = (0, 0);
    for page in state.pages(id)? {
        match &page {
            PageState::Sealed { .. } => sealed_pages += 1,
            PageState::Open { .. } => open_pages += 1,
        }
        state.records(page)?.into_iter().for_each(|record| files.add(record));
    }
    Ok((files, sealed_pages, open_pages))
}
