use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::{broadcast, mpsc, watch};

use crate::model::{
    Account, Event, Failure, FailureClass, HashKind, ItemId, ItemStatus, Progress, Timestamp, UnitKind,
};
use crate::resolve::ResolvedJob;
use crate::state::{
    Change, Holder, JobRecord, Journal, JournalEntry, RunOutcome, RunRecord, State, StateError, StateWriter,
};

use super::context::Meters;
use super::dispatcher::{Dispatched, Dispatcher};
use super::events::Envelope;
use super::health::Health;
use super::outcome::{Fatal, RunReport, Vanished};
use super::{RunOptions, Stop, StopCause};

/// What stands around the work of a run, whatever it moves: its record in state and journal, from the beginning to the end.
pub struct Frame {
    begun: Instant,
    pub state: Arc<State>,
    pub options: RunOptions,
    pub stop: Stop,
    pub meters: Arc<Meters>,
    progress: watch::Sender<Progress>,
    feed: Option<broadcast::Sender<Event>>,
    writer: StateWriter,
    journal: Journal,
    record: RunRecord,
}

/// Who looks at the run from outside.
pub struct Lookers {
    pub progress: watch::Sender<Progress>,
    pub meters: Arc<Meters>,
    pub feed: Option<broadcast::Sender<Event>>,
}

impl Frame {
    /// Begins a run: from here on it is known, and has a number.
    pub async fn open<W>(
        job: &ResolvedJob<W>,
        state: State,
        options: RunOptions,
        stop: Stop,
        lookers: Lookers,
    ) -> Result<Self, Fatal> {
        let begun = Instant::now();
        let writer = state.writer()?;
        let record = run_record(job, &state)?;
        lookers.progress.send_modify(|progress| {
            progress.run = record.number;
            progress.started = record.started;
        });
        let mut journal = Journal::create(state.folder(), record.number)?;
        journal.write(JournalEntry::RunStarted { run: record.clone() })?;
        let begin = Change::Job(JobRecord::Run(record.clone()));
        writer.send_durable(begin).await?.wait().await?;
        put_back_interrupted(&state, &writer).await?;
        Ok(Self {
            begun,
            state: Arc::new(state),
            options,
            stop,
            meters: lookers.meters,
            progress: lookers.progress,
            feed: lookers.feed,
            writer,
            journal,
            record,
        })
    }

    /// Ends a run that could not go as far as its work.
    pub async fn give_up(self, fatal: Fatal) -> Fatal {
        // A state that cannot be written to cannot take the end either.
        if matches!(fatal, Fatal::State(_)) {
            return fatal;
        }
        let ended = end(self.record, RunOutcome::Fatal, self.journal, self.writer).await;
        ended.err().unwrap_or(fatal)
    }

    /// Hands over to the dispatcher, which takes every event from here on.
    pub fn dispatch(self, health: Arc<Health>) -> (Dispatcher, Ending) {
        let dispatcher = Dispatcher::new(
            self.writer,
            self.journal,
            self.stop.clone(),
            Arc::clone(&self.meters),
            self.progress,
            self.options.max_failures,
            health,
        );
        let ending = Ending {
            begun: self.begun,
            state: self.state,
            options: self.options,
            stop: self.stop,
            meters: self.meters,
            record: self.record,
        };
        (dispatcher.feeding(self.feed), ending)
    }
}

/// What is needed to bring a run to its end.
pub struct Ending {
    begun: Instant,
    pub state: Arc<State>,
    pub options: RunOptions,
    pub stop: Stop,
    pub meters: Arc<Meters>,
    record: RunRecord,
}

/// What only the kind of work can tell of a run.
pub struct Particulars {
    /// The selected items.
    pub ids: Vec<ItemId>,
    /// The units as they were before the work began.
    pub before: Account,
    pub hash: HashKind,
    pub unit_kind: UnitKind,
    pub vanished: Vanished,
}

impl Ending {
    /// Has the events of some work taken until it is over; `work` must hold every sender of events, and let go of them.
    pub async fn carry_out(
        &self,
        dispatcher: Dispatcher,
        events: mpsc::Receiver<Envelope>,
        work: impl Future<Output = Result<(), Fatal>>,
    ) -> Result<Dispatched, Fatal> {
        let dispatching = tokio::spawn(dispatcher.run(events));
        let timer = self.options.max_duration.map(|duration| {
            let stop = self.stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(duration).await;
                stop.drain(StopCause::MaxDuration(duration));
            })
        });
        let worked = work.await;
        if let Some(timer) = timer {
            timer.abort();
        }
        let dispatched = dispatching
            .await
            .map_err(|error| Fatal::Internal(error.to_string()))??;
        worked?;
        Ok(dispatched)
    }

    /// Balances the accounts, records the end and tells how it ended. `owed` counts what is left to do of the one stage that was asked for.
    pub async fn close(
        self,
        dispatched: Dispatched,
        particulars: Particulars,
        owed: impl Fn(&State, &[ItemId], &str) -> Result<u64, StateError>,
    ) -> Result<RunReport, Fatal> {
        let Dispatched {
            progress,
            journal,
            writer,
        } = dispatched;
        let Particulars {
            ids,
            before,
            hash,
            unit_kind,
            vanished,
        } = particulars;
        // Everything that was sent before is durable when this is.
        let settle = Change::Job(JobRecord::Run(self.record.clone()));
        writer.send_durable(settle).await?.wait().await?;
        let (held, imbalances) = balance(&self.state, &ids, &progress)?;
        let stage = self.options.stage;
        let started = self.record.started;
        let loaded = progress.tables.values().filter(|table| table.is_loaded_since(started));
        let report = RunReport {
            run: self.record.number,
            items: progress.items,
            units: progress.units,
            held,
            listed: progress.listed,
            done_now: match unit_kind {
                UnitKind::File => progress.units.done.saturating_sub(before.done),
                // Rows that are loaded again were counted before.
                UnitKind::Chunk => loaded.map(|table| table.chunks_done).sum(),
            },
            stages_now: progress
                .tables
                .values()
                .map(|table| table.stages_ended_since(started))
                .sum(),
            present_now: progress.units.present.saturating_sub(before.present),
            sent_now: progress.units.effects.sent.saturating_sub(before.effects.sent),
            bytes_moved: self.meters.bytes.load(Ordering::Relaxed),
            duration: self.begun.elapsed(),
            rows_missing: match stage.as_deref() {
                Some("constraints") if unit_kind == UnitKind::Chunk => owed(&self.state, &ids, "data")?,
                _ => 0,
            },
            owed_by_stage: match &stage {
                None => 0,
                Some(stage) => owed(&self.state, &ids, stage)?,
            },
            stage,
            stopped: self.stop.cause().cloned(),
            retries: progress.retries,
            imbalances,
            hash,
            unit_kind,
            drifted: progress.failures.get(&drift_tally()).copied().unwrap_or_default(),
            vanished,
            selected: ids,
        };
        let outcome = match &report.stopped {
            Some(StopCause::Denied(_) | StopCause::Gone { .. } | StopCause::UnitLost) => RunOutcome::Fatal,
            Some(StopCause::Asked) => RunOutcome::Interrupted,
            Some(StopCause::MaxFailures(_) | StopCause::MaxDuration(_)) => RunOutcome::Stopped,
            None if report.is_complete() && report.vanished.count == 0 => RunOutcome::Complete,
            None => RunOutcome::Failures,
        };
        end(self.record, outcome, journal, writer).await?;
        Ok(report)
    }
}

/// Records the end of a run in journal and state, and lets go of both.
async fn end(
    mut record: RunRecord,
    outcome: RunOutcome,
    mut journal: Journal,
    writer: StateWriter,
) -> Result<(), Fatal> {
    record.ended = Some(Timestamp::now());
    record.outcome = Some(outcome);
    journal.write(JournalEntry::RunEnded { run: record.clone() })?;
    journal.close()?;
    writer.send(Change::Job(JobRecord::Run(record))).await?;
    close_state(writer).await
}

/// Closes a state behind its last commit, which blocks on the disk.
pub async fn close_state(writer: StateWriter) -> Result<(), Fatal> {
    let closed = tokio::task::spawn_blocking(move || writer.close()).await;
    Ok(closed.map_err(|error| Fatal::Internal(error.to_string()))??)
}

/// What the failures of things that are not as a plan has them are counted under.
fn drift_tally() -> String {
    format!("{} {}", FailureClass::Conflict, Failure::DRIFTED)
}

fn run_record<W>(job: &ResolvedJob<W>, state: &State) -> Result<RunRecord, StateError> {
    let holder = Holder::this_process("");
    Ok(RunRecord {
        number: state.runs()?.last().map_or(1, |last| last.number + 1),
        started: Timestamp::now(),
        ended: None,
        outcome: None,
        pid: holder.pid,
        host: holder.host,
        spec_path: job.spec_path.display().to_string(),
        profile: job.profile.clone(),
        vars: job.kept_vars(),
    })
}

/// Counts what a killed run left in progress from its pages, which know results that the item's summary does not tell yet; also of what has been
/// set aside since.
async fn put_back_interrupted(state: &State, writer: &StateWriter) -> Result<(), StateError> {
    for found in state.items() {
        let (id, mut summary) = found?;
        if !matches!(summary.status, ItemStatus::InProgress | ItemStatus::Skipped) {
            continue;
        }
        let mut counted = Account::default();
        for page in state.pages(id)? {
            counted += page.account();
        }
        if summary.status == ItemStatus::Skipped && summary.units == counted {
            continue;
        }
        if summary.status == ItemStatus::InProgress {
            summary.status = ItemStatus::Pending;
        }
        summary.units = counted;
        writer.send_durable(Change::Item(summary)).await?.wait().await?;
    }
    Ok(())
}

/// The account of the selected items as their pages give it, and where the run's own account or an item's summary says something else.
fn balance(state: &State, ids: &[ItemId], progress: &Progress) -> Result<(Account, Vec<String>), StateError> {
    let mut account = Account::default();
    let mut imbalances = Vec::new();
    for id in ids {
        let Some(summary) = state.item(*id)? else { continue };
        let mut counted = Account::default();
        for page in state.pages(*id)? {
            counted += page.account();
        }
        if counted != summary.units {
            let (key, claimed) = (&summary.key, summary.units);
            imbalances.push(format!("item `{key}` claims {claimed:?}, its pages hold {counted:?}"));
        }
        account += summary.in_accounts(counted);
    }
    if account != progress.units {
        imbalances.push(format!(
            "the run counted {:?}, the state holds {account:?}",
            progress.units
        ));
    }
    if progress.items.residual() != 0 || progress.items.planned != ids.len() as u64 {
        imbalances.push(format!("items do not add up: {:?} of {}", progress.items, ids.len()));
    }
    Ok((account, imbalances))
}
