use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec;

use tokio::task::JoinSet;

use crate::model::{
    Account, EffectOutcome, EffectStatus, Event, Failure, ItemId, ItemSummary, PageIntent, PlannedBasis, UnitRecord,
    UnitResult, UnitStatus,
};
use crate::plan::{Known, Offer};
use crate::resolve::RowsForm;

use super::StopCause;
use super::assess::{Assessment, Candidate, Ends, assess, vet};
use super::context::Context;
use super::events::RunOver;
use super::lister::Batch;
use super::mark_set::MarkSet;
use super::planned::ItemPlan;
use super::unit::{UnitWork, refused, work_on};

/// A page whose intent is durable, being worked on.
pub struct PageRun {
    ledger: Ledger,
    /// Units to be worked on, by number, with what was found out about them.
    work: Vec<Task>,
    /// An earlier run began with it.
    is_resumed: bool,
}

/// What a page's units have come to, and the account of its item with it.
struct Ledger {
    item: ItemId,
    page: u32,
    records: Vec<UnitRecord>,
    account: Account,
}

/// A page as its workers share it: what each takes next, and where it enters what came of it.
struct Desk {
    inside: Mutex<(vec::IntoIter<Task>, Ledger)>,
    is_resumed: bool,
}

/// One unit to be worked on.
struct Task {
    /// Its number in the page.
    unit: u32,
    assessment: Assessment,
    /// What a plan that is carried out has for it.
    planned: Option<Box<PlannedBasis>>,
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
            let planned = plan.and_then(|plan| plan.hold(draft, &mut assessment)).map(Box::new);
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
        let mut ledger = Ledger {
            item,
            page,
            records,
            account: summary.units,
        };
        for (unit, refusal) in refusals {
            let finished = ledger.enter(refused(unit, refusal));
            context.events.send(finished).await?;
        }
        summary.units = ledger.account;
        Ok(Some(Self {
            ledger,
            work,
            is_resumed: false,
        }))
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
        // The size that a listing told is that of its moment: the object may have been written anew since.
        let is_listing = matches!(context.job.work.source.files.rows.form, RowsForm::Glob { .. });
        let candidates: Vec<Candidate<'_>> = unsettled
            .iter()
            .map(|unit| {
                let record = &records[*unit as usize];
                let offer = Offer {
                    size: record.size.filter(|_| !is_listing),
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
            let planned = plan
                .and_then(|plan| plan.hold_recorded(record, &mut assessment))
                .map(Box::new);
            Task {
                unit,
                assessment,
                planned,
            }
        });
        let work = work.collect();
        Some(Self {
            ledger: Ledger {
                item,
                page,
                records,
                account: Account::default(),
            },
            work,
            is_resumed: true,
        })
    }

    /// Works on the page's units, and has its ledger sealed when every one of them has a result.
    pub async fn run(mut self, context: &Arc<Context>, summary: &mut ItemSummary) -> Result<(), RunOver> {
        self.ledger.account = summary.units;
        let (item, page) = (self.ledger.item, self.ledger.page);
        let count = context.job.concurrency.units.min(self.work.len());
        let desk = Arc::new(Desk {
            inside: Mutex::new((self.work.into_iter(), self.ledger)),
            is_resumed: self.is_resumed,
        });
        // Each takes one unit after the other: a task for every unit would cost more than a small file.
        let mut workers = JoinSet::new();
        for _ in 0..count {
            workers.spawn(work_through(Arc::clone(context), Arc::clone(&desk)));
        }
        while let Some(worker) = workers.join_next().await {
            match worker {
                Ok(ended) => ended?,
                // A panic in one unit must not take the run down; the unit stays pending and the account says so.
                Err(_) => context.stop.drain(StopCause::UnitLost),
            }
        }
        let records = {
            let ledger = &mut desk.inside().1;
            summary.units = ledger.account;
            std::mem::take(&mut ledger.records)
        };
        if records.iter().any(is_pending) {
            return Ok(());
        }
        let finished = Event::PageFinished {
            item,
            page,
            records,
            summary: summary.clone(),
        };
        context.events.send(finished).await
    }
}

/// Works on one unit of a page after the other, as long as there are any and new work may begin.
async fn work_through(context: Arc<Context>, desk: Arc<Desk>) -> Result<(), RunOver> {
    while !context.stop.is_draining() {
        let Some(work) = desk.next() else { break };
        // Given up by a stop, a unit stays where it was.
        let Some(result) = work_on(&context, work).await else {
            continue;
        };
        let has_sent = result.effects.iter().any(EffectOutcome::has_sent);
        let finished = desk.inside().1.enter(result);
        if has_sent {
            // A message that was sent counts as in flight until that is recorded: a kill repeats no more than those.
            context.events.send_durable(finished).await?;
        } else {
            context.events.send(finished).await?;
        }
    }
    Ok(())
}

impl Desk {
    fn next(&self) -> Option<UnitWork> {
        let (waiting, ledger) = &mut *self.inside();
        let Task {
            unit,
            assessment,
            planned,
        } = waiting.next()?;
        let record = &ledger.records[unit as usize];
        Some(UnitWork {
            item: ledger.item,
            page: ledger.page,
            unit,
            was_intended: self.is_resumed && !record.existed,
            record: record.clone(),
            assessment,
            planned,
        })
    }

    fn inside(&self) -> MutexGuard<'_, (vec::IntoIter<Task>, Ledger)> {
        // Whatever panics while it is held has changed nothing yet or everything.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Takes a result into the page's records and the item's account: what is to be told of it.
    fn enter(&mut self, result: UnitResult) -> Event {
        let record = &mut self.records[result.unit as usize];
        let previous = record.status;
        let previous_effects: Vec<EffectStatus> = record.effects.iter().map(|effect| effect.status).collect();
        record.apply(&result);
        for (before, effect) in previous_effects.iter().zip(&record.effects) {
            self.account.move_effect(*before, effect.status);
        }
        self.account
            .move_unit(previous, record.status, record.size.unwrap_or(0));
        let has_failed = result.failure.is_some() || result.effects.iter().any(|effect| effect.failure.is_some());
        let name = has_failed.then(|| {
            let name = if record.target.is_empty() {
                &record.source
            } else {
                &record.target
            };
            name.clone()
        });
        Event::UnitFinished {
            item: self.item,
            page: self.page,
            previous,
            previous_effects,
            result,
            name,
        }
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
