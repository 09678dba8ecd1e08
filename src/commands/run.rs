use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::engine::{Fatal, RunOptions, RunReport, Runner, Stop, StopCause, close_state};
use crate::model::{Failure, HashKind, ItemId, UnitKind, format_duration};
use crate::monitor::{ProgressView, RateMeter, TableLog};
use crate::plan::{changes, fingerprints};
use crate::report::{AccountReport, FailureGroups, Integrity, Outcome, RunSummary};
use crate::resolve::{ResolvedJob, Work};
use crate::state::{Change, JobRecord, State, StatusFile, take_over_owed};

use super::failures::each_failed_unit;
use super::job_vars::changed_vars;
use super::output::say;
use super::plan_file::{PlanToRun, PlannedRun, has_drifted};
use super::restart::{begin_anew, load_anew};
use super::run_watcher::Watcher;
use super::signals::Signals;
use super::{CommandError, Exit, JobArguments, OutputArguments, SelectionArguments};

/// `pipeline run`
#[derive(Clone, Debug)]
pub struct RunArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// Leave what failed in earlier runs as it is.
    pub no_failed: bool,
    pub selection: SelectionArguments,
    /// Steps to leave out.
    pub skip: Vec<String>,
    /// The only stage to do.
    pub stage: Option<String>,
    /// Stop at the first failure.
    pub fail_fast: bool,
    /// Stop after so many failures.
    pub max_failures: Option<u64>,
    /// Stop after so much time.
    pub max_duration: Option<Duration>,
    /// Keep what is done although the spec changed, and go on with the new one.
    pub accept_changes: bool,
    /// Forget the state first.
    pub restart: bool,
    /// Do not ask before forgetting it.
    pub yes: bool,
    pub quiet: bool,
    pub no_progress: bool,
    /// Do what this plan says and nothing else; then the spec, the profile and the selection are the plan's.
    pub plan: Option<PlanToRun>,
}

/// Examples of each kind of failure that the summary keeps.
const EXAMPLES: usize = 1;

/// Of what is not as a plan has it: each is to be named, within reason.
const DRIFT_SHOWN: usize = 20;

/// Runs a job, going on where an earlier run stopped.
pub async fn run(arguments: &RunArguments) -> Result<Exit, CommandError> {
    if let Some(asked) = &arguments.plan {
        let (plan, arguments) = PlannedRun::open(asked, arguments)?;
        let job = arguments.job.load()?;
        plan.check(&job)?;
        let state = arguments.job.open_state(&job, "run")?;
        admit(&arguments, &job, &state).await?;
        return run_on(&arguments, job, state, Some(plan)).await;
    }
    let job = arguments.job.load()?;
    if arguments.restart {
        begin_anew(arguments, &job)?;
    }
    let state = arguments.job.open_state(&job, "run")?;
    admit(arguments, &job, &state).await?;
    if arguments.restart {
        load_anew(arguments, &job, &state).await?;
    }
    run_on(arguments, job, state, None).await
}

/// Runs a job over a state that is opened and admitted.
pub(super) async fn run_on(
    arguments: &RunArguments,
    job: ResolvedJob,
    state: State,
    plan: Option<PlannedRun>,
) -> Result<Exit, CommandError> {
    take_over_owed(&state).await?;
    let stop = Stop::default();
    let (told, notes) = mpsc::unbounded_channel();
    let signals = Signals::listen(stop.clone(), told)?;
    let mut options = options_of(arguments, &job)?;
    options.plan = plan.as_ref().map(|plan| Arc::clone(&plan.file));
    let rejects = state.folder().rejects();
    let (name, profile) = (job.name.clone(), job.profile.clone());
    let is_quiet = arguments.quiet || arguments.no_progress;
    let view = ProgressView::choose(is_quiet, std::io::stderr().is_terminal(), job.limits.progress_every);
    let summary_every = job.limits.summary_every;
    let command_line = arguments.job.command_line();
    let runner = Runner::new(job, state.clone(), options, stop);
    let watcher = Watcher {
        tables: (!is_quiet).then(|| TableLog::new(summary_every)),
        view,
        status: StatusFile::of(state.folder()),
        rates: RateMeter::default(),
        holder: arguments.job.holder("run"),
        job: name.clone(),
        profile: profile.clone(),
        command_line: command_line.clone(),
        meters: runner.meters(),
    };
    let (ended, end) = watch::channel(false);
    let watching = tokio::spawn(watcher.watch(runner.progress(), notes, end));
    let result = runner.run().await;
    ended.send_replace(true);
    // A view that failed has nothing to do with how the run ended.
    let _ = watching.await;

    let examples = if plan.is_some() { DRIFT_SHOWN } else { EXAMPLES };
    let report = result?;
    let selected = (!arguments.selection.takes_all()).then(|| report.selected.clone());
    let failures = collect_failures(state, examples, selected).await?;
    let exit = exit_of(&report, &failures, signals.received());
    let mut outcome = outcome_of(&report, &failures, signals.received(), arguments.fail_fast);
    if let (Some(plan), Exit::Stale) = (&plan, exit) {
        plan.tell(&report, &failures);
        outcome = Outcome::Drifted {
            remake: plan.remake.clone(),
        };
    }
    let plan = plan.map(|plan| plan.file.path().display().to_string());
    if let Outcome::Fatal(failure) = &outcome {
        let next = command_line.command("run");
        say(format_args!("error: the run could not go on: {failure}\nNext: {next}"));
    }
    let summary = RunSummary {
        job: &name,
        profile: &profile,
        run: report.run,
        outcome,
        account: account_of(&report, rejects),
        integrity: integrity_of(&report),
        failures: &failures.totals(),
        retries: report.retries,
        command_line: &command_line,
        plan: plan.as_deref(),
        is_selected: !arguments.selection.takes_all(),
    };
    arguments.output.print(&summary, || summary.to_json())?;
    for imbalance in &report.imbalances {
        say(format_args!(
            "error: the accounts do not balance: {imbalance}; this is a defect of `pipeline`: please report it"
        ));
    }
    Ok(exit)
}

fn options_of(arguments: &RunArguments, job: &ResolvedJob) -> Result<RunOptions, CommandError> {
    let steps: Vec<&str> = match &job.work {
        Work::Files(work) => work.steps.iter().map(|step| step.name.as_str()).collect(),
        Work::Tables(_) => Vec::new(),
    };
    let stages: Vec<&str> = match &job.work {
        Work::Files(_) => std::iter::once("copy").chain(steps.iter().copied()).collect(),
        Work::Tables(_) => vec!["schema", "data", "constraints"],
    };
    for (flag, named, known) in [
        ("--skip", arguments.skip.iter().collect::<Vec<_>>(), &steps),
        ("--stage", arguments.stage.iter().collect(), &stages),
    ] {
        if let Some(unknown) = named.iter().find(|name| !known.contains(&name.as_str())) {
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                format!("`{}`", known.join("`, `"))
            };
            return Err(CommandError::Usage(format!(
                "`{flag} {unknown}`: the job has no such stage; there are: {known}"
            )));
        }
    }
    Ok(RunOptions {
        leave_failed: arguments.no_failed,
        skip: arguments.skip.clone(),
        stage: arguments.stage.clone(),
        selection: arguments.selection.selection()?,
        max_failures: if arguments.fail_fast {
            Some(1)
        } else {
            arguments.max_failures
        },
        max_duration: arguments.max_duration,
        plan: None,
    })
}

/// Refuses a state that was begun with other vars or another definition, and records what this one goes on with.
pub(super) async fn admit(arguments: &RunArguments, job: &ResolvedJob, state: &State) -> Result<(), CommandError> {
    let now = fingerprints(job);
    let before = state.fingerprints()?;
    if let Some(before) = &before {
        let changes = changes(before, &now);
        if !changes.is_empty() && !arguments.accept_changes && state.has_items()? {
            return Err(CommandError::Stale {
                changes,
                vars: changed_vars(job, state)?,
                accept: arguments.job.command_line().command("run"),
            });
        }
    }
    if before.as_ref() == Some(&now) {
        return Ok(());
    }
    let writer = state.writer()?;
    writer.send(Change::Job(JobRecord::Vars(job.kept_vars()))).await?;
    writer
        .send_durable(Change::Job(JobRecord::Fingerprints(now)))
        .await?
        .wait()
        .await?;
    Ok(close_state(writer).await?)
}

/// Everything that is failed at the end, of this run and of earlier ones; of the selected items where not all are.
async fn collect_failures(
    state: State,
    examples: usize,
    selected: Option<Vec<ItemId>>,
) -> Result<FailureGroups, CommandError> {
    let collected = tokio::task::spawn_blocking(move || {
        let mut groups = FailureGroups::new(examples);
        let selected: Option<HashSet<ItemId>> = selected.map(|ids| ids.into_iter().collect());
        let is_wanted = |id: ItemId| selected.as_ref().is_none_or(|selected| selected.contains(&id));
        each_failed_unit(&state, is_wanted, |failed| groups.add(failed))?;
        Ok(groups)
    });
    collected.await.map_err(|error| Fatal::Internal(error.to_string()))?
}

/// | the run | exit |
/// |---|---|
/// | accounts do not balance | 14 |
/// | nothing left | 0 |
/// | stopped by a signal | 130, 143 |
/// | stopped by a limit, work left | 8 |
/// | a connection denied everything or was gone, a unit was lost | 7 |
/// | something is not as the plan has it | 12 |
/// | failures left, all retryable; or constraints wait for rows that the run was not asked to load | 5 |
/// | failures left, some not | 6 |
fn exit_of(report: &RunReport, failures: &FailureGroups, signal: Option<Exit>) -> Exit {
    if !report.imbalances.is_empty() {
        return Exit::Imbalance;
    }
    if report.is_complete() && !has_drifted(report) {
        return Exit::Done;
    }
    match &report.stopped {
        Some(StopCause::Asked) => signal.unwrap_or(Exit::Interrupted),
        Some(StopCause::MaxFailures(_) | StopCause::MaxDuration(_)) => Exit::Stopped,
        Some(StopCause::Denied(_) | StopCause::Gone { .. } | StopCause::UnitLost) => Exit::Fatal,
        None if has_drifted(report) => Exit::Stale,
        None if failures.all_retryable() => Exit::FailuresRetryable,
        None => Exit::FailuresPermanent,
    }
}

fn outcome_of(report: &RunReport, failures: &FailureGroups, signal: Option<Exit>, fail_fast: bool) -> Outcome {
    let stopped_by = |by: &str| Outcome::Stopped { by: by.to_owned() };
    match &report.stopped {
        _ if report.is_complete() && report.did_nothing() => Outcome::NothingLeft,
        _ if report.is_complete() => Outcome::Completed,
        Some(StopCause::Asked) => stopped_by(if signal == Some(Exit::Terminated) {
            "SIGTERM"
        } else {
            "SIGINT"
        }),
        Some(StopCause::MaxFailures(_)) if fail_fast => stopped_by("--fail-fast"),
        Some(StopCause::MaxFailures(max)) => stopped_by(&format!("--max-failures {max}")),
        Some(StopCause::MaxDuration(max)) => stopped_by(&format!("--max-duration ({})", format_duration(*max))),
        Some(StopCause::Denied(failure)) => {
            Outcome::Fatal(failure.clone().context(
                "one after the other was denied; put the credentials of the connection right and run again",
            ))
        }
        Some(StopCause::Gone {
            connection,
            waited,
            failure,
        }) => Outcome::Fatal(failure.clone().context(format_args!(
            "connection `{connection}` is gone: it gave no answer for {}; bring it back, or put its address right, and run again",
            format_duration(*waited)
        ))),
        Some(StopCause::UnitLost) => Outcome::Fatal(Failure::permanent(
            "engine.unit_lost",
            "a unit ended without a result; please report this",
        )),
        None if failures.is_empty() && report.rows_missing > 0 => Outcome::Waiting {
            tables: report.rows_missing,
        },
        None => Outcome::CompletedWithFailures,
    }
}

fn account_of(report: &RunReport, rejects: PathBuf) -> AccountReport {
    AccountReport {
        items: report.items,
        files: report.units,
        units: report.unit_kind,
        files_planned: report.held.planned(),
        effects_planned: report.held.effects.planned(),
        imbalances: report.imbalances.clone(),
        listed: report.listed,
        bytes_moved: report.bytes_moved,
        duration: report.duration,
        rejects: Some(rejects),
    }
}

fn integrity_of(report: &RunReport) -> Integrity {
    if report.unit_kind == UnitKind::Chunk {
        return Integrity {
            counted: report.done_now,
            is_of_rows: true,
            ..Integrity::default()
        };
    }
    let (hashed, size_only) = if report.hash == HashKind::None {
        (0, report.done_now)
    } else {
        (report.done_now, 0)
    };
    Integrity {
        hash: report.hash,
        hashed,
        size_only,
        present: report.present_now,
        ..Integrity::default()
    }
}
