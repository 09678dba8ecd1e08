use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::{Mutex, broadcast, watch};
use tokio::task::JoinSet;

use crate::connect::Connections;
use crate::model::{Account, Event, Failure, FailureClass, ItemId, ItemStatus, Progress, Timestamp, UnitKind};
use crate::resolve::{FileJob, ResolvedJob};
use crate::state::{
    Change, Holder, JobRecord, Journal, JournalEntry, PageState, PlanFile, RunOutcome, RunRecord, State, StateError,
    StateWriter,
};

use super::context::{Context, CopyEnds, Meters, unit_policy};
use super::dispatcher::{Dispatched, Dispatcher};
use super::effects::{StepRun, open_steps};
use super::events::EventSink;
use super::health::{Health, stages};
use super::item::{Broken, Past, execute_item, refuse_item};
use super::item_list::{ItemEntry, read_items};
use super::names::{ClaimedNames, items_cannot_meet, mark};
use super::outcome::{Fatal, RunReport, Vanished};
use super::owed::owed;
use super::permits::Permits;
use super::planned::check_item;
use super::{RunHandle, RunOptions, Stop, StopCause};

/// One execution of a job over an opened state.
pub struct Runner {
    job: FileJob,
    state: State,
    options: RunOptions,
    stop: Stop,
    progress: watch::Sender<Progress>,
    meters: Arc<Meters>,
    feed: Option<broadcast::Sender<Event>>,
}

impl Runner {
    pub fn new(job: FileJob, state: State, options: RunOptions, stop: Stop) -> Self {
        let (progress, _) = watch::channel(Progress::default());
        Self {
            job,
            state,
            options,
            stop,
            progress,
            meters: Arc::default(),
            feed: None,
        }
    }

    /// Everything that happens to items and units, as it happens.
    ///
    /// A bounded channel that never holds the run back: a receiver that is more than `capacity` events behind loses the oldest of them, and is
    /// told how many (`RecvError::Lagged`). It is closed when the run has come to its end.
    pub fn events(&mut self, capacity: usize) -> broadcast::Receiver<Event> {
        let feed = self.feed.get_or_insert_with(|| broadcast::channel(capacity.max(1)).0);
        feed.subscribe()
    }

    /// For asking how the run stands while it goes on, from anywhere.
    pub fn handle(&self) -> RunHandle {
        RunHandle::new(self.progress.subscribe(), Arc::clone(&self.meters), self.stop.clone())
    }

    /// Where the run stands: the latest at any moment, and a wake-up at each change.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Counters that are right at every moment, where progress is a little behind.
    pub fn meters(&self) -> Arc<Meters> {
        Arc::clone(&self.meters)
    }

    /// Runs the job to its end, or until it is stopped.
    ///
    /// # Errors
    /// Only what keeps the run as a whole from going on; failures of items and units are in the report.
    pub async fn run(self) -> Result<RunReport, Fatal> {
        let begun = Instant::now();
        let state = Arc::new(self.state);
        let writer = state.writer()?;
        let mut record = run_record(&self.job, &state)?;
        let run = record.number;
        self.progress.send_modify(|progress| {
            progress.run = run;
            progress.started = record.started;
        });
        let mut journal = Journal::create(state.folder(), run)?;
        journal.write(JournalEntry::RunStarted { run: record.clone() })?;
        writer
            .send_durable(Change::Job(JobRecord::Run(record.clone())))
            .await?
            .wait()
            .await?;

        let job = Arc::new(self.job);
        let prepared = prepare(&job, &self.options, &self.stop, &state, &writer).await;
        let Prepared {
            entries,
            claimed,
            vanished,
            connections,
            ends,
            steps,
        } = match prepared {
            Ok(prepared) => prepared,
            // A state that cannot be written to cannot take the end either.
            Err(Fatal::State(error)) => return Err(Fatal::State(error)),
            Err(fatal) => {
                record.ended = Some(Timestamp::now());
                record.outcome = Some(RunOutcome::Fatal);
                journal.write(JournalEntry::RunEnded { run: record.clone() })?;
                journal.close()?;
                writer.send(Change::Job(JobRecord::Run(record))).await?;
                close(writer).await?;
                return Err(fatal);
            }
        };
        let meters = self.meters;
        let health = Health::new(&job, stages(&job), connections.clone(), self.stop.clone());
        let permits = Permits::new(&job);
        let mut dispatcher = Dispatcher::new(
            writer,
            journal,
            self.stop.clone(),
            Arc::clone(&meters),
            self.progress.clone(),
            self.options.max_failures,
            Arc::clone(&health),
        )
        .feeding(self.feed);
        let ids: Vec<ItemId> = entries.iter().map(|entry| ItemId::of(&entry.key)).collect();
        let work = join_with_state(entries, &state, &mut dispatcher, &self.options)?;
        let before = dispatcher.units();

        let max_duration = self.options.max_duration;
        let stage = self.options.stage.clone();
        let (events, receiver) = EventSink::channel();
        let hash = job.work.sink.hash;
        let context = Context {
            steps,
            ends,
            item_paces: permits.item(),
            permits: Arc::new(permits),
            retry: Arc::new(unit_policy(&job)),
            job,
            options: Arc::new(self.options),
            stop: self.stop.clone(),
            events,
            health,
            breaker: Arc::default(),
            claimed: claimed.map(Arc::new),
            meters: Arc::clone(&meters),
            connections,
        };
        let dispatching = tokio::spawn(dispatcher.run(receiver));
        let timer = max_duration.map(|duration| {
            let stop = self.stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(duration).await;
                stop.drain(StopCause::MaxDuration(duration));
            })
        });
        let worked = work_off(&context, work, &state).await;
        drop(context);
        if let Some(timer) = timer {
            timer.abort();
        }
        let dispatched = dispatching.await.map_err(|error| Fatal::Internal(error.to_string()))?;
        let Dispatched {
            progress,
            mut journal,
            writer,
        } = dispatched?;
        worked?;

        writer
            .send_durable(Change::Job(JobRecord::Run(record.clone())))
            .await?
            .wait()
            .await?;
        let (held, imbalances) = balance(&state, &ids, &progress)?;
        let owed_by_stage = match stage.as_deref() {
            None | Some("copy") => 0,
            Some(step) => owed(&state, &ids, step)?,
        };
        let stopped = self.stop.cause().cloned();
        let report = RunReport {
            run,
            items: progress.items,
            units: progress.units,
            held,
            listed: progress.listed,
            done_now: progress.units.done - before.done,
            present_now: progress.units.present - before.present,
            sent_now: progress.units.effects.sent - before.effects.sent,
            bytes_moved: meters.bytes.load(Ordering::Relaxed),
            duration: begun.elapsed(),
            stage,
            owed_by_stage,
            stopped,
            retries: progress.retries,
            imbalances,
            hash,
            unit_kind: UnitKind::File,
            drifted: progress.failures.get(&drift_tally()).copied().unwrap_or_default(),
            vanished,
        };
        record.ended = Some(Timestamp::now());
        record.outcome = Some(match &report.stopped {
            Some(StopCause::Denied(_) | StopCause::Gone { .. } | StopCause::UnitLost) => RunOutcome::Fatal,
            Some(StopCause::Asked) => RunOutcome::Interrupted,
            Some(StopCause::MaxFailures(_) | StopCause::MaxDuration(_)) => RunOutcome::Stopped,
            None if report.is_complete() && report.vanished.count == 0 => RunOutcome::Complete,
            None => RunOutcome::Failures,
        });
        journal.write(JournalEntry::RunEnded { run: record.clone() })?;
        journal.close()?;
        writer.send(Change::Job(JobRecord::Run(record))).await?;
        close(writer).await?;
        Ok(report)
    }
}

/// All that a run needs before it touches anything.
struct Prepared {
    /// The selected ones.
    entries: Vec<ItemEntry>,
    claimed: Option<ClaimedNames>,
    vanished: Vanished,
    connections: Connections,
    ends: CopyEnds,
    steps: Vec<StepRun>,
}

async fn prepare(
    job: &FileJob,
    options: &RunOptions,
    stop: &Stop,
    state: &State,
    writer: &StateWriter,
) -> Result<Prepared, Fatal> {
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let entries = read_items(job, &connections, stop).await.map_err(Fatal::ItemList)?;
    put_back_interrupted(state, writer).await?;
    let claimed = claimed_names(job, &entries, state)?;
    let entries = options.selection.apply(entries).map_err(Fatal::Selection)?;
    let vanished = match &options.plan {
        Some(plan) => vanished(plan, &entries)?,
        None => Vanished::default(),
    };
    let fatal = |(name, failure)| Fatal::Connection { name, failure };
    let steps = open_steps(job, &connections, options).await.map_err(fatal)?;
    let ends = CopyEnds::open(job, &connections).await.map_err(fatal)?;
    Ok(Prepared {
        entries,
        claimed,
        vanished,
        connections,
        ends,
        steps,
    })
}

/// Items of a plan that the list does not have any more.
fn vanished(plan: &PlanFile, entries: &[ItemEntry]) -> Result<Vanished, Fatal> {
    let known: HashSet<ItemId> = entries.iter().map(|entry| ItemId::of(&entry.key)).collect();
    let found = plan.unknown_items(Vanished::SHOWN, |id| known.contains(&id));
    let (keys, count) = found.map_err(|error| Fatal::Plan(error.to_string()))?;
    Ok(Vanished { keys, count })
}

/// What the failures of things that are not as a plan has them are counted under.
fn drift_tally() -> String {
    format!("{} {}", FailureClass::Conflict, Failure::DRIFTED)
}

pub(super) fn run_record<W>(job: &ResolvedJob<W>, state: &State) -> Result<RunRecord, StateError> {
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
        vars: job
            .vars
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect(),
    })
}

/// Counts what a killed run left in progress from its pages, which know results that the item's summary does not tell yet.
pub(super) async fn put_back_interrupted(state: &State, writer: &StateWriter) -> Result<(), StateError> {
    for found in state.items() {
        let (id, mut summary) = found?;
        if summary.status == ItemStatus::InProgress {
            summary.status = ItemStatus::Pending;
            summary.units = Account::default();
            for page in state.pages(id)? {
                summary.units += page.account();
            }
            writer.send_durable(Change::Item(summary)).await?.wait().await?;
        }
    }
    Ok(())
}

/// The names that earlier runs have given, where the naming does not prove that items cannot meet.
fn claimed_names(job: &FileJob, entries: &[ItemEntry], state: &State) -> Result<Option<ClaimedNames>, StateError> {
    if items_cannot_meet(job, entries) {
        return Ok(None);
    }
    let claimed = ClaimedNames::default();
    for found in state.items() {
        let (id, _) = found?;
        for page in state.pages(id)? {
            let records = match page {
                PageState::Open { records, .. } => records,
                PageState::Sealed { reference, .. } => state.read_page(&reference)?,
            };
            claimed.claim(records.iter().map(|record| mark(&record.target)));
        }
    }
    Ok(Some(claimed))
}

/// Takes every item of the list into the accounts, and returns those that have work.
fn join_with_state(
    entries: Vec<ItemEntry>,
    state: &State,
    dispatcher: &mut Dispatcher,
    options: &RunOptions,
) -> Result<Vec<ItemEntry>, StateError> {
    let mut work = Vec::new();
    for entry in entries {
        let summary = state.item(ItemId::of(&entry.key))?;
        dispatcher.begin(summary.as_ref());
        let has_work = match &summary {
            None => options.copies(),
            Some(summary) => {
                let is_made_up = summary.units.effects.left_out > 0 && options.makes_up();
                match summary.status {
                    ItemStatus::Pending | ItemStatus::InProgress => true,
                    ItemStatus::Failed => !options.leave_failed || is_made_up,
                    ItemStatus::Completed => is_made_up,
                    ItemStatus::Skipped => false,
                }
            }
        };
        if has_work {
            work.push(entry);
        }
    }
    Ok(work)
}

/// Item slots: numbered workers that pull items from one queue until it is empty or a stop is asked for.
async fn work_off(context: &Context, work: Vec<ItemEntry>, state: &Arc<State>) -> Result<(), Fatal> {
    let slots = context.job.concurrency.items.min(work.len());
    let queue = Arc::new(Mutex::new(work.into_iter()));
    let mut workers = JoinSet::new();
    for slot in 0..slots {
        let context = context.for_slot().await;
        let context = context.map_err(|(name, failure)| Fatal::Connection { name, failure })?;
        let (queue, state) = (Arc::clone(&queue), Arc::clone(state));
        workers.spawn(async move {
            while context.unless_draining(context.permits.item_turn()).await.is_some() {
                let Some(entry) = queue.lock().await.next() else { break };
                let (read_state, id) = (Arc::clone(&state), ItemId::of(&entry.key));
                let past = tokio::task::spawn_blocking(move || Past::read(read_state, id)).await;
                let past = past.map_err(|error| Fatal::Internal(error.to_string()))??;
                match carry_out(&Arc::new(context.for_item()), slot, &entry, past, &state).await {
                    Ok(()) => {}
                    // The dispatcher has ended and tells why.
                    Err(Broken::RunOver) => break,
                    Err(Broken::State(error)) => return Err(Fatal::State(error)),
                }
            }
            Ok(())
        });
    }
    let mut ended = Ok(());
    while let Some(worker) = workers.join_next().await {
        let worked = worker.unwrap_or_else(|error| Err(Fatal::Internal(error.to_string())));
        if worked.is_err() && ended.is_ok() {
            context.stop.abort();
            ended = worked;
        }
    }
    ended
}

/// Executes an item; under a plan only when it still is as the plan has it.
async fn carry_out(
    context: &Arc<Context>,
    slot: usize,
    entry: &ItemEntry,
    mut past: Past,
    state: &Arc<State>,
) -> Result<(), Broken> {
    if let Some(file) = &context.options.plan {
        match check_item(context, file, entry, state).await? {
            Ok(plan) => past.plan = Some(plan),
            // A stop leaves the item where it was.
            Err(failure) if failure.class == FailureClass::Cancelled => return Ok(()),
            Err(failure) => return refuse_item(context, slot, entry, &past, failure).await,
        }
    }
    execute_item(context, slot, entry, past).await
}

/// The account of the selected items as their pages give it, and where the run's own account or an item's summary says something else.
pub(super) fn balance(
    state: &State,
    ids: &[ItemId],
    progress: &Progress,
) -> Result<(Account, Vec<String>), StateError> {
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

/// Ends the writer, whose last commit blocks.
pub(super) async fn close(writer: StateWriter) -> Result<(), Fatal> {
    let closed = tokio::task::spawn_blocking(move || writer.close()).await;
    Ok(closed.map_err(|error| Fatal::Internal(error.to_string()))??)
}
