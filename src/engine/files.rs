use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::connect::Connections;
use crate::model::{FailureClass, ItemId, ItemStatus, UnitKind};
use crate::resolve::FileJob;
use crate::state::{PageState, PlanFile, State, StateError};

use super::RunOptions;
use super::context::{Context, CopyEnds, unit_policy};
use super::dispatcher::Dispatcher;
use super::effects::{StepRun, open_steps};
use super::events::EventSink;
use super::frame::{Frame, Particulars};
use super::health::{Health, stages};
use super::item::{Broken, Past, execute_item, refuse_item};
use super::item_list::{ItemEntry, read_items};
use super::names::{ClaimedNames, items_cannot_meet, mark};
use super::outcome::{Fatal, RunReport, Vanished};
use super::owed::owed;
use super::permits::Permits;
use super::planned::check_item;

/// Runs a job of files: in each item slot an item's files are listed and copied, and told of.
pub async fn run_files(job: FileJob, frame: Frame) -> Result<RunReport, Fatal> {
    let prepared = match prepare(&job, &frame).await {
        Ok(prepared) => prepared,
        Err(fatal) => return Err(frame.give_up(fatal).await),
    };
    let job = Arc::new(job);
    let connections = prepared.connections;
    let health = Health::new(&job, stages(&job), connections.clone(), frame.stop.clone());
    let permits = Permits::new(&job);
    let (mut dispatcher, ending) = frame.dispatch(Arc::clone(&health));
    let state = Arc::clone(&ending.state);
    let ids: Vec<ItemId> = prepared.entries.iter().map(|entry| ItemId::of(&entry.key)).collect();
    let work = join_with_state(prepared.entries, &state, &mut dispatcher, &ending.options)?;
    let particulars = Particulars {
        ids,
        before: dispatcher.units(),
        hash: job.work.sink.hash,
        unit_kind: UnitKind::File,
        vanished: prepared.vanished,
    };
    let (events, receiver) = EventSink::channel();
    let context = Context {
        steps: prepared.steps,
        ends: prepared.ends,
        item_paces: permits.item(),
        permits: Arc::new(permits),
        retry: Arc::new(unit_policy(&job)),
        job,
        options: Arc::new(ending.options.clone()),
        stop: ending.stop.clone(),
        events,
        health,
        breaker: Arc::default(),
        claimed: prepared.claimed.map(Arc::new),
        meters: Arc::clone(&ending.meters),
        connections,
    };
    let work = async move { work_off(&context, work, &state).await };
    let dispatched = ending.carry_out(dispatcher, receiver, work).await?;
    let owed = |state: &State, ids: &[ItemId], stage: &str| match stage {
        "copy" => Ok(0),
        step => owed(state, ids, step),
    };
    ending.close(dispatched, particulars, owed).await
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

async fn prepare(job: &FileJob, frame: &Frame) -> Result<Prepared, Fatal> {
    let (options, stop, state) = (&frame.options, &frame.stop, &frame.state);
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let entries = read_items(job, &connections, stop).await.map_err(Fatal::ItemList)?;
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
