use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::engine::{Fatal, Meters, RunOptions, RunReport, Runner, Stop, StopReason, each_failure};
use crate::model::{Failure, HashKind, Phase, Progress, Timestamp};
use crate::monitor::{ProgressView, RateMeter, Snapshot};
use crate::plan::{changes, fingerprints};
use crate::report::{AccountReport, CommandLine, FailedUnit, FailureGroups, Integrity, Outcome, RunSummary};
use crate::resolve::ResolvedJob;
use crate::state::{Change, Holder, JobRecord, State, StatusFile, restart as forget};

use super::output::say;
use super::signals::Signals;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline run`
#[derive(Clone, Debug)]
pub struct RunArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// Leave what failed in earlier runs as it is.
    pub no_failed: bool,
    /// Keep what is done although the spec changed, and go on with the new one.
    pub accept_changes: bool,
    /// Forget the state first.
    pub restart: bool,
    /// Do not ask before forgetting it.
    pub yes: bool,
    pub quiet: bool,
    pub no_progress: bool,
}

/// How often `status.json` is replaced.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// How often the view is drawn anew.
const VIEW_EVERY: Duration = Duration::from_millis(200);

/// Examples of each kind of failure that the summary keeps.
const EXAMPLES: usize = 1;

/// Runs a job, going on where an earlier run stopped.
pub async fn run(arguments: &RunArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    if arguments.restart {
        restart(arguments, &job)?;
    }
    let state = arguments.job.open_state(&job, "run")?;
    admit(arguments, &job, &state).await?;

    let stop = Stop::default();
    let (told, notes) = mpsc::unbounded_channel();
    let signals = Signals::listen(stop.clone(), told)?;
    let options = RunOptions {
        leave_failed: arguments.no_failed,
    };
    let (name, profile) = (job.name.clone(), job.profile.clone());
    let is_quiet = arguments.quiet || arguments.no_progress;
    let view = ProgressView::choose(is_quiet, std::io::stderr().is_terminal(), job.limits.progress_every);
    let command_line = arguments.job.command_line();
    let runner = Runner::new(job, state.clone(), options, stop);
    let watcher = Watcher {
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

    let failures = collect_failures(state).await?;
    let report = match result {
        Ok(report) => report,
        Err(Fatal::Denied(failure)) => {
            say(format_args!("error: {}", Fatal::Denied(failure)));
            say(format_args!(
                "  put the credentials of the connection right, then: {}",
                command_line.command("run")
            ));
            return Ok(Exit::Fatal);
        }
        Err(fatal) => return Err(fatal.into()),
    };
    let exit = exit_of(&report, &failures, signals.received());
    let summary = RunSummary {
        job: &name,
        profile: &profile,
        run: report.run,
        outcome: outcome_of(&report, signals.received()),
        account: account_of(&report),
        integrity: integrity_of(&report),
        failures: &failures.totals(),
        retries: report.retries,
        command_line: &command_line,
    };
    arguments.output.print(&summary, || summary.to_json())?;
    for imbalance in &report.imbalances {
        say(format_args!(
            "error: the accounts do not balance: {imbalance}; this is a defect of `pipeline`: please report it"
        ));
    }
    Ok(exit)
}

/// Refuses a state that was begun with other vars or another definition, and records what this one goes on with.
async fn admit(arguments: &RunArguments, job: &ResolvedJob, state: &State) -> Result<(), CommandError> {
    let now = fingerprints(job);
    let before = state.fingerprints()?;
    if let Some(before) = &before {
        let changes = changes(before, &now);
        if !changes.is_empty() && !arguments.accept_changes {
            return Err(CommandError::Stale {
                changes,
                accept: arguments.job.command_line().command("run"),
            });
        }
    }
    if before.as_ref() == Some(&now) {
        return Ok(());
    }
    let writer = state.writer()?;
    let vars = job
        .vars
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    writer.send(Change::Job(JobRecord::Vars(vars))).await?;
    writer
        .send_durable(Change::Job(JobRecord::Fingerprints(now)))
        .await?
        .wait()
        .await?;
    Ok(tokio::task::spawn_blocking(move || writer.close())
        .await
        .map_err(|error| Fatal::Internal(error.to_string()))??)
}

fn restart(arguments: &RunArguments, job: &ResolvedJob) -> Result<(), CommandError> {
    let folder = arguments.job.state_folder(job);
    if !folder.exists() {
        return Ok(());
    }
    if !arguments.yes {
        if !std::io::stdin().is_terminal() {
            return Err(CommandError::Usage(
                "`--restart` forgets which files are done; add `--yes` where nobody can be asked".to_owned(),
            ));
        }
        say(format_args!(
            "This forgets what `{}` has done on profile `{}`. Go on? [y/N]",
            job.name, job.profile
        ));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(CommandError::Usage(
                "nothing was forgotten and nothing was run".to_owned(),
            ));
        }
    }
    Ok(forget(&folder, &arguments.job.holder("run"))?)
}

/// Everything that is failed at the end, of this run and of earlier ones.
async fn collect_failures(state: State) -> Result<FailureGroups, CommandError> {
    let collected = tokio::task::spawn_blocking(move || {
        let mut groups = FailureGroups::new(EXAMPLES);
        each_failure(&state, |summary, record| {
            let failed = match record {
                Some(record) => FailedUnit::of_file(&summary.key, record),
                None => FailedUnit::of_listing(summary),
            };
            failed.into_iter().for_each(|failed| groups.add(failed));
        })?;
        Ok(groups)
    });
    collected.await.map_err(|error| Fatal::Internal(error.to_string()))?
}

/// | the run | exit |
/// |---|---|
/// | accounts do not balance | 14 |
/// | nothing left | 0 |
/// | stopped by a signal | 130, 143 |
/// | failures left, all retryable | 5 |
/// | failures left, some not | 6 |
fn exit_of(report: &RunReport, failures: &FailureGroups, signal: Option<Exit>) -> Exit {
    if !report.imbalances.is_empty() {
        return Exit::Imbalance;
    }
    if report.is_complete() {
        return Exit::Done;
    }
    match (signal, report.stopped) {
        (Some(signal), Some(_)) => signal,
        (None, Some(StopReason::Drained | StopReason::Aborted)) => Exit::Fatal,
        (_, None) if failures.all_retryable() => Exit::FailuresRetryable,
        (_, None) => Exit::FailuresPermanent,
    }
}

fn outcome_of(report: &RunReport, signal: Option<Exit>) -> Outcome {
    if report.is_complete() {
        return if report.done_now + report.present_now == 0 {
            Outcome::NothingLeft
        } else {
            Outcome::Completed
        };
    }
    match (report.stopped, signal) {
        (Some(_), Some(Exit::Terminated)) => Outcome::Stopped {
            by: "SIGTERM".to_owned(),
        },
        (Some(_), Some(_)) => Outcome::Stopped {
            by: "SIGINT".to_owned(),
        },
        (Some(_), None) => Outcome::Fatal(Failure::permanent("engine.unit_lost", "a unit ended without a result")),
        (None, _) => Outcome::CompletedWithFailures,
    }
}

fn account_of(report: &RunReport) -> AccountReport {
    AccountReport {
        items: report.items,
        files: report.units,
        files_planned: report.units.planned(),
        imbalances: report.imbalances.clone(),
        listed: report.listed,
        bytes_moved: report.bytes_moved,
        duration: report.duration,
    }
}

fn integrity_of(report: &RunReport) -> Integrity {
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
    }
}

/// Shows a run while it goes on, and keeps `status.json` for other processes.
struct Watcher {
    view: ProgressView,
    status: StatusFile,
    rates: RateMeter,
    holder: Holder,
    job: String,
    profile: String,
    command_line: CommandLine,
    meters: Arc<Meters>,
}

impl Watcher {
    async fn watch(
        mut self,
        progress: watch::Receiver<Progress>,
        mut notes: mpsc::UnboundedReceiver<&'static str>,
        mut end: watch::Receiver<bool>,
    ) {
        let mut draw = tokio::time::interval(VIEW_EVERY);
        let mut write = tokio::time::interval(STATUS_EVERY);
        loop {
            tokio::select! {
                _ = end.wait_for(|ended| *ended) => break,
                Some(note) = notes.recv() => {
                    let in_flight = self.meters.in_flight.load(Ordering::Relaxed);
                    self.view.note(&format!("{note} ({in_flight} in flight)"));
                }
                _ = draw.tick() => {
                    let snapshot = self.snapshot(&progress);
                    self.view.update(&snapshot);
                }
                _ = write.tick() => {
                    let snapshot = self.snapshot(&progress);
                    // The status is for looking at: a run does not end because it cannot be looked at.
                    let _ = self.status.replace(&snapshot);
                }
            }
        }
        let mut snapshot = self.snapshot(&progress);
        snapshot.progress.phase = Phase::Ended;
        self.view.update(&snapshot);
        self.view.finish();
        let _ = self.status.replace(&snapshot);
    }

    fn snapshot(&mut self, progress: &watch::Receiver<Progress>) -> Snapshot {
        let now = Timestamp::now();
        let progress = progress.borrow().clone();
        let rates = self.rates.record(&progress, now);
        let command_line = self.command_line.clone();
        Snapshot::new(
            &self.job,
            &self.profile,
            command_line,
            self.holder.clone(),
            now,
            progress,
            rates,
        )
    }
}
