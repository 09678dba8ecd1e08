use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::model::{
    Account, EffectStatus, Event, Failure, ItemId, ItemKey, ItemStatus, ItemSummary, Phase, Progress, TableProgress,
    UnitKind, UnitResult, UnitStatus,
};
use crate::state::{Change, Durable, Journal, JournalEntry, StateError, StateWriter};

use super::context::Meters;
use super::events::Envelope;
use super::health::Health;
use super::outcome::FailureTally;
use super::standing::Standing;
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
    health: Arc<Health>,
    /// Who embeds the run and wants to be told.
    feed: Option<broadcast::Sender<Event>>,
    /// Failures of this run.
    failures: u64,
    /// Results that wait to be sent on together, by page.
    results: BTreeMap<(ItemId, u32), Vec<UnitResult>>,
    /// Who is to be told when those are durable.
    waiting: Vec<oneshot::Sender<()>>,
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
        health: Arc<Health>,
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
            health,
            feed: None,
            failures: 0,
            results: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Tells these of every event as well.
    pub fn feeding(self, feed: Option<broadcast::Sender<Event>>) -> Self {
        Self { feed, ..self }
    }

    /// Takes an item of the list into the accounts as an earlier run left it; `None` for one that was never begun.
    pub fn begin(&mut self, summary: Option<&ItemSummary>) {
        self.progress.items.planned += 1;
        let Some(summary) = summary else {
            self.progress.items.pending += 1;
            return;
        };
        let standing = Standing::of(summary);
        standing.add_to(&mut self.progress.items);
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

    /// Takes a table into what is shown of the run, as an earlier run left it.
    pub fn show_table(&mut self, key: &str, mut table: TableProgress, summary: Option<&ItemSummary>) {
        if let Some(summary) = summary {
            table.follow(summary);
        }
        self.progress.unit_kind = UnitKind::Chunk;
        self.progress.tables.insert(key.to_owned(), table);
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
        if let Some(feed) = &self.feed {
            // Receivers may all have gone.
            let _ = feed.send(event.clone());
        }
        match event {
            Event::UnitFinished {
                item,
                page,
                previous,
                previous_effects,
                result,
                name,
            } => {
                let name = name.unwrap_or_default();
                self.effects_finished(item, &previous_effects, &result, &name)?;
                self.unit_finished(item, previous, &result, name)?;
                self.results.entry((item, page)).or_default().push(result);
                self.waiting.extend(durable);
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
            Event::ItemChanged { summary } => {
                self.stand(&summary);
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
                // A run that lists anew forgets the failure before it begins; one that lists nothing leaves it as it is.
                let was_failed = (self.standing.get(&summary.id())).is_some_and(|standing| standing.listing_failed);
                self.stand(&summary);
                if let Some(failure) = summary.listing_failure.as_ref().filter(|_| !was_failed) {
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
        unit: String,
    ) -> Result<(), StateError> {
        let bytes = result.size.unwrap_or(0);
        self.progress.units.move_unit(previous, result.status, bytes);
        self.progress.units.rows += result.rows;
        let key = match self.standing.get_mut(&item) {
            Some(standing) => {
                standing.units.move_unit(previous, result.status, bytes);
                standing.units.rows += result.rows;
                standing.key.clone()
            }
            None => item.to_string(),
        };
        if let Some(table) = self.progress.tables.get_mut(&key) {
            table.rows += result.rows;
            table.chunks_done += u64::from(result.status == UnitStatus::Done);
            table.chunks_failed += u64::from(result.status == UnitStatus::Failed);
        }
        if let Some(failure) = &result.failure {
            self.count_failure(failure);
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
        unit: &str,
    ) -> Result<(), StateError> {
        for (before, effect) in previous.iter().zip(&result.effects) {
            self.progress.units.move_effect(*before, effect.status);
            if let Some(standing) = self.standing.get_mut(&item) {
                standing.units.move_effect(*before, effect.status);
            }
            // One that an earlier run left as failed, and that this one did not try, is no failure of this run.
            let is_new = effect.attempts > 0 || *before != effect.status;
            if let Some(failure) = effect.failure.clone().filter(|_| is_new) {
                self.count_failure(&failure);
                let (item, unit) = (self.key_of(item), unit.to_owned());
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
        if let Some(table) = self.progress.tables.get_mut(&summary.key) {
            table.follow(summary);
        }
        let standing = Standing::of(summary);
        match self.standing.get(&summary.id()) {
            Some(before) => {
                self.progress.units -= before.units;
                before.remove_from(&mut self.progress.items);
            }
            None => self.progress.items.pending -= 1,
        }
        self.progress.units += standing.units;
        standing.add_to(&mut self.progress.items);
        self.standing.insert(summary.id(), standing);
    }

    /// Sends a change on, behind all results before it. Whoever asked is told when it is durable, without anybody waiting here.
    async fn record(&mut self, change: Change, durable: Option<oneshot::Sender<()>>) -> Result<(), StateError> {
        self.send_results().await?;
        let Some(durable) = durable else {
            return self.writer.send(change).await;
        };
        tell(self.writer.send_durable(change).await?, vec![durable]);
        Ok(())
    }

    async fn send_results(&mut self) -> Result<(), StateError> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut last = None;
        for ((item, page), results) in std::mem::take(&mut self.results) {
            let change = Change::Results { item, page, results };
            if waiting.is_empty() {
                self.writer.send(change).await?;
            } else {
                last = Some(self.writer.send_durable(change).await?);
            }
        }
        // Changes become durable in the order in which they are sent: the last one speaks for all.
        if let Some(last) = last {
            tell(last, waiting);
        }
        Ok(())
    }

    fn publish(&mut self) {
        let progress = &mut self.progress;
        if progress.phase == Phase::Running && self.stop.is_draining() {
            progress.phase = Phase::Draining;
        }
        progress.bytes_moved = self.meters.bytes.load(Ordering::Relaxed);
        progress.rows_moved = self.meters.rows.load(Ordering::Relaxed);
        progress.throttles = self.health.throttles();
        progress.outages = self.health.outages_now();
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

/// Tells who waits when a change is durable; when it never will be, they find their channel closed.
fn tell(recorded: Durable, waiting: Vec<oneshot::Sender<()>>) {
    tokio::spawn(async move {
        if recorded.wait().await.is_ok() {
            // One that waits no longer has been given up with its run.
            for waiter in waiting {
                let _ = waiter.send(());
            }
        }
    });
}
