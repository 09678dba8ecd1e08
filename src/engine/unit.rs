use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::connect::Precondition;
use crate::model::{
    ContentHash, Event, Failure, FailureClass, ItemId, PlannedBasis, PlannedDecision, RowCount, SinkMode, UnitRecord,
    UnitResult, UnitStatus,
};
use crate::plan::{AtSink, Decision, Known, decide, drifted};
use crate::stages::{Comparison, CopyRequest, Room, compare, copy};

use super::assess::Assessment;
use super::attempts::{Delays, wait};
use super::context::Context;
use super::effects::work_off;
use super::permits::LeafPermit;

/// One unit with what was found out and decided about it.
#[derive(Debug)]
pub struct UnitWork {
    pub item: ItemId,
    pub page: u32,
    /// Its number in its page.
    pub unit: u32,
    /// As the ledger has it.
    pub record: UnitRecord,
    pub assessment: Assessment,
    /// A run that was killed meant to write it where nothing stood: what appears there may be that run's last request, still under way
    /// when this one looked.
    pub was_intended: bool,
    /// What a plan that is carried out has for it.
    pub planned: Option<Box<PlannedBasis>>,
}

/// What an attempt ended with.
enum Outcome {
    Done { size: u64, hash: Option<ContentHash> },
    Present { size: u64 },
}

/// Works on a unit until it is settled and owes nothing, has failed for good, or a stop gives it up: then there is no result, and it stays
/// where it was.
pub async fn work_on(context: &Context, work: UnitWork) -> Option<UnitResult> {
    let mut result = match &work.assessment.decision {
        Decision::Settled => as_recorded(&work),
        Decision::Refuse(failure) => give_up(context, work.unit, 1, failure.as_ref().clone()),
        decision => copy_until_settled(context, &work, decision.clone()).await?,
    };
    result.effects = work_off(context, &work, result.status).await;
    Some(result)
}

async fn copy_until_settled(context: &Context, work: &UnitWork, mut decision: Decision) -> Option<UnitResult> {
    let mut delays = Delays::new(&context.retry);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let failure = match attempt(context, work, &mut decision, attempts).await {
            Ok(outcome) => {
                // A unit that was found present has asked nothing of the connections.
                if matches!(outcome, Outcome::Done { .. }) {
                    context.note_success();
                }
                return Some(settled(work.unit, attempts, outcome));
            }
            Err(failure) => failure,
        };
        if failure.class == FailureClass::Cancelled {
            return None;
        }
        let Some(delay) = delays.after(&failure) else {
            context.health.exhausted(&failure);
            return Some(give_up(context, work.unit, attempts, failure));
        };
        if !retry_after(context, work, failure, delay).await {
            return None;
        }
    }
}

/// Tells of a failed attempt and waits before the next. False when a stop came first.
pub(super) async fn retry_after(context: &Context, work: &UnitWork, failure: Failure, delay: Duration) -> bool {
    let retried = Event::UnitRetried {
        item: work.item,
        page: work.page,
        unit: work.unit,
        failure,
    };
    context.events.send(retried).await.is_ok() && wait(delay, &context.stop).await
}

/// The result of a unit that an earlier run settled and that is worked on for its effects alone.
fn as_recorded(work: &UnitWork) -> UnitResult {
    let record = &work.record;
    UnitResult {
        unit: work.unit,
        rows: RowCount::default(),
        status: record.status,
        size: record.size,
        hash: record.hash.clone(),
        attempts: 0,
        failure: None,
        effects: Vec::new(),
    }
}

/// The result of a unit that has failed for good in this run; stops the run when a connection denies one unit after the other.
fn give_up(context: &Context, unit: u32, attempts: u32, failure: Failure) -> UnitResult {
    context.note_failure(&failure);
    failed(unit, attempts, failure)
}

/// One attempt: acts on the decision until there is an outcome. What it finds out on the way may change the decision, for itself and
/// for the attempts after it.
async fn attempt(context: &Context, work: &UnitWork, decision: &mut Decision, number: u32) -> Result<Outcome, Failure> {
    if context.stop.is_draining() {
        return Err(Failure::cancelled());
    }
    let _leaf = tokio::select! {
        biased;
        leaf = begin(context) => leaf?,
        () = context.stop.draining() => return Err(Failure::cancelled()),
    };
    context.meters.in_flight.fetch_add(1, Ordering::Relaxed);
    let outcome = act(context, work, decision, number).await;
    context.meters.in_flight.fetch_sub(1, Ordering::Relaxed);
    outcome
}

/// Waits until a copy may begin.
async fn begin(context: &Context) -> Result<LeafPermit, Failure> {
    context.permits.unit_turn(&context.item_paces).await;
    context.permits.leaf(&context.ends.doors).await
}

async fn act(context: &Context, work: &UnitWork, decision: &mut Decision, number: u32) -> Result<Outcome, Failure> {
    let mode = context.job.work.sink.mode;
    // Every turn either ends or moves on: copy → compare → (copy | overwrite | end). The bound is for a sink whose object comes and goes.
    for _ in 0..4 {
        let at_sink = match decision {
            Decision::Refuse(failure) => return Err(failure.as_ref().clone()),
            Decision::Settled => {
                return Err(Failure::permanent(
                    "engine.settled",
                    "a settled unit was worked on again",
                ));
            }
            Decision::Present => {
                return Ok(Outcome::Present {
                    size: work.assessment.at_sink.map_or(0, |at_sink| at_sink.size),
                });
            }
            Decision::Overwrite => return copied(context, work, Precondition::None).await,
            Decision::Copy => {
                let precondition = match mode {
                    SinkMode::Create | SinkMode::Skip => Precondition::Absent,
                    // What appeared since the plan was made is not in the plan: it is not written over.
                    _ if work.planned.is_some() => Precondition::Absent,
                    SinkMode::Overwrite | SinkMode::OverwriteIfDifferent => Precondition::None,
                };
                match copied(context, work, precondition).await {
                    Err(failure) if failure.code == "store.exists" => {}
                    ended => return ended,
                }
                // It appeared between the look at the sink and the write. An earlier attempt whose answer was lost may have
                // written it, in this run or in a killed one, so that is compared; otherwise it can only be somebody else's.
                if number > 1 || work.was_intended {
                    *decision = Decision::Compare;
                    continue;
                }
                context
                    .ends
                    .sink
                    .stat(&work.record.target)
                    .await
                    .map_err(|failure| failure.context("sink"))?
                    .map(|object| AtSink {
                        size: object.size,
                        modified: object.modified,
                    })
            }
            Decision::Compare => {
                let (source, sink) = (context.ends.source.as_ref(), context.ends.sink.as_ref());
                let abort = context.stop.abort_token();
                let hash = context.job.work.sink.hash;
                let bytes = &context.meters.bytes;
                match compare(
                    source,
                    &work.record.source,
                    sink,
                    &work.record.target,
                    hash,
                    bytes,
                    abort,
                )
                .await?
                {
                    Comparison::Equal { size, hash } => return Ok(Outcome::Done { size, hash }),
                    Comparison::Absent => None,
                    Comparison::Different { sink_size } => Some(AtSink {
                        size: sink_size,
                        modified: None,
                    }),
                }
            }
        };
        *decision = decide(mode, work.assessment.offer, Known::Intended { existed: true }, at_sink);
        let is_planned_copy = (work.planned.as_ref()).is_some_and(|planned| planned.decision == PlannedDecision::Copy);
        if is_planned_copy && *decision != Decision::Copy {
            return Err(drifted("an object has appeared at the sink"));
        }
        if let (Decision::Present, Some(at_sink)) = (&*decision, at_sink) {
            return Ok(Outcome::Present { size: at_sink.size });
        }
    }
    Err(Failure::transient(
        "sink.unsteady",
        "the object at the sink keeps appearing and vanishing",
    ))
}

async fn copied(context: &Context, work: &UnitWork, precondition: Precondition) -> Result<Outcome, Failure> {
    let sink = &context.job.work.sink;
    // Taken only by an object that is large: lists that tell no sizes must not make every file hold the room of many.
    let extra_parts = || -> (usize, Room) {
        let wanted = context.job.concurrency.parts - 1;
        let (extra, held) = context.permits.extra_leaves(wanted, &context.ends.sink_door);
        (extra, Box::new(held))
    };
    let paces = context.permits.file(&context.item_paces);
    let copied = copy(&CopyRequest {
        source: context.ends.source.as_ref(),
        sink: context.ends.sink.as_ref(),
        from: &work.record.source,
        to: &work.record.target,
        announced_size: work.assessment.offer.size,
        planned_version: work.planned.as_ref().and_then(|planned| planned.version),
        precondition,
        hash: sink.hash,
        part_size: sink.part_size,
        extra_parts: &extra_parts,
        part_paces: &paces.parts,
        byte_paces: &paces.bytes,
        memory: &context.permits.memory,
        memory_permits: context.permits.memory_permits,
        meter: &context.meters.bytes,
        abort: context.stop.abort_token(),
    })
    .await?;
    Ok(Outcome::Done {
        size: copied.size,
        hash: copied.hash,
    })
}

fn settled(unit: u32, attempts: u32, outcome: Outcome) -> UnitResult {
    let (status, size, hash) = match outcome {
        Outcome::Done { size, hash } => (UnitStatus::Done, size, hash),
        Outcome::Present { size } => (UnitStatus::Present, size, None),
    };
    UnitResult {
        unit,
        rows: RowCount::default(),
        status,
        size: Some(size),
        hash,
        attempts,
        failure: None,
        effects: Vec::new(),
    }
}

fn failed(unit: u32, attempts: u32, failure: Failure) -> UnitResult {
    UnitResult {
        unit,
        rows: RowCount::default(),
        status: UnitStatus::Failed,
        size: None,
        hash: None,
        attempts,
        failure: Some(failure),
        effects: Vec::new(),
    }
}

/// The result of a unit that can never be tried as it is: no attempt was made, and none will be.
pub fn refused(unit: u32, failure: Failure) -> UnitResult {
    failed(unit, 0, failure)
}
