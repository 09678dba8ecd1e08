use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::connect::Connections;
use crate::model::{EffectIntent, Failure, ItemId, ItemKey, ItemStatus, UnitRecord};
use crate::plan::{Decision, Inventory, Known, Offer, UnitDecision, messages_digest};
use crate::resolve::FileJob;
use crate::state::{PageState, Scratch, State};

use super::assess::{Assessment, Candidate, Ends, assess, vet};
use super::attempts::repeat;
use super::context::unit_policy;
use super::count::Count;
use super::found::Found;
use super::item_list::{ItemEntry, read_items};
use super::lister::{Cursor, Lister};
use super::mark_set::MarkSet;
use super::names::{forms_cannot_meet, items_cannot_meet, mark, mark_row};
use super::{Fatal, Selection, Stop};

/// What a preview is asked for.
#[derive(Clone, Debug, Default)]
pub struct PreviewOptions {
    /// Ask the source for the sizes that the list does not tell.
    pub sizes: bool,
    /// Ask the source which version of each object there is, as a plan that is kept has to know.
    pub versions: bool,
    pub selection: Selection,
}

/// Pages that an item may be ahead of the one that is being counted.
const PAGES_AHEAD: usize = 2;

/// What a preview meets on its way, in the order of the lists: an item, then what there is of it.
#[derive(Clone, Copy, Debug)]
pub enum Visit<'a> {
    Item(&'a ItemKey),
    /// The item is completed: nothing follows.
    Completed,
    /// The item's list could not be read, or not to its end.
    Unreadable,
    Unit(&'a UnitDecision),
}

/// Enumerates everything read-only and decides about every unit as a run would; `visit` sees each decision in the order of the lists.
/// Many names are sorted in `scratch`.
pub async fn preview(
    job: &FileJob,
    state: Option<Arc<State>>,
    options: PreviewOptions,
    scratch: Scratch,
    stop: &Stop,
    mut visit: impl FnMut(Visit<'_>),
) -> Result<Inventory, Fatal> {
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let entries = read_items(job, &connections, stop).await.map_err(Fatal::ItemList)?;
    let entries = options.selection.apply(entries).map_err(Fatal::Selection)?;
    let open = async |name: &str| {
        let opened = connections.store(name).await;
        opened.map_err(|failure| Fatal::Connection {
            name: name.to_owned(),
            failure,
        })
    };
    let source = open(&job.work.source.files.read.connection).await?;
    let sink = open(&job.work.sink.connection).await?;
    let retry = unit_policy(job);
    let previewer = Previewer {
        job,
        connections: &connections,
        ends: Ends {
            source: source.as_ref(),
            sink: sink.as_ref(),
            mode: job.work.sink.mode,
            retry: &retry,
            stop,
            health: None,
            concurrency: job.concurrency.units,
        },
        state,
        options,
        items_cannot_meet: items_cannot_meet(job, &entries),
    };
    let one_item_at_a_time = forms_cannot_meet(job, &entries);
    let mut count = Count::new(job, scratch, previewer.items_cannot_meet);
    count.inventory.items = entries.len() as u64;
    let (line, mut queue) = mpsc::channel(job.concurrency.items);
    let produce = async {
        // Items are begun in the order of their list and run ahead of the counting by a few pages each; so few of them that an item that
        // is done and not yet counted holds its successors back.
        let begun = stream::iter(&entries)
            .then(async |entry| {
                let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
                // The counting is over only when the whole preview is.
                let _ = line.send((&entry.key, receiver)).await;
                (entry, sender)
            })
            .map(|(entry, sender)| previewer.item(entry, sender));
        begun
            .buffer_unordered(job.concurrency.items)
            .for_each(|()| std::future::ready(()))
            .await;
        drop(line);
        Ok(())
    };
    let consume = async {
        while let Some((key, mut found)) = queue.recv().await {
            if one_item_at_a_time {
                count.settle_names()?;
            }
            visit(Visit::Item(key));
            while let Some(one) = found.recv().await {
                match one {
                    Found::State(error) => return Err(Fatal::from(error)),
                    one => count.take(key, one, &mut visit)?,
                }
            }
        }
        Ok(())
    };
    futures::try_join!(produce, consume)?;
    count.settle_names()?;
    Ok(count.inventory)
}

/// Finds out about single items.
pub(super) struct Previewer<'a> {
    pub job: &'a FileJob,
    pub connections: &'a Connections,
    pub ends: Ends<'a>,
    pub state: Option<Arc<State>>,
    pub options: PreviewOptions,
    pub items_cannot_meet: bool,
}

impl Previewer<'_> {
    pub(super) async fn item(&self, entry: &ItemEntry, found: mpsc::Sender<Found>) {
        if let Err(failed) = self.try_item(entry, &found).await {
            // The receiver is gone only when the whole preview is.
            let _ = found.send(failed).await;
        }
    }

    async fn try_item(&self, entry: &ItemEntry, found: &mpsc::Sender<Found>) -> Result<(), Found> {
        let mut seen = MarkSet::default();
        let mut cursor = Cursor::default();
        if let Some((summary, pages)) = self.past(&entry.key)? {
            cursor.by_name = summary.listed_by_name.then(HashSet::new);
            if matches!(summary.status, ItemStatus::Completed | ItemStatus::Skipped) {
                let names = if self.items_cannot_meet {
                    Vec::new()
                } else {
                    self.names(&pages)?
                };
                let _ = found
                    .send(Found::Completed {
                        units: summary.units.planned(),
                        names,
                    })
                    .await;
                return Ok(());
            }
            for page in &pages {
                let (rows, digest) = self.page(page, &entry.key, &mut seen, &mut cursor, found).await?;
                cursor.rows = rows;
                cursor.digest = digest;
            }
            if summary.listed {
                return Ok(());
            }
        }
        let policy = &self.job.retry;
        let opened = repeat(policy, self.ends.stop, || {
            Lister::open(self.job, self.connections, entry.row.as_ref(), cursor.clone())
        });
        let mut lister = opened
            .await
            .map_err(|failure| Found::Listing(failure.context("list of files")))?;
        loop {
            let page = lister.next_page(self.job.limits.page_units).await;
            let Some(mut batch) = page.map_err(|failure| Found::Listing(failure.context("list of files")))? else {
                return Ok(());
            };
            vet(&mut batch.drafts, &self.ends, &mut seen, None);
            let units = batch.drafts.into_iter().map(|draft| Met {
                source: draft.source,
                target: draft.target,
                offer: draft.offer,
                known: Known::Nothing,
                refusal: draft.refusal,
                messages: messages_digest(&draft.effects),
                owes: rendered_steps(&draft.effects),
            });
            let decided = self.decide(&entry.key, units.collect()).await;
            let _ = found.send(Found::Units(decided)).await;
        }
    }

    fn past(&self, key: &str) -> Result<Option<(crate::model::ItemSummary, Vec<PageState>)>, Found> {
        let Some(state) = &self.state else { return Ok(None) };
        let id = ItemId::of(key);
        let Some(summary) = state.item(id).map_err(Found::State)? else {
            return Ok(None);
        };
        let is_over = matches!(summary.status, ItemStatus::Completed | ItemStatus::Skipped);
        let is_needed = !is_over || !self.items_cannot_meet;
        let pages = if is_needed {
            state.pages(id).map_err(Found::State)?
        } else {
            Vec::new()
        };
        Ok(Some((summary, pages)))
    }

    /// The names of all units of an item's pages.
    fn names(&self, pages: &[PageState]) -> Result<Vec<String>, Found> {
        let Some(state) = &self.state else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for page in pages {
            let records = match page {
                PageState::Open { records, .. } => records.clone(),
                PageState::Sealed { reference, .. } => state.read_page(reference).map_err(Found::State)?,
            };
            names.extend(records.into_iter().map(|record| record.target));
        }
        Ok(names)
    }

    /// Decides about what a page of an earlier run left unsettled. Returns the cursor behind it.
    async fn page(
        &self,
        page: &PageState,
        key: &ItemKey,
        seen: &mut MarkSet,
        cursor: &mut Cursor,
        found: &mpsc::Sender<Found>,
    ) -> Result<(u64, [u8; 16]), Found> {
        let (records, rows_before, digest) = match page {
            PageState::Open { intent, records, .. } => (records.clone(), intent.rows_before, intent.digest),
            PageState::Sealed { reference, .. } => {
                let Some(state) = &self.state else {
                    return Ok((0, [0; 16]));
                };
                let records = state.read_page(reference).map_err(Found::State)?;
                (records, reference.rows_before, reference.digest)
            }
        };
        let (mut names, mut rows) = (Vec::new(), Vec::new());
        let mut messages = BTreeMap::new();
        let mut unsettled = Vec::new();
        for record in &records {
            seen.insert(mark(&record.target));
            cursor.known.insert(mark(&record.source));
            if let Some(by_name) = &mut cursor.by_name {
                by_name.insert(mark_row(&record.source, &record.target));
            }
            match Known::of(record) {
                Known::Settled => {
                    names.push(record.target.clone());
                    if self.options.versions {
                        rows.push(mark_row(&record.source, &record.target));
                    }
                    for step in owed_steps(record) {
                        *messages.entry(step).or_default() += 1;
                    }
                }
                known => unsettled.push(Met {
                    source: record.source.clone(),
                    target: record.target.clone(),
                    offer: Offer {
                        size: record.size,
                        modified: None,
                        version: None,
                    },
                    known,
                    refusal: record.failure.clone().filter(|_| record.attempts == 0),
                    messages: 0,
                    owes: owed_steps(record).collect(),
                }),
            }
        }
        let _ = found.send(Found::Settled { names, rows, messages }).await;
        let decided = self.decide(key, unsettled).await;
        let _ = found.send(Found::Units(decided)).await;
        Ok((rows_before + records.len() as u64, digest))
    }

    async fn decide(&self, item: &ItemKey, units: Vec<Met>) -> Vec<UnitDecision> {
        let candidates: Vec<Candidate<'_>> = units
            .iter()
            .filter(|unit| unit.refusal.is_none())
            .map(|unit| Candidate {
                from: &unit.source,
                to: &unit.target,
                offer: unit.offer,
                known: unit.known,
            })
            .collect();
        let mut assessed = assess(&self.ends, &candidates).await.into_iter();
        let mut decided: Vec<UnitDecision> = Vec::with_capacity(units.len());
        for unit in &units {
            let assessment = match &unit.refusal {
                Some(refusal) => Assessment {
                    decision: Decision::Refuse(Box::new(refusal.clone())),
                    at_sink: None,
                    offer: unit.offer,
                },
                None => match assessed.next() {
                    Some(assessment) => assessment,
                    None => continue,
                },
            };
            let (source, target) = (unit.source.clone(), unit.target.clone());
            decided.push(UnitDecision {
                item: item.clone(),
                source,
                target,
                size: assessment.offer.size,
                decision: assessment.decision,
                owes: unit.owes.clone(),
                known: unit.known,
                version: assessment.offer.version,
                at_sink: assessment.at_sink,
                messages: unit.messages,
            });
        }
        if self.options.sizes || self.options.versions {
            self.ask_source(&mut decided).await;
        }
        decided
    }

    /// Asks the source for the sizes and versions that are not known; what it gives no answer about stays unknown.
    async fn ask_source(&self, units: &mut [UnitDecision]) {
        let PreviewOptions { sizes, versions, .. } = self.options;
        let asked = units.iter_mut().filter(|unit| {
            let lacks = sizes && unit.size.is_none() || versions && unit.version.is_none();
            lacks && matches!(unit.decision, Decision::Copy | Decision::Overwrite | Decision::Compare)
        });
        stream::iter(asked)
            .for_each_concurrent(self.ends.concurrency, async |unit| {
                let asked = repeat(self.ends.retry, self.ends.stop, || self.ends.source.stat(&unit.source));
                if let Ok(Some(object)) = asked.await {
                    // What the list says of the size is for the run to hold against the object.
                    unit.size = unit.size.or(Some(object.size));
                    unit.version = object.version();
                }
            })
            .await;
    }
}

/// A unit before it is decided about, from a list or from the ledger.
struct Met {
    source: String,
    target: String,
    offer: Offer,
    known: Known,
    refusal: Option<Failure>,
    owes: Vec<String>,
    messages: u64,
}

/// The steps that a unit of the ledger still owes a message to.
fn owed_steps(record: &UnitRecord) -> impl Iterator<Item = String> {
    let effects = record.effects.iter().filter(|effect| effect.is_to_be_sent());
    effects.map(|effect| effect.step.clone())
}

/// The steps whose message about a new unit has a body.
fn rendered_steps(effects: &[EffectIntent]) -> Vec<String> {
    let rendered = effects.iter().filter(|effect| effect.refusal.is_none());
    rendered.map(|effect| effect.step.clone()).collect()
}
