use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{
    Account, EffectStatus, Event, Failure, FailureClass, ItemId, ItemStatus, ItemSummary, PageIntent, Timestamp,
    UnitIntent, UnitRecord, UnitStatus,
};
use crate::resolve::RowsForm;
use crate::state::{PageState, SealedReference, State, StateError};

use super::attempts::{Delays, wait};
use super::context::Context;
use super::events::RunOver;
use super::item_list::ItemEntry;
use super::lister::{Cursor, Lister};
use super::mark_set::MarkSet;
use super::names::{mark, mark_row};
use super::page::PageRun;
use super::planned::ItemPlan;

/// Why the execution of an item broke off without coming to its own end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the run is over")]
    RunOver,
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<RunOver> for Broken {
    fn from(_: RunOver) -> Self {
        Self::RunOver
    }
}

/// What is already done of an item.
pub struct Past {
    pub summary: Option<ItemSummary>,
    pub pages: Vec<PageState>,
    /// What a plan that is carried out has for the item: nothing else is done.
    pub plan: Option<ItemPlan>,
    state: Arc<State>,
}

impl Past {
    /// Reads what the state has of an item. Blocks on the disk: for a blocking thread.
    pub fn read(state: Arc<State>, item: ItemId) -> Result<Self, StateError> {
        let summary = state.item(item)?;
        let pages = if summary.is_some() {
            state.pages(item)?
        } else {
            Vec::new()
        };
        Ok(Self {
            summary,
            pages,
            plan: None,
            state,
        })
    }

    async fn records(&self, reference: SealedReference) -> Result<Vec<UnitRecord>, Broken> {
        let state = Arc::clone(&self.state);
        let read = tokio::task::spawn_blocking(move || state.read_page(&reference)).await;
        Ok(read.map_err(|_| Broken::RunOver)??)
    }
}

/// Executes one item: takes up what earlier runs left of it, lists what has no page yet, and works page by page.
///
/// A function of the item, what is already done of it, and the context's permits, stop signal and event sink; it knows of no other item.
pub async fn execute_item(context: &Arc<Context>, slot: usize, entry: &ItemEntry, past: Past) -> Result<(), Broken> {
    let mut summary = begin(context, slot, entry, &past).await?;
    let cursor = resume_pages(context, &past, &mut summary).await?;
    if !summary.listed && context.options.copies() && !context.stop.is_draining() {
        let mut seen = names_of(&past, &summary).await?;
        if let Err(failure) = list_on(context, entry, past.plan.as_ref(), cursor, &mut seen, &mut summary).await? {
            summary.listing_failure = Some(failure);
        }
    }

    summary.status = end_status(&summary);
    summary.ended = Some(Timestamp::now());
    Ok(context.events.send(Event::ItemFinished { slot, summary }).await?)
}

/// Ends an item without having touched it.
pub async fn refuse_item(
    context: &Arc<Context>,
    slot: usize,
    entry: &ItemEntry,
    past: &Past,
    failure: Failure,
) -> Result<(), Broken> {
    let mut summary = begin(context, slot, entry, past).await?;
    summary.listing_failure = Some(failure);
    summary.status = end_status(&summary);
    summary.ended = Some(Timestamp::now());
    Ok(context.events.send(Event::ItemFinished { slot, summary }).await?)
}

async fn begin(context: &Arc<Context>, slot: usize, entry: &ItemEntry, past: &Past) -> Result<ItemSummary, Broken> {
    let mut summary = past
        .summary
        .clone()
        .unwrap_or_else(|| ItemSummary::new(entry.key.clone(), entry.ordinal));
    summary.units = past.pages.iter().fold(Account::default(), |mut sum, page| {
        sum += page.account();
        sum
    });
    summary.status = ItemStatus::InProgress;
    summary.attempts += 1;
    if context.options.copies() {
        summary.listing_failure = None;
    }
    summary.ended = None;
    summary.started.get_or_insert_with(Timestamp::now);
    context
        .events
        .send(Event::ItemStarted {
            slot,
            summary: summary.clone(),
        })
        .await?;
    Ok(summary)
}

/// Where an item stands when its slot lets go of it.
///
/// | | |
/// |---|---|
/// | units or effects pending, or not listed to the end without a failure of the listing | pending |
/// | a failed unit or effect, or a failed listing | failed |
/// | otherwise | completed |
fn end_status(summary: &ItemSummary) -> ItemStatus {
    let stopped = summary.units.pending + summary.units.effects.pending > 0
        || (!summary.listed && summary.listing_failure.is_none());
    if stopped {
        ItemStatus::Pending
    } else if summary.units.failed + summary.units.effects.failed > 0 || summary.listing_failure.is_some() {
        ItemStatus::Failed
    } else {
        ItemStatus::Completed
    }
}

/// Works on what earlier runs left in their pages. Returns where the listing goes on.
async fn resume_pages(context: &Arc<Context>, past: &Past, summary: &mut ItemSummary) -> Result<Cursor, Broken> {
    let is_listing = matches!(context.job.work.source.files.rows.form, RowsForm::Glob { .. });
    let mut cursor = Cursor {
        by_name: summary.listed_by_name.then(HashSet::new),
        ..Cursor::default()
    };
    let (item, plan) = (summary.id(), past.plan.as_ref());
    for page in &past.pages {
        let (number, rows, digest) = match page {
            PageState::Open {
                page, intent, records, ..
            } => {
                let unsettled = unsettled(records, context);
                if !context.stop.is_draining()
                    && let Some(run) = PageRun::resume(context, item, *page, records.clone(), &unsettled, plan).await
                {
                    run.run(context, summary).await?;
                }
                (*page, intent.rows_before + records.len() as u64, intent.digest)
            }
            PageState::Sealed { page, reference } => {
                if may_have_work(&reference.account) && !context.stop.is_draining() {
                    reopen(context, past, *page, *reference, summary).await?;
                }
                (
                    *page,
                    reference.rows_before + u64::from(reference.units),
                    reference.digest,
                )
            }
        };
        summary.pages = summary.pages.max(number + 1);
        cursor.rows = rows;
        cursor.digest = digest;
    }
    if (is_listing || summary.listed_by_name) && !summary.listed {
        for page in &past.pages {
            let records = records_of(past, page).await?;
            if is_listing {
                cursor.known.extend(records.iter().map(|record| mark(&record.source)));
            }
            if let Some(by_name) = &mut cursor.by_name {
                by_name.extend(records.iter().map(|record| mark_row(&record.source, &record.target)));
            }
        }
    }
    Ok(cursor)
}

/// Takes a sealed page up again for the units that may still come right.
async fn reopen(
    context: &Arc<Context>,
    past: &Past,
    page: u32,
    reference: SealedReference,
    summary: &mut ItemSummary,
) -> Result<(), Broken> {
    let records = past.records(reference).await?;
    let unsettled = unsettled(&records, context);
    if unsettled.is_empty() {
        return Ok(());
    }
    let item = summary.id();
    let units = records.iter().map(UnitIntent::from).collect();
    let intent = PageIntent {
        units,
        rows_before: reference.rows_before,
        digest: reference.digest,
    };
    let reopened = Event::PageReopened {
        item,
        page,
        intent,
        records: records.clone(),
        summary: summary.clone(),
    };
    context.events.send_durable(reopened).await?;
    if let Some(run) = PageRun::resume(context, item, page, records, &unsettled, past.plan.as_ref()).await {
        run.run(context, summary).await?;
    }
    Ok(())
}

/// Whether a page holds anything that some run may take up again.
fn may_have_work(account: &Account) -> bool {
    let effects = &account.effects;
    account.failed + account.pending + effects.failed + effects.pending + effects.left_out > 0
}

/// Units of a page that this run takes up again: the pending ones, the failed ones unless they are to be left, and those that owe something. One
/// that was refused before any attempt stays refused: nothing but another list or another spec cures it.
fn unsettled(records: &[UnitRecord], context: &Context) -> Vec<u32> {
    let options = &context.options;
    let has_work = |record: &UnitRecord| match record.status {
        UnitStatus::Pending => options.copies(),
        UnitStatus::Failed => options.copies() && !options.leave_failed && record.attempts > 0,
        UnitStatus::Done | UnitStatus::Present => {
            record.effects.iter().any(|effect| match context.step(&effect.step) {
                Some(step) => step.part.takes_up(effect, options.leave_failed),
                None => matches!(effect.status, EffectStatus::Pending | EffectStatus::Failed),
            })
        }
    };
    (0..)
        .zip(records)
        .filter(|(_, record)| has_work(record))
        .map(|(unit, _)| unit)
        .collect()
}

/// What is known of the units of a page.
pub async fn records_of(past: &Past, page: &PageState) -> Result<Vec<UnitRecord>, Broken> {
    match page {
        PageState::Open { records, .. } => Ok(records.clone()),
        PageState::Sealed { reference, .. } => past.records(*reference).await,
    }
}

/// The names that the item's pages hold already, for an item whose list goes on behind them.
async fn names_of(past: &Past, summary: &ItemSummary) -> Result<MarkSet, Broken> {
    let mut seen = MarkSet::default();
    if !summary.listed {
        for page in &past.pages {
            seen.extend(records_of(past, page).await?.iter().map(|record| mark(&record.target)));
        }
    }
    Ok(seen)
}

/// Lists the item's units from `cursor` to the end, working on each page as it comes. The inner error is the listing's own.
async fn list_on(
    context: &Arc<Context>,
    entry: &ItemEntry,
    plan: Option<&ItemPlan>,
    mut cursor: Cursor,
    seen: &mut MarkSet,
    summary: &mut ItemSummary,
) -> Result<Result<(), Failure>, Broken> {
    let mut delays = Delays::new(&context.job.retry);
    'opened: loop {
        let opened = Lister::open(&context.job, &context.connections, entry.row.as_ref(), cursor.clone());
        let Some(opened) = context.unless_draining(opened).await else {
            return Ok(Ok(()));
        };
        let failure = match opened {
            Err(failure) => failure,
            Ok(mut lister) => loop {
                if context.stop.is_draining() {
                    return Ok(Ok(()));
                }
                let next = lister.next_page(context.job.limits.page_units);
                let Some(next) = context.unless_draining(next).await else {
                    return Ok(Ok(()));
                };
                match next {
                    Err(failure) => break failure,
                    Ok(None) => {
                        summary.listed = true;
                        return Ok(Ok(()));
                    }
                    Ok(Some(batch)) => {
                        cursor.rows = batch.rows_before + batch.drafts.len() as u64;
                        cursor.digest = batch.digest;
                        if matches!(context.job.work.source.files.rows.form, RowsForm::Glob { .. }) {
                            cursor
                                .known
                                .extend(batch.drafts.iter().map(|draft| mark(&draft.source)));
                        }
                        if let Some(by_name) = &mut cursor.by_name {
                            by_name.extend(batch.drafts.iter().map(|draft| mark_row(&draft.source, &draft.target)));
                        }
                        let is_last = batch.is_last;
                        let Some(page) = PageRun::open(context, summary.pages, batch, plan, seen, summary).await?
                        else {
                            return Ok(Ok(()));
                        };
                        page.run(context, summary).await?;
                        if is_last {
                            return Ok(Ok(()));
                        }
                        delays = Delays::new(&context.job.retry);
                    }
                }
            },
        };
        let failure = failure.context("list of files");
        match delays.after(&failure) {
            Some(delay) if wait(delay, &context.stop).await => continue 'opened,
            Some(_) => return Ok(Ok(())),
            None if failure.class == FailureClass::Cancelled => return Ok(Ok(())),
            None => {
                context.health.exhausted(&failure);
                context.note_failure(&failure);
                return Ok(Err(failure));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_ends_as_its_units_did() {
        let mut summary = ItemSummary::new("1".to_owned(), 0);
        assert_eq!(end_status(&summary), ItemStatus::Pending);
        summary.listed = true;
        assert_eq!(end_status(&summary), ItemStatus::Completed);
        summary.units.failed = 1;
        assert_eq!(end_status(&summary), ItemStatus::Failed);
        summary.units.pending = 1;
        assert_eq!(end_status(&summary), ItemStatus::Pending);
    }
}
