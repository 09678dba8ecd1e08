use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::model::{
    Account, EffectStatus, Event, Failure, ItemAccount, ItemId, ItemKey, ItemStatus, ItemSummary, Phase, Progress,
    UnitResult, UnitStatus,
};
use crate::state::{Change, Journal, JournalEntry, StateError, StateWriter};

use super::context::Meters;
use super::events::Envelope;
use super::outcome::FailureTally;
use super::{Stop, StopCause};

/// Events taken in one go.
const BATCH_EVENTS: usize = 512;

/// How often progress is published.
const PUBLISH_EVERY: Duration = Duration::from_millis(200);

/// Owns the run's state: takes the workers' events, has them recorded, and keeps the accounts and the progress.
///
/// The accounts are sums of what each item's latest summary and results say; nothing is ever counted up across runs.
pub struct Dispatcher {
    writer: StateWriter,
    journal: Journal,
    stop: Stop,
    meters: Arc<Meters>,
    publisher: watch::Sender<Progress>,
    progress: Progress,
    /// What each item that is not completed has in the accounts now.
    standing: HashMap<ItemId, Standing>,
    tally: FailureTally,
    max_failures: Option<u64>,
    /// Failures of this run.
    failures: u64,
    /// Results that wait to be sent on together, by page.
    results: BTreeMap<(ItemId, u32), Vec<UnitResult>>,
}

/// One item's share of the accounts.
#[derive(Clone, Debug, Default)]
struct Standing {
    key: ItemKey,
    status: ItemStatus,
    units: Account,
    listed: bool,
    listing_failed: bool,
}

impl Standing {
    fn of(summary: &ItemSummary) -> Self {
        Self {
            key: summary.key.clone(),
            status: summary.status,
            units: summary.in_accounts(summary.units),
            listed: summary.listed,
            listing_failed: summary.listing_failure.is_some(),
        }
    }
}

/// What is left when the last worker is gone.
pub struct Dispatched {
    pub progress: Progress,
    pub journal: Journal,
    pub writer: StateWriter,
}

impl Dispatcher {
    pub fn new(
        writer: StateWriter,
        journal: Journal,
        stop: Stop,
        meters: Arc<Meters>,
        publisher: watch::Sender<Progress>,
        max_failures: Option<u64>,
    ) -> Self {
        let progress = publisher.borrow().clone();
        Self {
            writer,
            journal,
            stop,
            meters,
            progress,
            publisher,
            standing: HashMap::new(),
            tally: FailureTally::default(),
            max_failures,
            failures: 0,
            results: BTreeMap::new(),
        }
    }

    /// Takes an item of the list into the accounts as an earlier run left it; `None` for one that was never begun.
    pub fn begin(&mut self, summary: Option<&ItemSummary>) {
        self.progress.items.planned += 1;
        let Some(summary) = summary else {
            self.progress.items.pending += 1;
            return;
        };
        let standing = Standing::of(summary);
        add(&mut self.progress.items, &standing);
        self.progress.units += standing.units;
        self.progress.units_before += standing.units.settled();
        // A completed item is taken up again only to make up what was left out.
        let is_over = match standing.status {
            ItemStatus::Completed => standing.units.effects.left_out == 0,
            status => status == ItemStatus::Skipped,
        };
        if !is_over {
            self.standing.insert(summary.id(), standing);
        }
    }

    /// Units as the accounts have them now.
    pub fn units(&self) -> Account {
        self.progress.units
    }

    /// Takes events until every worker is gone. On an error of the state nothing more can be recorded: everything is aborted.
    pub async fn run(mut self, mut events: mpsc::Receiver<Envelope>) -> Result<Dispatched, StateError> {
        self.progress.phase = Phase::Running;
        self.publish();
        let mut tick = tokio::time::interval(PUBLISH_EVERY);
        let mut batch = Vec::with_capacity(BATCH_EVENTS);
        loop {
            tokio::select! {
                biased;
                _ = tick.tick() => {
                    self.publish();
                    self.journal.flush_if_due().or_else(|error| self.broken(error))?;
                }
                received = events.recv_many(&mut batch, BATCH_EVENTS) => {
                    if received == 0 {
                        break;
                    }
                    for envelope in batch.drain(..) {
                        if let Err(error) = self.take(envelope).await {
                            return self.broken(error);
                        }
                    }
                    if let Err(error) = self.send_results().await {
                        return self.broken(error);
                    }
                }
            }
        }
        self.progress.phase = Phase::Ended;
        self.publish();
        let Self {
            progress,
            journal,
            writer,
            ..
        } = self;
        Ok(Dispatched {
            progress,
            journal,
            writer,
        })
    }

    fn broken<T>(&self, error: StateError) -> Result<T, StateError> {
        self.stop.abort();
        Err(error)
    }

    async fn take(&mut self, Envelope { event, durable }: Envelope) -> Result<(), StateError> {
        match event {
            Event::UnitFinished {
                item,
                page,
                previous,
                previous_effects,
                result,
                name,
            } => {
                self.effects_finished(item, &previous_effects, &result)?;
                self.unit_finished(item, previous, &result, name)?;
                self.results.entry((item, page)).or_default().push(result);
                Ok(())
            }
            Event::UnitRetried { item, failure, .. } => {
                self.progress.retries += 1;
                let item = self.key_of(item);
                self.journal.write(JournalEntry::UnitRetried { item, failure })
            }
            Event::ItemStarted { slot, summary } => {
                self.progress.slots.insert(slot, summary.key.clone());
                self.stand(&summary);
                self.journal.write(JournalEntry::ItemStarted {
                    item: summary.key.clone(),
                    slot,
                })?;
                self.record(Change::Item(summary), durable).await
            }
            Event::PageOpened {
                item,
                page,
                intent,
                summary,
            } => {
                self.stand(&summary);
                self.record(
                    Change::OpenPage {
                        item,
                        page,
                        intent,
                        summary,
                    },
                    durable,
                )
                .await
            }
            Event::PageReopened {
                item,
                page,
                intent,
                records,
                summary,
            } => {
                self.stand(&summary);
                self.record(
                    Change::ReopenPage {
                        item,
                        page,
                        intent,
                        records,
                        summary,
                    },
                    durable,
                )
                .await
            }
            Event::PageFinished {
                item,
                page,
                records,
                summary,
            } => {
                self.stand(&summary);
                self.record(
                    Change::SealPage {
                        item,
                        page,
                        records,
                        summary,
                    },
                    durable,
                )
                .await
            }
            Event::ItemFinished { slot, summary } => {
                self.progress.slots.remove(&slot);
                self.stand(&summary);
                if let Some(failure) = &summary.listing_failure {
                    self.count_failure(failure);
                }
                if summary.status == ItemStatus::Completed {
                    self.standing.remove(&summary.id());
                }
                self.journal.write(JournalEntry::ItemFinished {
                    item: summary.key.clone(),
                    status: summary.status,
                    units: summary.units,
                    listing_failure: summary.listing_failure.clone(),
                })?;
                self.record(Change::Item(summary), durable).await
            }
        }
    }

    fn unit_finished(
        &mut self,
        item: ItemId,
        previous: UnitStatus,
        result: &UnitResult,
        name: Option<String>,
    ) -> Result<(), StateError> {
        let bytes = result.size.unwrap_or(0);
        self.progress.units.move_unit(previous, result.status, bytes);
        let key = match self.standing.get_mut(&item) {
            Some(standing) => {
                standing.units.move_unit(previous, result.status, bytes);
                standing.key.clone()
            }
            None => item.to_string(),
        };
        if let Some(failure) = &result.failure {
            self.count_failure(failure);
            let unit = name.unwrap_or_default();
            self.journal.write(JournalEntry::UnitFailed {
                item: key,
                unit,
                failure: failure.clone(),
            })?;
        }
        Ok(())
    }

    fn effects_finished(
        &mut self,
        item: ItemId,
        previous: &[EffectStatus],
        result: &UnitResult,
    ) -> Result<(), StateError> {
        for (before, effect) in previous.iter().zip(&result.effects) {
            self.progress.units.move_effect(*before, effect.status);
            if let Some(standing) = self.standing.get_mut(&item) {
                standing.units.move_effect(*before, effect.status);
            }
            if let Some(failure) = &effect.failure {
                self.count_failure(failure);
                let (item, unit) = (self.key_of(item), String::new());
                let failure = failure.clone();
                self.journal.write(JournalEntry::UnitFailed { item, unit, failure })?;
            }
        }
        Ok(())
    }

    fn count_failure(&mut self, failure: &Failure) {
        self.tally.count(failure);
        self.failures += 1;
        if let Some(max) = self.max_failures
            && self.failures >= max
        {
            self.stop.drain(StopCause::MaxFailures(max));
        }
    }

    fn key_of(&self, item: ItemId) -> ItemKey {
        self.standing
            .get(&item)
            .map_or_else(|| item.to_string(), |standing| standing.key.clone())
    }

    /// Replaces an item's share of the accounts by what its summary says now.
    fn stand(&mut self, summary: &ItemSummary) {
        let standing = Standing::of(summary);
        match self.standing.get(&summary.id()) {
            Some(before) => {
                self.progress.units -= before.units;
                remove(&mut self.progress.items, before);
            }
            None => self.progress.items.pending -= 1,
        }
        self.progress.units += standing.units;
        add(&mut self.progress.items, &standing);
        self.standing.insert(summary.id(), standing);
    }

    /// Sends a change on, behind all results before it. Whoever asked is told when it is durable, without anybody waiting here.
    async fn record(&mut self, change: Change, durable: Option<oneshot::Sender<()>>) -> Result<(), StateError> {
        self.send_results().await?;
        let Some(durable) = durable else {
            return self.writer.send(change).await;
        };
        let recorded = self.writer.send_durable(change).await?;
        tokio::spawn(async move {
            if recorded.wait().await.is_ok() {
                let _ = durable.send(());
            }
        });
        Ok(())
    }

    async fn send_results(&mut self) -> Result<(), StateError> {
        for ((item, page), results) in std::mem::take(&mut self.results) {
            self.writer.send(Change::Results { item, page, results }).await?;
        }
        Ok(())
    }

    fn publish(&mut self) {
        let progress = &mut self.progress;
        if progress.phase == Phase::Running && self.stop.is_draining() {
            progress.phase = Phase::Draining;
        }
        progress.bytes_moved = self.meters.bytes.load(Ordering::Relaxed);
        progress.in_flight = self.meters.in_flight.load(Ordering::Relaxed);
        progress.failures = self.tally.counts();
        let never_begun = progress.items.pending > self.standing.len() as u64;
        progress.listed = !never_begun
            && self
                .standing
                .values()
                .all(|standing| standing.listed || standing.listing_failed);
        self.publisher.send_replace(progress.clone());
    }
}

fn add(items: &mut ItemAccount, standing: &Standing) {
    *items.column(standing.status) += 1;
    items.failed_listings += u64::from(standing.listing_failed);
}

fn remove(items: &mut ItemAccount, standing: &Standing) {
    *items.column(standing.status) -= 1;
    items.failed_listings -= u64::from(standing.listing_failed);
}
