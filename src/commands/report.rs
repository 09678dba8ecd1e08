use std::time::Duration;

use crate::engine::Fatal;
use crate::model::{ItemStatus, Throttle, UnitKind};
use crate::monitor::Snapshot;
use crate::report::{AccountReport, FailureGroups, JobReport};
use crate::state::{RunRecord, State, StatusFile};

use super::failures::each_failed_unit;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline report`
#[derive(Clone, Debug)]
pub struct ReportArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
}

/// Examples of each kind of failure.
const EXAMPLES: usize = 1;

/// Shows where a job stands after its last run, from its state alone.
pub async fn report(arguments: &ReportArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "report")?;
    let units = job.unit_kind();
    let read = tokio::task::spawn_blocking(move || read(units, &state)).await;
    let (runs, (account, throttles), failures) = read.map_err(|error| Fatal::Internal(error.to_string()))??;
    let command_line = arguments.job.command_line();
    let report = JobReport {
        job: &job.name,
        profile: &job.profile,
        runs: &runs,
        account,
        throttles: &throttles,
        failures: &failures.totals(),
        command_line: &command_line,
    };
    arguments.output.print(&report, || report.to_json())?;
    Ok(Exit::Done)
}

/// The runs, the account with what was throttled in the last run, and the failures.
type Found = (Vec<RunRecord>, (AccountReport, Vec<Throttle>), FailureGroups);

fn read(units: UnitKind, state: &State) -> Result<Found, CommandError> {
    let runs = state.runs()?;
    let account = account_of(units, state, runs.last())?;
    let mut failures = FailureGroups::new(EXAMPLES);
    each_failed_unit(state, |_| true, |failed| failures.add(failed))?;
    Ok((runs, account, failures))
}

/// The account as the state's records give it. What only the run itself knew (the bytes that it moved, items of its list that it never began)
/// is in its last status, as is what was throttled.
fn account_of(
    units: UnitKind,
    state: &State,
    last: Option<&RunRecord>,
) -> Result<(AccountReport, Vec<Throttle>), CommandError> {
    let account = state.account()?;
    let mut items = account.items;
    let mut listed = true;
    for found in state.items() {
        let (_, summary) = found?;
        let is_over = summary.listed || summary.listing_failure.is_some() || summary.status == ItemStatus::Skipped;
        listed &= is_over;
    }
    let audited = state.audit()?.into_iter().filter(|finding| !finding.is_open);
    let imbalances =
        audited.map(|finding| format!("item `{}`: its pages hold another account than its own", finding.item));
    // The status is for looking at: a report does without one that cannot be read.
    let status = StatusFile::of(state.folder()).read::<Snapshot>().ok().flatten();
    let status = status.filter(|status| last.is_some_and(|last| last.number == status.progress.run));
    if let Some(status) = &status {
        let never_begun = status.progress.items.planned.saturating_sub(items.planned);
        items.planned += never_begun;
        items.pending += never_begun;
        listed &= never_begun == 0;
    }
    let duration = match (
        last.and_then(|last| last.ended.map(|ended| ended.since(last.started))),
        &status,
    ) {
        (Some(duration), _) => duration,
        (None, Some(status)) => status.taken.since(status.progress.started),
        (None, None) => Duration::ZERO,
    };
    let account = AccountReport {
        items,
        files: account.units,
        units,
        files_planned: account.units.planned(),
        effects_planned: account.units.effects.planned(),
        imbalances: imbalances.collect(),
        listed,
        bytes_moved: status.as_ref().map_or(0, |status| status.progress.bytes_moved),
        duration,
        rejects: Some(state.folder().rejects()),
    };
    Ok((
        account,
        status.map_or_else(Vec::new, |status| status.progress.throttles),
    ))
}
