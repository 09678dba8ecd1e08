use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::connect::Connections;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::events::EventSink;
use crate::engine::frame::{Frame, Particulars};
use crate::engine::health::Health;
use crate::engine::item::{Broken, Past};
use crate::engine::item_list::{ItemEntry, read_tables};
use crate::engine::permits::Permits;
use crate::engine::{Fatal, RunOptions, RunReport, Vanished};
use crate::model::{Event, HashKind, ItemId, ItemStatus, StageStatus, TableProgress, UnitKind};
use crate::resolve::TableJob;
use crate::stages::tables::TableInventory;
use crate::state::{State, StateError};

use super::bookkeeping::{bookkeeping_table, create_bookkeeping, drop_bookkeeping};
use super::constraints::add_constraints;
use super::context::{TableContext, TableEnds, chunk_policy, stages};
use super::item::load_table;

/// Runs a job of tables.
pub async fn run_tables(job: TableJob, frame: Frame) -> Result<RunReport, Fatal> {
    let prepared = match prepare(&job, &frame).await {
        Ok(prepared) => prepared,
        Err(fatal) => return Err(frame.give_up(fatal).await),
    };
    let job = Arc::new(job);
    let (ends, entries, inventory) = (prepared.ends, prepared.entries, prepared.inventory);
    let health = Health::new(&job, stages(&job), prepared.connections, frame.stop.clone());
    let (mut dispatcher, ending) = frame.dispatch(Arc::clone(&health));
    let state = Arc::clone(&ending.state);
    let work = join_with_state(&entries, &inventory, &state, &mut dispatcher, &ending.options)?;
    let particulars = Particulars {
        ids: entries.iter().map(|entry| ItemId::of(&entry.key)).collect(),
        before: dispatcher.units(),
        hash: HashKind::None,
        unit_kind: UnitKind::Chunk,
        vanished: Vanished::default(),
    };
    let (events, receiver) = EventSink::channel();
    let context = Arc::new(TableContext {
        permits: Permits::new(&job),
        retry: chunk_policy(&job),
        options: ending.options.clone(),
        bookkeeping: bookkeeping_table(&job, &*ends.sink),
        source: ends.source,
        sink: ends.sink,
        doors: ends.doors,
        stop: ending.stop.clone(),
        events,
        health,
        breaker: Default::default(),
        schemas: Default::default(),
        meters: Arc::clone(&ending.meters),
        tables: inventory
            .tables
            .into_iter()
            .map(|table| (ItemId::of(&table.key), table))
            .collect(),
        rejects: state.folder().rejects(),
        job,
    });
    let work = async move { work_off(&context, work, &entries, &state).await };
    let dispatched = ending.carry_out(dispatcher, receiver, work).await?;
    ending.close(dispatched, particulars, owed).await
}

/// All that a run needs before it touches anything.
struct Prepared {
    ends: TableEnds,
    /// The selected ones.
    entries: Vec<ItemEntry>,
    inventory: TableInventory,
    connections: Connections,
}

async fn prepare(job: &TableJob, frame: &Frame) -> Result<Prepared, Fatal> {
    let stop = &frame.stop;
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let ends = TableEnds::open(job, &connections).await;
    let ends = ends.map_err(|(name, failure)| Fatal::Connection { name, failure })?;
    let (entries, inventory) = read_tables(job, &connections).await.map_err(Fatal::Tables)?;
    let entries = frame.options.selection.apply(entries).map_err(Fatal::Selection)?;
    Ok(Prepared {
        ends,
        entries,
        inventory,
        connections,
    })
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
            let mut last = None;
            while !context.stop.is_draining() {
                tokio::select! {
                    biased;
                    () = context.stop.draining() => break,
                    () = context.permits.item_turn() => {}
                }
                let Some(entry) = queue.lock().await.next() else { break };
                let (read_state, id) = (Arc::clone(&state), ItemId::of(&entry.key));
                let past = tokio::task::spawn_blocking(move || Past::read(read_state, id)).await;
                let past = past.map_err(|error| Fatal::Internal(error.to_string()))??;
                match load_table(&context, slot, &entry, past).await {
                    Ok(summary) => last = summary.or(last),
                    Err(broken) => return fatal(broken),
                }
            }
            // What follows reads the state: all that this slot has told stands in it as soon as the last of it does.
            if let Some(summary) = last {
                let standing = context.events.send_durable(Event::ItemChanged { summary }).await;
                return standing.map_err(Broken::from).or_else(fatal);
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
