use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use crate::connect::{Connections, Store};
use crate::model::{Failure, FailureClass, RetryPolicy};
use crate::resolve::ResolvedJob;

use super::breaker::Breaker;
use super::effects::StepRun;
use super::events::EventSink;
use super::names::ClaimedNames;
use super::permits::Permits;
use super::{RunOptions, Stop, StopCause};

/// What every slot of a run shares.
pub struct Context {
    pub job: ResolvedJob,
    pub options: RunOptions,
    pub connections: Connections,
    pub source: Arc<dyn Store>,
    pub sink: Arc<dyn Store>,
    pub permits: Permits,
    pub stop: Stop,
    pub events: EventSink,
    pub breaker: Breaker,
    /// `None` where the naming proves that no two items can give the same name.
    pub claimed: Option<ClaimedNames>,
    pub meters: Arc<Meters>,
    /// The policy for units: the sink's own, else the source's, else the job's.
    pub retry: RetryPolicy,
    /// The job's steps, in the order of the spec.
    pub steps: Vec<StepRun>,
}

/// Counters that change too often for events.
#[derive(Debug, Default)]
pub struct Meters {
    /// Bytes read from sources.
    pub bytes: AtomicU64,
    /// Units in flight: being copied, or their messages being sent.
    pub in_flight: AtomicU64,
}

impl Context {
    /// Takes notice of an attempt that succeeded.
    pub fn note_success(&self) {
        self.breaker.success();
        self.permits.leaves.succeeded();
    }

    /// Takes notice of a failed attempt, whatever follows: throttling lowers what is in flight.
    pub fn note_attempt(&self, failure: &Failure) {
        if failure.class == FailureClass::Throttled {
            self.permits.leaves.throttled(failure, Instant::now());
        }
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

    /// The work's value, or `None` when the run is aborted first: for questions, which leave nothing behind when they are dropped.
    pub async fn unless_aborted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.abort_token().cancelled() => None,
            value = work => Some(value),
        }
    }

    /// The two connections that a copy talks to.
    pub fn copy_connections(&self) -> [&str; 2] {
        [&self.job.source.files.read.connection, &self.job.sink.connection]
    }
}

/// The policy for a job's units.
pub fn unit_policy(job: &ResolvedJob) -> RetryPolicy {
    let of = |name: &str| job.connection(name).retry.clone();
    of(&job.sink.connection)
        .or_else(|| of(&job.source.files.read.connection))
        .unwrap_or_else(|| job.retry.clone())
}
