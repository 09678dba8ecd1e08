use crate::model::{Failure, FailureClass, ItemKey};
use crate::plan::{Collision, CollisionKind, Decision, Inventory, Sample, UnitDecision};
use crate::resolve::{FileJob, NotifyWhen, StepKind};
use crate::state::{Scratch, StateError};

use super::Visit;
use super::found::Found;
use super::mark_set::MarkSet;
use super::name_index::NameIndex;
use super::names::mark;

/// Sums up decisions, and finds the names that meet.
pub struct Count {
    pub inventory: Inventory,
    /// The steps of the job, and which files they tell of.
    steps: Vec<(String, NotifyWhen)>,
    /// Names of all items, asked where the template does not prove that two of them cannot meet. Names of one item are told apart
    /// before they come here.
    claimed: Option<MarkSet>,
    names: NameIndex,
    scratch: Scratch,
}

impl Count {
    pub fn new(job: &FileJob, scratch: Scratch, items_cannot_meet: bool) -> Self {
        let steps = job.work.steps.iter().map(|step| {
            let StepKind::Notify(notify) = &step.kind;
            (step.name.clone(), notify.when)
        });
        Self {
            inventory: Inventory::default(),
            steps: steps.collect(),
            claimed: (!items_cannot_meet).then(MarkSet::default),
            names: NameIndex::new(&scratch),
            scratch,
        }
    }

    /// Counts the collisions among the names so far, which those that follow cannot meet.
    pub fn settle_names(&mut self) -> Result<(), StateError> {
        let names = std::mem::replace(&mut self.names, NameIndex::new(&self.scratch));
        let met = names.finish()?;
        for (kind, count) in met.counts {
            *self.inventory.collisions.entry(kind).or_default() += count;
        }
        let room = Inventory::SHOWN.saturating_sub(self.inventory.collision_samples.len());
        self.inventory
            .collision_samples
            .extend(met.samples.into_iter().take(room));
        Ok(())
    }

    pub fn take(&mut self, item: &ItemKey, found: Found, visit: &mut impl FnMut(Visit<'_>)) -> Result<(), StateError> {
        match found {
            Found::Completed { units, names } => {
                self.inventory.items_completed += 1;
                visit(Visit::Completed);
                self.settle(units, names)?;
            }
            Found::Settled { names, messages, .. } => {
                self.settle(names.len() as u64, names)?;
                for (step, _) in &self.steps {
                    let count = messages.get(step).copied().unwrap_or_default();
                    *self.inventory.messages.entry(step.clone()).or_default() += count;
                }
            }
            Found::Listing(failure) => {
                self.inventory.failed_listings.push((item.clone(), failure));
                visit(Visit::Unreadable);
            }
            Found::State(_) => {}
            Found::Units(units) => {
                for mut unit in units {
                    self.meet(&mut unit)?;
                    self.count(&unit);
                    visit(Visit::Unit(&unit));
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, units: u64, names: Vec<String>) -> Result<(), StateError> {
        *self.inventory.decisions.entry("settled").or_default() += units;
        for name in names {
            if self.is_free(&name) {
                self.names.push(&name)?;
            } else {
                self.keep_exact(&name);
            }
        }
        Ok(())
    }

    fn is_free(&mut self, name: &str) -> bool {
        self.claimed.as_mut().is_none_or(|claimed| claimed.insert(mark(name)))
    }

    /// A unit whose name another item has already is refused, as a run would.
    fn meet(&mut self, unit: &mut UnitDecision) -> Result<(), StateError> {
        let refused_for_name = matches!(&unit.decision, Decision::Refuse(failure) if failure.code == "name.collision");
        if matches!(unit.decision, Decision::Refuse(_)) && !refused_for_name {
            return Ok(());
        }
        if !refused_for_name && self.is_free(&unit.target) {
            return self.names.push(&unit.target);
        }
        if !refused_for_name {
            unit.decision = Decision::Refuse(Box::new(Failure::new(
                FailureClass::Conflict,
                "name.collision",
                "a file of another item has the same name at the sink; make `naming.object` tell them apart",
            )));
        }
        self.keep_exact(&unit.target);
        Ok(())
    }

    fn keep_exact(&mut self, name: &str) {
        let kind = CollisionKind::Exact;
        *self.inventory.collisions.entry(kind).or_default() += 1;
        if self.inventory.collision_samples.len() < Inventory::SHOWN {
            let (first, second) = (name.to_owned(), name.to_owned());
            self.inventory.collision_samples.push(Collision { kind, first, second });
        }
    }

    fn count(&mut self, unit: &UnitDecision) {
        let inventory = &mut self.inventory;
        for (step, when) in &self.steps {
            let is_sent = unit.owes.contains(step) && is_told(&unit.decision, *when);
            *inventory.messages.entry(step.clone()).or_default() += u64::from(is_sent);
        }
        *inventory.decisions.entry(unit.decision.name()).or_default() += 1;
        match &unit.decision {
            Decision::Copy | Decision::Overwrite => match unit.size {
                Some(size) => inventory.bytes += size,
                None => inventory.sizes_unknown += 1,
            },
            Decision::Refuse(failure) => *inventory.refusals.entry(failure.code.to_string()).or_default() += 1,
            Decision::Settled | Decision::Present | Decision::Compare => {}
        }
        if inventory.samples.len() < Inventory::SHOWN {
            inventory.samples.push(Sample {
                item: unit.item.clone(),
                source: unit.source.clone(),
                target: unit.target.clone(),
                decision: unit.decision.name(),
                reason: reason(&unit.decision),
            });
        }
    }
}

/// Whether a step tells of a unit that goes this way. One that is compared is taken for the job's own, which it mostly is.
fn is_told(decision: &Decision, when: NotifyWhen) -> bool {
    match decision {
        Decision::Copy | Decision::Overwrite | Decision::Compare => true,
        Decision::Present => when == NotifyWhen::Present,
        Decision::Settled | Decision::Refuse(_) => false,
    }
}

fn reason(decision: &Decision) -> String {
    match decision {
        Decision::Settled => "the ledger has it".to_owned(),
        Decision::Copy => "nothing of this name is at the sink".to_owned(),
        Decision::Overwrite => "an object is at the sink, and the mode writes over it".to_owned(),
        Decision::Present => "an object is at the sink, and the mode leaves it alone".to_owned(),
        Decision::Compare => "an interrupted run may have written it: its bytes are compared".to_owned(),
        Decision::Refuse(failure) => failure.message.clone(),
    }
}
