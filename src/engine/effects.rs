use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use crate::connect::{Connections, Door, Message, Queue};
use crate::model::{EffectOutcome, EffectStatus, Failure, FailureClass, RetryPolicy, UnitStatus};
use crate::resolve::{FileJob, NotifyWhen, Step, StepKind};

use super::RunOptions;
use super::attempts::Delays;
use super::breaker::Breaker;
use super::context::Context;
use super::due::{Due, due};
use super::part::Part;
use super::unit::{UnitWork, retry_after};

/// A step of the spec with all that it takes to be done.
#[derive(Clone)]
pub struct StepRun {
    pub name: String,
    pub connection: String,
    /// Absent where this run sends nothing to it: then it need not be there.
    pub queue: Option<Arc<dyn Queue>>,
    pub door: Door,
    pub when: NotifyWhen,
    pub retry: RetryPolicy,
    pub part: Part,
    /// Of its own: files that are copied meanwhile say nothing about the queue.
    pub breaker: Arc<Breaker>,
}

impl StepRun {
    /// The same by way of other connections.
    ///
    /// # Errors
    /// The connection that could not be opened, and why.
    pub async fn within(&self, connections: &Connections) -> Result<Self, (String, Failure)> {
        let (queue, door) = open_queue(connections, &self.connection, &self.part).await?;
        Ok(Self {
            queue,
            door,
            ..self.clone()
        })
    }
}

/// A step's queue, where this run sends anything to it, and its door.
async fn open_queue(
    connections: &Connections,
    name: &str,
    part: &Part,
) -> Result<(Option<Arc<dyn Queue>>, Door), (String, Failure)> {
    let of = |failure| (name.to_owned(), failure);
    let door = connections.door(name).map_err(of)?;
    let queue = if part.sends() {
        Some(connections.queue(name).await.map_err(of)?)
    } else {
        None
    };
    Ok((queue, door))
}

/// Opens what the steps of a job talk to.
pub async fn open_steps(
    job: &FileJob,
    connections: &Connections,
    options: &RunOptions,
) -> Result<Vec<StepRun>, (String, Failure)> {
    let mut steps = Vec::with_capacity(job.work.steps.len());
    for Step {
        name,
        kind: StepKind::Notify(notify),
    } in &job.work.steps
    {
        let connection = notify.connection.clone();
        let part = Part::of(name, options);
        let (queue, door) = open_queue(connections, &connection, &part).await?;
        steps.push(StepRun {
            name: name.clone(),
            queue,
            door,
            when: notify.when,
            retry: job
                .connection(&connection)
                .retry
                .clone()
                .unwrap_or_else(|| job.retry.clone()),
            part,
            breaker: Arc::default(),
            connection,
        });
    }
    Ok(steps)
}

/// Does what a unit owes, now that it stands as `status`: one outcome for each of its effects. What it owes to a step that the spec has no
/// longer is left out.
pub async fn work_off(context: &Context, work: &UnitWork, status: UnitStatus) -> Vec<EffectOutcome> {
    let mut outcomes = Vec::with_capacity(work.record.effects.len());
    for effect in &work.record.effects {
        let Some(step) = context.step(&effect.step) else {
            let is_over = effect.status.is_over();
            outcomes.push(outcome(
                if is_over { effect.status } else { EffectStatus::LeftOut },
                0,
                None,
            ));
            continue;
        };
        outcomes.push(
            match due(effect, step.part, step.when, status, context.options.leave_failed) {
                Due::Settled(status) => outcome(
                    status,
                    0,
                    effect.failure.clone().filter(|_| status == EffectStatus::Failed),
                ),
                Due::Now(body) => send(context, work, step, body).await,
            },
        );
    }
    outcomes
}

/// Sends one message under the retry policy of its queue. A stop leaves it owed, also one whose answer it did not wait for.
async fn send(context: &Context, work: &UnitWork, step: &StepRun, body: &str) -> EffectOutcome {
    // A step that sends nothing has no queue, and takes nothing up.
    let Some(queue) = &step.queue else {
        return outcome(EffectStatus::Pending, 0, None);
    };
    let id = message_id(&context.job.name, work, &step.name);
    let mut delays = Delays::new(&step.retry);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let leaf = tokio::select! {
            biased;
            () = context.stop.draining() => return outcome(EffectStatus::Pending, attempts - 1, None),
            leaf = context.permits.leaf(std::slice::from_ref(&step.door)) => leaf,
        };
        let Ok(leaf) = leaf else {
            return outcome(EffectStatus::Pending, attempts - 1, None);
        };
        context.meters.in_flight.fetch_add(1, Ordering::Relaxed);
        let sent = tokio::select! {
            biased;
            sent = queue.send(Message { id: &id, body }) => sent,
            () = context.stop.abort_token().cancelled() => Err(Failure::cancelled()),
        };
        context.meters.in_flight.fetch_sub(1, Ordering::Relaxed);
        drop(leaf);
        let failure = match sent {
            Ok(()) => {
                step.breaker.success();
                return outcome(EffectStatus::Sent, attempts, None);
            }
            Err(failure) if failure.class == FailureClass::Cancelled => {
                return outcome(EffectStatus::Pending, attempts, None);
            }
            Err(failure) => failure.context(format_args!("step `{}`", step.name)),
        };
        let Some(delay) = delays.after(&failure) else {
            context.health.exhausted(&failure);
            context.note(&step.breaker, &failure);
            return outcome(EffectStatus::Failed, attempts, Some(failure));
        };
        if !retry_after(context, work, failure, delay).await {
            return outcome(EffectStatus::Pending, attempts, None);
        }
    }
}

fn outcome(status: EffectStatus, attempts: u32, failure: Option<Failure>) -> EffectOutcome {
    EffectOutcome {
        status,
        attempts,
        failure,
    }
}

/// The same for every repetition of one message, and for no other: 32 hexadecimal digits over job, item, target and step.
fn message_id(job: &str, work: &UnitWork, step: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [
        job.as_bytes(),
        &work.item.0,
        work.record.target.as_bytes(),
        step.as_bytes(),
    ] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
