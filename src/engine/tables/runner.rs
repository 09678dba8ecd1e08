use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::{Mutex, broadcast, watch};
use tokio::task::JoinSet;

use crate::connect::Connections;
use crate::engine::context::Meters;
use crate::engine::dispatcher::{Dispatched, Dispatcher};
use crate::engine::events::EventSink;
use crate::engine::health::Health;
use crate::engine::item::{Broken, Past};
use crate::engine::item_list::{ItemEntry, read_tables};
use crate::engine::permits::Permits;
use crate::engine::runner::{balance, close, put_back_interrupted, run_record};
use crate::engine::{Fatal, RunHandle, RunOptions, RunReport, Stop, StopCause, Vanished};
use crate::model::{Event, HashKind, ItemId, ItemStatus, Progress, StageStatus, TableProgress, Timestamp, UnitKind};
use crate::resolve::TableJob;
use crate::stages::tables::TableInventory;
use crate::state::{Change, JobRecord, Journal, JournalEntry, RunOutcome, State, StateError, StateWriter};

use super::bookkeeping::{bookkeeping_table, create_bookkeeping, drop_bookkeeping};
use super::constraints::add_constraints;
use super::context::{TableContext, TableEnds, chunk_policy, stages};
use super::item::load_table;

/// One execution of a job of tables over an opened state.
pub struct TableRunner {
    job: TableJob,
    state: State,
    options: RunOptions,
    stop: Stop,
    progress: watch::Sender<Progress>,
    meters: Arc<Meters>,
    feed: Option<broadcast::Sender<Event>>,
}

impl TableRunner {
    pub fn new(job: TableJob, state: State, options: RunOptions, stop: Stop) -> Self {
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

    /// Everything that happens to tables and chunks, as it happens; as `Runner::events`.
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
    /// Only what keeps the run as a whole from going on; failures of tables and chunks are in the report.
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
        let begin = Change::Job(JobRecord::Run(record.clone()));
        writer.send_durable(begin).await?.wait().await?;

        let job = Arc::new(self.job);
        let prepared = prepare(&job, &self.options, &self.stop, &state, &writer).await;
        let (ends, entries, inventory, connections) = match prepared {
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
        let health = Health::new(&job, stages(&job), connections, self.stop.clone());
        let mut dispatcher = Dispatcher::new(
            writer,
            journal,
            self.stop.clone(),
            Arc::clone(&self.meters),
            self.progress.clone(),
            self.options.max_failures,
            Arc::clone(&health),
        )
        .feeding(self.feed);
        let ids: Vec<ItemId> = entries.iter().map(|entry| ItemId::of(&entry.key)).collect();
        let work = join_with_state(&entries, &inventory, &state, &mut dispatcher, &self.options)?;
        let before = dispatcher.units();
        let (events, receiver) = EventSink::channel();
        let (max_duration, stage) = (self.options.max_duration, self.options.stage.clone());
        let context = Arc::new(TableContext {
            permits: Permits::new(&job),
            retry: chunk_policy(&job),
            options: self.options,
            bookkeeping: bookkeeping_table(&job, &*ends.sink),
            source: ends.source,
            sink: ends.sink,
            doors: ends.doors,
            stop: self.stop.clone(),
            events,
            health,
            breaker: Default::default(),
            meters: Arc::clone(&self.meters),
            tables: inventory
                .tables
                .into_iter()
                .map(|table| (ItemId::of(&table.key), table))
                .collect(),
            rejects: state.folder().path().join("rejects"),
            job,
        });
        let dispatching = tokio::spawn(dispatcher.run(receiver));
        let timer = max_duration.map(|duration| {
            let stop = self.stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(duration).await;
                stop.drain(StopCause::MaxDuration(duration));
            })
        });
        let worked = work_off(&context, work, &entries, &state).await;
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

        let settle = Change::Job(JobRecord::Run(record.clone()));
        writer.send_durable(settle).await?.wait().await?;
        let (held, imbalances) = balance(&state, &ids, &progress)?;
        let report = RunReport {
            run,
            items: progress.items,
            units: progress.units,
            held,
            listed: progress.listed,
            done_now: progress.units.done.saturating_sub(before.done),
            present_now: 0,
            sent_now: 0,
            bytes_moved: self.meters.bytes.load(Ordering::Relaxed),
            duration: begun.elapsed(),
            owed_by_stage: match &stage {
                None => 0,
                Some(stage) => owed(&state, &ids, stage)?,
            },
            stage,
            stopped: self.stop.cause().cloned(),
            retries: progress.retries,
            imbalances,
            hash: HashKind::None,
            unit_kind: UnitKind::Chunk,
            drifted: 0,
            vanished: Vanished::default(),
        };
        record.ended = Some(Timestamp::now());
        record.outcome = Some(match &report.stopped {
            Some(StopCause::Denied(_) | StopCause::Gone { .. } | StopCause::UnitLost) => RunOutcome::Fatal,
            Some(StopCause::Asked) => RunOutcome::Interrupted,
            Some(StopCause::MaxFailures(_) | StopCause::MaxDuration(_)) => RunOutcome::Stopped,
            None if report.is_complete() => RunOutcome::Complete,
            None => RunOutcome::Failures,
        });
        journal.write(JournalEntry::RunEnded { run: record.clone() })?;
        journal.close()?;
        writer.send(Change::Job(JobRecord::Run(record))).await?;
        close(writer).await?;
        Ok(report)
    }
}

async fn prepare(
    job: &Arc<TableJob>,
    options: &RunOptions,
    stop: &Stop,
    state: &State,
    writer: &StateWriter,
) -> Result<(TableEnds, Vec<ItemEntry>, TableInventory, Connections), Fatal> {
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let ends = TableEnds::open(job, &connections).await;
    let ends = ends.map_err(|(name, failure)| Fatal::Connection { name, failure })?;
    let (entries, inventory) = read_tables(job, &connections).await.map_err(Fatal::Tables)?;
    put_back_interrupted(state, writer).await?;
    let entries = options.selection.apply(entries).map_err(Fatal::Selection)?;
    Ok((ends, entries, inventory, connections))
}

/// Takes every table into the accounts, and returns those whose rows are not all there.
fn join_with_state(
    entries: &[ItemEntry],
    inventory: &TableInventory,
    state: &State,
    dispatcher: &mut Dispatcher,
    options: &RunOptions,
) -> Result<Vec<ItemEntry>, StateError> {
    let mut work = Vec::new();
    for entry in entries {
        let summary = state.item(ItemId::of(&entry.key))?;
        dispatcher.begin(summary.as_ref());
        if let Some(planned) = inventory.tables.get(entry.ordinal as usize) {
            let target = planned.mapping.as_ref().map(|mapping| mapping.target.to_string());
            let table = TableProgress::new(
                entry.ordinal + 1,
                target.unwrap_or_default(),
                planned.source.rows_estimate,
            );
            dispatcher.show_table(&entry.key, table, summary.as_ref());
        }
        let has_work = summary.as_ref().is_none_or(|summary| match summary.status {
            ItemStatus::Skipped | ItemStatus::Completed => false,
            ItemStatus::Failed if options.leave_failed => false,
            _ => summary.stage_status("data") != StageStatus::Done,
        });
        if has_work && (options.does("schema") || options.does("data")) {
            work.push(entry.clone());
        }
    }
    Ok(work)
}

/// Item slots take tables off one queue; behind the last of them come the constraints.
async fn work_off(
    context: &Arc<TableContext>,
    work: Vec<ItemEntry>,
    entries: &[ItemEntry],
    state: &Arc<State>,
) -> Result<(), Fatal> {
    if !work.is_empty() && !create_bookkeeping(context).await? {
        return Ok(());
    }
    let slots = context.job.concurrency.items.min(work.len());
    let queue = Arc::new(Mutex::new(work.into_iter()));
    let mut workers = JoinSet::new();
    for slot in 0..slots {
        let (context, queue, state) = (Arc::clone(context), Arc::clone(&queue), Arc::clone(state));
        workers.spawn(async move {
            while !context.stop.is_draining() {
                context.permits.item_turn().await;
                let Some(entry) = queue.lock().await.next() else { break };
                let (read_state, id) = (Arc::clone(&state), ItemId::of(&entry.key));
                let past = tokio::task::spawn_blocking(move || Past::read(read_state, id)).await;
                let past = past.map_err(|error| Fatal::Internal(error.to_string()))??;
                match load_table(&context, slot, &entry, past).await {
                    Ok(()) => {}
                    Err(broken) => return fatal(broken),
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
    ended?;
    if context.options.does("constraints") && !context.stop.is_draining() {
        add_constraints(context, entries, state).await.or_else(fatal)?;
    }
    drop_bookkeeping(context, state).await
}

/// A dispatcher that has ended tells itself why.
fn fatal(broken: Broken) -> Result<(), Fatal> {
    match broken {
        Broken::RunOver => Ok(()),
        Broken::State(error) => Err(Fatal::State(error)),
    }
}

/// Tables for which a stage is not done.
fn owed(state: &State, ids: &[ItemId], stage: &str) -> Result<u64, StateError> {
    let mut owed = 0;
    for id in ids {
        let summary = state.item(*id)?;
        let is_done = summary.is_some_and(|summary| {
            summary.status == ItemStatus::Skipped || summary.stage_status(stage) == StageStatus::Done
        });
        owed += u64::from(!is_done);
    }
    Ok(owed)
}
