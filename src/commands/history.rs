use crate::engine::{Fatal, in_list_order};
use crate::model::{ItemStatus, ItemSummary};
use crate::report::{HistoryReport, ListedItems};
use crate::state::{JobAccount, RunRecord, State};

use super::items::known_item;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline history`
#[derive(Clone, Debug)]
pub struct HistoryArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// List the items that stand like this.
    pub status: Option<StatusArgument>,
    /// List the item with this key.
    pub item: Option<String>,
    /// The most items that are shown.
    pub shown_max: usize,
}

/// Where an item may stand. `Pending` means those that a run had begun as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusArgument {
    Completed,
    Failed,
    Pending,
    Skipped,
}

impl StatusArgument {
    fn is(self, status: ItemStatus) -> bool {
        match self {
            Self::Completed => status == ItemStatus::Completed,
            Self::Failed => status == ItemStatus::Failed,
            Self::Skipped => status == ItemStatus::Skipped,
            Self::Pending => matches!(status, ItemStatus::Pending | ItemStatus::InProgress),
        }
    }
}

/// Lists the runs of a job, and its items by where they stand.
pub async fn history(arguments: &HistoryArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "history")?;
    let asked = arguments.clone();
    let read = tokio::task::spawn_blocking(move || read(&state, &asked)).await;
    let read = read.map_err(|error| Fatal::Internal(error.to_string()))??;
    let command_line = arguments.job.command_line();
    let report = HistoryReport {
        job: &job.name,
        runs: &read.runs,
        items: &read.account.items,
        files: &read.account.units,
        listed: read
            .listed
            .as_ref()
            .map(|(shown, count)| ListedItems { shown, count: *count }),
        command_line: &command_line,
    };
    arguments.output.print(report, || report.to_json())?;
    Ok(Exit::Done)
}

struct Read {
    runs: Vec<RunRecord>,
    account: JobAccount,
    /// The items that are shown, and how many there are.
    listed: Option<(Vec<ItemSummary>, u64)>,
}

fn read(state: &State, arguments: &HistoryArguments) -> Result<Read, CommandError> {
    let listed = match (&arguments.item, arguments.status) {
        (None, None) => None,
        (Some(key), status) => {
            let summary = known_item(state, key, &arguments.job.command_line())?;
            let is_asked = status.is_none_or(|status| status.is(summary.status));
            Some((Vec::from_iter(is_asked.then_some(summary)), u64::from(is_asked)))
        }
        (None, Some(status)) => {
            let (mut shown, mut count) = (Vec::new(), 0);
            for id in in_list_order(state, |summary| status.is(summary.status))? {
                count += 1;
                if shown.len() < arguments.shown_max {
                    shown.extend(state.item(id)?);
                }
            }
            Some((shown, count))
        }
    };
    Ok(Read {
        runs: state.runs()?,
        account: state.account()?,
        listed,
    })
}
