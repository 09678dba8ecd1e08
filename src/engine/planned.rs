use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::model::{Failure, FailureClass, ItemId, PlannedBasis, PlannedDecision, PlannedListing, UnitRecord};
use crate::plan::{Decision, Known, Seen, UnitDecision, drift, drifted, messages_digest};
use crate::stages::UnitDraft;
use crate::state::{PlanFile, PlanFileError, State};

use super::assess::Assessment;
use super::context::Context;
use super::found::Found;
use super::item::Broken;
use super::item_list::ItemEntry;
use super::names::{NameMark, mark_row};
use super::preview::Previewer;
use super::{PreviewOptions, Selection};

/// What a plan file says of one item's units: while the item is worked on nothing else may be done to it.
///
/// About 100 bytes a unit, of the items that are in work.
#[derive(Debug, Default)]
pub struct ItemPlan {
    units: HashMap<NameMark, PlannedBasis>,
}

/// Pages that the look at an item may be ahead of the comparison.
const PAGES_AHEAD: usize = 2;

impl ItemPlan {
    /// What the plan has for a unit. Takes the decision back where the unit is not as the plan has it.
    pub fn hold(&self, draft: &UnitDraft, assessment: &mut Assessment) -> Option<PlannedBasis> {
        let seen = Seen {
            decision: &assessment.decision,
            known: Known::Nothing,
            size: assessment.offer.size,
            version: assessment.offer.version,
            source_asked: false,
            at_sink: assessment.at_sink,
            messages: Some(messages_digest(&draft.effects)),
        };
        let refusal = self.refusal(&draft.source, &draft.target, &seen);
        self.apply(&draft.source, &draft.target, refusal, assessment)
    }

    /// The same for a unit of the ledger. What is settled may still owe messages, which the ledger has.
    pub fn hold_recorded(&self, record: &UnitRecord, assessment: &mut Assessment) -> Option<PlannedBasis> {
        let seen = Seen {
            decision: &assessment.decision,
            known: Known::of(record),
            size: None,
            version: None,
            source_asked: false,
            at_sink: assessment.at_sink,
            messages: None,
        };
        let refusal = if seen.known == Known::Settled {
            None
        } else {
            self.refusal(&record.source, &record.target, &seen)
        };
        self.apply(&record.source, &record.target, refusal, assessment)
    }

    fn apply(
        &self,
        source: &str,
        target: &str,
        refusal: Option<Failure>,
        assessment: &mut Assessment,
    ) -> Option<PlannedBasis> {
        if let Some(refusal) = refusal {
            assessment.decision = Decision::Refuse(Box::new(refusal));
        }
        self.units.get(&mark_row(source, target)).cloned()
    }

    fn refusal(&self, source: &str, target: &str, seen: &Seen<'_>) -> Option<Failure> {
        if matches!(seen.decision, Decision::Refuse(_)) {
            return None;
        }
        match self.units.get(&mark_row(source, target)) {
            None => Some(drifted("the file is not in the plan")),
            Some(planned) if planned.decision == PlannedDecision::Refuse => {
                let code = planned.code.as_deref().unwrap_or("unknown");
                Some(drifted(&format!("the plan refuses it (`{code}`)")))
            }
            Some(planned) => drift(planned, seen).map(|reason| drifted(&reason)),
        }
    }

    /// Refuses the drafts that the plan refuses for their names: which of two items comes first must not decide it anew.
    pub fn refuse_names(&self, drafts: &mut [UnitDraft]) {
        for draft in drafts.iter_mut().filter(|draft| draft.refusal.is_none()) {
            let planned = self.units.get(&mark_row(&draft.source, &draft.target));
            if planned.and_then(|planned| planned.code.as_deref()) == Some("name.collision") {
                draft.refusal = Some(Failure::new(
                    FailureClass::Conflict,
                    "name.collision",
                    "another file has the same name at the sink, as the plan says; make `naming.object` tell them apart",
                ));
            }
        }
    }
}

/// Compares an item with the plan before anything of it is touched. The inner error says why the run leaves it alone.
///
/// Lists the item once more than a run without a plan: whether a file has appeared or is gone is known at the end of its list only.
pub async fn check_item(
    context: &Context,
    file: &Arc<PlanFile>,
    entry: &ItemEntry,
    state: &Arc<State>,
) -> Result<Result<ItemPlan, Failure>, Broken> {
    let (reader, id) = (Arc::clone(file), ItemId::of(&entry.key));
    let read = tokio::task::spawn_blocking(move || read_item(&reader, id)).await;
    let (listing, plan) = match read.map_err(|_| Broken::RunOver)? {
        Ok(Some(read)) => read,
        Ok(None) => return Ok(Err(drifted("the item is not in the plan"))),
        Err(error) => return Ok(Err(Failure::permanent("plan.unreadable", error.to_string()))),
    };
    match listing {
        PlannedListing::Listed => {}
        PlannedListing::Completed => {
            return Ok(Err(drifted(
                "the plan has the item as completed, and the state has not",
            )));
        }
        PlannedListing::Unreadable => {
            return Ok(Err(drifted(
                "its list of files could not be read when the plan was made",
            )));
        }
    }
    let met = match compare(context, entry, state, &plan).await? {
        Ok(met) => met,
        Err(failure) => return Ok(Err(failure)),
    };
    if met.len() == plan.units.len() {
        return Ok(Ok(plan));
    }
    let reader = Arc::clone(file);
    let vanished = tokio::task::spawn_blocking(move || first_vanished(&reader, id, &met)).await;
    Ok(match vanished.map_err(|_| Broken::RunOver)? {
        Ok(None) => Ok(plan),
        Ok(Some(source)) => Err(drifted(&format!(
            "`{source}` is in the plan and not in the list any more"
        ))),
        Err(error) => Err(Failure::permanent("plan.unreadable", error.to_string())),
    })
}

fn read_item(file: &PlanFile, item: ItemId) -> Result<Option<(PlannedListing, ItemPlan)>, PlanFileError> {
    let mut plan = ItemPlan::default();
    let mut listing = PlannedListing::Listed;
    let is_there = file.read_item(item, |part| {
        // The last part knows how the list ended.
        listing = part.listing;
        for unit in part.units {
            // Of rows that render to the same names the first one counts; a run refuses the others as the plan did.
            let mark = mark_row(&unit.source, &unit.target);
            plan.units.entry(mark).or_insert(unit.basis);
        }
    })?;
    Ok(is_there.then_some((listing, plan)))
}

fn first_vanished(file: &PlanFile, item: ItemId, met: &HashSet<NameMark>) -> Result<Option<String>, PlanFileError> {
    let mut vanished = None;
    file.read_item(item, |part| {
        let is_gone = |source: &str, target: &str| !met.contains(&mark_row(source, target));
        let gone = part.units.into_iter().find(|unit| is_gone(&unit.source, &unit.target));
        vanished = vanished.take().or(gone.map(|unit| unit.source));
    })?;
    Ok(vanished)
}

/// Looks at the item as a plan would. Returns the units of the plan that are still there, or the first thing that is not as the plan has it.
async fn compare(
    context: &Context,
    entry: &ItemEntry,
    state: &Arc<State>,
    plan: &ItemPlan,
) -> Result<Result<HashSet<NameMark>, Failure>, Broken> {
    let previewer = Previewer {
        job: &context.job,
        connections: &context.connections,
        ends: context.assessing(),
        state: Some(Arc::clone(state)),
        options: PreviewOptions {
            sizes: true,
            versions: true,
            selection: Selection::default(),
        },
        items_cannot_meet: true,
    };
    let (sender, mut found) = mpsc::channel(PAGES_AHEAD);
    let look = previewer.item(entry, sender);
    let take = async {
        let mut met = HashSet::new();
        while let Some(one) = found.recv().await {
            match one {
                Found::Units(units) => {
                    for unit in &units {
                        if let Some(failure) = plan.differs(unit, &mut met) {
                            return Ok(Err(failure));
                        }
                    }
                }
                Found::Settled { rows, .. } => met.extend(rows.into_iter().filter(|row| plan.units.contains_key(row))),
                Found::Completed { .. } => {}
                Found::Listing(failure) => return Ok(Err(failure)),
                Found::State(error) => return Err(Broken::State(error)),
            }
        }
        Ok(Ok(met))
    };
    let both = async {
        tokio::pin!(look, take);
        tokio::select! {
            // The comparison ends early where it finds a difference; the look alone never ends it.
            taken = &mut take => taken,
            () = &mut look => take.await,
        }
    };
    context.unless_draining(both).await.unwrap_or(Err(Broken::RunOver))
}

impl ItemPlan {
    fn differs(&self, unit: &UnitDecision, met: &mut HashSet<NameMark>) -> Option<Failure> {
        let mark = mark_row(&unit.source, &unit.target);
        let Some(planned) = self.units.get(&mark) else {
            return Some(drifted(&format!("`{}` is not in the plan", unit.source)));
        };
        let is_repeated = !met.insert(mark);
        if is_repeated && matches!(unit.decision, Decision::Refuse(_)) {
            return None;
        }
        let seen = Seen {
            decision: &unit.decision,
            known: unit.known,
            size: unit.size,
            version: unit.version,
            source_asked: true,
            at_sink: unit.at_sink,
            messages: matches!(unit.known, Known::Nothing).then_some(unit.messages),
        };
        drift(planned, &seen).map(|reason| drifted(&format!("`{}`: {reason}", unit.source)))
    }
}
