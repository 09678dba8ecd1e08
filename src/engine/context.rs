use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::connect::{Connections, Door, Store};
use crate::model::{Failure, RetryPolicy};
use crate::resolve::FileJob;

use super::breaker::Breaker;
use super::effects::StepRun;
use super::events::EventSink;
use super::health::Health;
use super::names::ClaimedNames;
use super::permits::{ItemPaces, Permits};
use super::{RunOptions, Stop, StopCause};

/// What an item's work draws on. Most of it every slot of a run shares; connections are a slot's own view of them, and an item has speeds of
/// its own.
#[derive(Clone)]
pub struct Context {
    pub job: Arc<FileJob>,
    pub options: Arc<RunOptions>,
    pub connections: Connections,
    pub ends: CopyEnds,
    pub permits: Arc<Permits>,
    pub item_paces: ItemPaces,
    pub stop: Stop,
    pub events: EventSink,
    pub health: Arc<Health>,
    pub breaker: Arc<Breaker>,
    /// `None` where the naming proves that no two items can give the same name.
    pub claimed: Option<Arc<ClaimedNames>>,
    pub meters: Arc<Meters>,
    /// The policy for units: the sink's own, else the source's, else the job's.
    pub retry: Arc<RetryPolicy>,
    /// The job's steps, in the order of the spec.
    pub steps: Vec<StepRun>,
}

/// Where copies read and write.
#[derive(Clone)]
pub struct CopyEnds {
    /// For those who hold passes of the doors.
    pub source: Arc<dyn Store>,
    pub sink: Arc<dyn Store>,
    /// For questions before a copy, by those who hold none.
    pub asked_source: Arc<dyn Store>,
    pub asked_sink: Arc<dyn Store>,
    /// Of both, in the order of their names.
    pub doors: Arc<[Door]>,
    pub sink_door: Door,
}

impl CopyEnds {
    /// # Errors
    /// The connection that could not be opened, and why.
    pub async fn open(job: &FileJob, connections: &Connections) -> Result<Self, (String, Failure)> {
        let (from, to) = (&job.work.source.files.read.connection, &job.work.sink.connection);
        let of = |name: &String| {
            let name = name.clone();
            move |failure: Failure| (name, failure)
        };
        let mut names = vec![from, to];
        names.sort_unstable();
        names.dedup();
        let doors: Result<Vec<Door>, _> = (names.into_iter())
            .map(|name| connections.door(name).map_err(of(name)))
            .collect();
        Ok(Self {
            source: connections.store_inside(from).await.map_err(of(from))?,
            sink: connections.store_inside(to).await.map_err(of(to))?,
            asked_source: connections.store(from).await.map_err(of(from))?,
            asked_sink: connections.store(to).await.map_err(of(to))?,
            doors: doors?.into(),
            sink_door: connections.door(to).map_err(of(to))?,
        })
    }
}

/// Counters that change too often for events.
#[derive(Debug, Default)]
pub struct Meters {
    /// Bytes read from sources.
    pub bytes: AtomicU64,
    /// Rows read from sources.
    pub rows: AtomicU64,
    /// Units in flight: being copied, or their messages being sent.
    pub in_flight: AtomicU64,
}

impl Context {
    /// The same for one more item slot.
    ///
    /// # Errors
    /// The connection that could not be opened, and why.
    pub async fn for_slot(&self) -> Result<Self, (String, Failure)> {
        let connections = self.connections.for_slot();
        let ends = CopyEnds::open(&self.job, &connections).await?;
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            steps.push(step.within(&connections).await?);
        }
        Ok(Self {
            connections,
            ends,
            steps,
            ..self.clone()
        })
    }

    /// The same for one item.
    pub fn for_item(&self) -> Self {
        Self {
            item_paces: self.permits.item(),
            ..self.clone()
        }
    }

    /// Takes notice of an attempt that succeeded.
    pub fn note_success(&self) {
        self.breaker.success();
    }

    /// Takes notice of a failure that ended a piece of work; stops the run when a connection denies one after the other.
    pub fn note_failure(&self, failure: &Failure) {
        self.note(&self.breaker, failure);
    }

    /// The same for work whose failures are counted apart.
    pub fn note(&self, breaker: &Breaker, failure: &Failure) {
        if breaker.failure(failure) {
            self.stop.drain(StopCause::Denied(failure.clone()));
        }
    }

    /// The step of this name; `None` when the spec has it no longer.
    pub fn step(&self, name: &str) -> Option<&StepRun> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The work's value, or `None` when nothing new may begin any more: for questions before any work, which may wait long for their turn.
    pub async fn unless_draining<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let value = tokio::select! {
            biased;
            () = self.stop.draining() => None,
            value = work => Some(value),
        };
        // A question that was turned away at its door in the same moment says nothing.
        value.filter(|_| !self.stop.is_draining())
    }
}

/// The policy for a job's units.
pub fn unit_policy(job: &FileJob) -> RetryPolicy {
    let of = |name: &str| job.connection(name).retry.clone();
    of(&job.work.sink.connection)
        .or_else(|| of(&job.work.source.files.read.connection))
        .unwrap_or_else(|| job.retry.clone())
}
