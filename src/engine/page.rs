use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::task::JoinSet;

use crate::model::{
    Account, EffectOutcome, EffectStatus, Event, Failure, ItemId, ItemSummary, PageIntent, PlannedBasis, UnitRecord,
    UnitResult, UnitStatus,
};
use crate::plan::{Known, Offer};

use super::StopCause;
use super::assess::{Assessment, Candidate, Ends, assess, vet};
use super::context::Context;
use super::events::{Recorded, RunOver};
use super::lister::Batch;
use super::mark_set::MarkSet;
use super::planned::ItemPlan;
use super::unit::{UnitWork, refused, work_on};

/// A page whose intent is durable, being worked on.
pub struct PageRun {
    item: ItemId,
    page: u32,
    records: Vec<UnitRecord>,
    /// Units to be worked on, by number, with what was found out about them.
    work: Vec<Task>,
    /// An earlier run began with it.
    is_resumed: bool,
}

/// One unit to be worked on.
struct Task {
    /// Its number in the page.
    unit: u32,
    assessment: Assessment,
    /// What a plan that is carried out has for it.
    planned: Option<PlannedBasis>,
}

impl Context {
    /// The two ends as assessing wants them.
    pub fn assessing(&self) -> Ends<'_> {
        Ends {
            source: self.ends.asked_source.as_ref(),
            sink: self.ends.asked_sink.as_ref(),
            mode: self.job.work.sink.mode,
            retry: &self.retry,
            stop: &self.stop,
            health: Some(&self.health),
            concurrency: self.job.concurrency.units,
        }
    }
}

impl PageRun {
    /// Makes a page of units met for the first time: looks at the sink, and has the intent durable before it returns.
    /// `None` when nothing new may begin any more: then nothing is known of the page.
    pub async fn open(
        context: &Context,
        page: u32,
        batch: Batch,
        plan: Option<&ItemPlan>,
        seen: &mut MarkSet,
        summary: &mut ItemSummary,
    ) -> Result<Option<Self>, RunOver> {
        let ends = context.assessing();
        let Batch {
            mut drafts,
            rows_before,
            digest,
            is_last,
        } = batch;
        if let Some(plan) = plan {
            plan.refuse_names(&mut drafts);
        }
        vet(&mut drafts, &ends, seen, context.claimed.as_deref());
        let accepted: Vec<(u32, Candidate<'_>)> = (0..)
            .zip(&drafts)
            .filter(|(_, draft)| draft.refusal.is_none())
            .map(|(unit, draft)| {
                let (from, to) = (draft.source.as_str(), draft.target.as_str());
                (
                    unit,
                    Candidate {
                        from,
                        to,
                        offer: draft.offer,
                        known: Known::Nothing,
                    },
                )
            })
            .collect();
        let candidates: Vec<Candidate<'_>> = accepted.iter().map(|(_, candidate)| *candidate).collect();
        let Some(assessments) = context.unless_draining(assess(&ends, &candidates)).await else {
            return Ok(None);
        };
        let mut existed = vec![false; drafts.len()];
        let mut work = Vec::with_capacity(assessments.len());
        for ((unit, _), mut assessment) in accepted.iter().zip(assessments) {
            existed[*unit as usize] = assessment.at_sink.is_some();
            let draft = &drafts[*unit as usize];
            let planned = plan.and_then(|plan| plan.hold(draft, &mut assessment));
            work.push(Task {
                unit: *unit,
                assessment,
                planned,
            });
        }
        let units: Vec<_> = drafts
            .iter()
            .zip(existed)
            .map(|(draft, existed)| draft.intent(existed))
            .collect();
        let records: Vec<UnitRecord> = units.iter().map(UnitRecord::pending).collect();
        summary.pages = page + 1;
        summary.listed = is_last;
        summary.units += Account::of(&records);
        let item = summary.id();
        let refusals: Vec<(u32, Failure)> = (0..)
            .zip(&units)
            .filter_map(|(unit, intent)| Some((unit, intent.refusal.clone()?)))
            .collect();
        let intent = PageIntent {
            units,
            rows_before,
            digest,
        };
        let opened = Event::PageOpened {
            item,
            page,
            intent,
            summary: summary.clone(),
        };
        context.events.send_durable(opened).await?;
        let mut run = Self {
            item,
            page,
            records,
            work,
            is_resumed: false,
        };
        for (unit, refusal) in refusals {
            run.take(context, summary, refused(unit, refusal)).await?;
        }
        Ok(Some(run))
    }

    /// Takes up a page of an earlier run, whose intent is durable already, for the units in `unsettled`. `None` when
    /// nothing new may begin any more.
    pub async fn resume(
        context: &Context,
        item: ItemId,
        page: u32,
        records: Vec<UnitRecord>,
        unsettled: &[u32],
        plan: Option<&ItemPlan>,
    ) -> Option<Self> {
        let candidates: Vec<Candidate<'_>> = unsettled
            .iter()
            .map(|unit| {
                let record = &records[*unit as usize];
                let offer = Offer {
                    size: record.size,
                    modified: None,
                    version: None,
                };
                Candidate {
                    from: &record.source,
                    to: &record.target,
                    offer,
                    known: Known::of(record),
                }
            })
            .collect();
        let ends = context.assessing();
        let assessments = context.unless_draining(assess(&ends, &candidates)).await?;
        let tasks = unsettled.iter().copied().zip(assessments);
        let work = tasks.map(|(unit, mut assessment)| {
            let record = &records[unit as usize];
            let planned = plan.and_then(|plan| plan.hold_recorded(record, &mut assessment));
            Task {
                unit,
                assessment,
                planned,
            }
        });
        let work = work.collect();
        Some(Self {
            item,
            page,
            records,
            work,
            is_resumed: true,
        })
    }

    /// Works on the page's units, and has its ledger sealed when every one of them has a result.
    pub async fn run(mut self, context: &Arc<Context>, summary: &mut ItemSummary) -> Result<(), RunOver> {
        let mut in_flight: JoinSet<Option<UnitResult>> = JoinSet::new();
        // A message that was sent counts as in flight until that is recorded: a kill repeats no more than those.
        let mut unrecorded = FuturesUnordered::new();
        let mut waiting = std::mem::take(&mut self.work).into_iter();
        loop {
            let units = context.job.concurrency.units;
            while in_flight.len() + unrecorded.len() < units && !context.stop.is_draining() {
                let Some(task) = waiting.next() else {
                    break;
                };
                let work = self.unit_work(task);
                in_flight.spawn(work_on(Arc::clone(context), work));
            }
            let ended = tokio::select! {
                Some(recorded) = unrecorded.next() => {
                    recorded?;
                    continue;
                }
                Some(ended) = in_flight.join_next() => ended,
                else => break,
            };
            match ended {
                Ok(Some(result)) => {
                    let recorded = self.take(context, summary, result).await?;
                    unrecorded.extend(recorded.map(Recorded::wait));
                }
                // Given up by a stop: it stays where it was.
                Ok(None) => {}
                // A panic in one unit must not take the run down; the unit stays pending and the account says so.
                Err(_) => context.stop.drain(StopCause::UnitLost),
            }
        }
        if self.records.iter().any(is_pending) {
            return Ok(());
        }
        let finished = Event::PageFinished {
            item: self.item,
            page: self.page,
            records: self.records,
            summary: summary.clone(),
        };
        context.events.send(finished).await
    }

    fn unit_work(&self, task: Task) -> UnitWork {
        let Task {
            unit,
            assessment,
            planned,
        } = task;
        let record = &self.records[unit as usize];
        UnitWork {
            item: self.item,
            page: self.page,
            unit,
            was_intended: self.is_resumed && !record.existed,
            record: record.clone(),
            assessment,
            planned,
        }
    }

    /// Takes a result into the page's ledger and the item's account, and tells of it. What a message was sent for is to be waited for.
    async fn take(
        &mut self,
        context: &Context,
        summary: &mut ItemSummary,
        result: UnitResult,
    ) -> Result<Option<Recorded>, RunOver> {
        let record = &mut self.records[result.unit as usize];
        let previous = record.status;
        let previous_effects: Vec<EffectStatus> = record.effects.iter().map(|effect| effect.status).collect();
        record.apply(&result);
        for (before, effect) in previous_effects.iter().zip(&record.effects) {
            summary.units.move_effect(*before, effect.status);
        }
        summary
            .units
            .move_unit(previous, record.status, record.size.unwrap_or(0));
        let has_sent = result.effects.iter().any(EffectOutcome::has_sent);
        let has_failed = result.failure.is_some() || result.effects.iter().any(|effect| effect.failure.is_some());
        let name = has_failed.then(|| {
            let name = if record.target.is_empty() {
                &record.source
            } else {
                &record.target
            };
            name.clone()
        });
        let finished = Event::UnitFinished {
            item: self.item,
            page: self.page,
            previous,
            previous_effects,
            result,
            name,
        };
        if has_sent {
            return context.events.send_recorded(finished).await.map(Some);
        }
        context.events.send(finished).await.map(|()| None)
    }
}

/// Whether a unit, or what it owes, has not come to an end.
fn is_pending(record: &UnitRecord) -> bool {
    record.status == UnitStatus::Pending
        || record
            .effects
            .iter()
            .any(|effect| effect.status == EffectStatus::Pending)
}
