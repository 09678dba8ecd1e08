use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::connect::{Connections, Message, Queue};
use crate::model::{EffectOutcome, EffectRecord, EffectStatus, Failure, FailureClass, RetryPolicy, UnitStatus};
use crate::resolve::{NotifyWhen, ResolvedJob, Step, StepKind};

use super::RunOptions;
use super::attempts::Delays;
use super::context::Context;
use super::unit::{UnitWork, retry_after};

/// A step of the spec with all that it takes to be done.
pub struct StepRun {
    pub name: String,
    pub connection: String,
    pub queue: Arc<dyn Queue>,
    pub when: NotifyWhen,
    pub retry: RetryPolicy,
    pub part: Part,
}

/// What this run does about a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Does what is owed.
    Owed,
    /// Does what is owed and makes up what was left out: the run was asked for this stage alone.
    MadeUp,
    /// Leaves it out, for good unless it is made up.
    LeftOut,
    /// Does nothing about it now: it stays owed.
    Later,
}

impl Part {
    pub fn of(step: &str, options: &RunOptions) -> Self {
        match &options.stage {
            Some(stage) if stage == step => Self::MadeUp,
            Some(_) => Self::Later,
            None if options.skip.iter().any(|skipped| skipped == step) => Self::LeftOut,
            None => Self::Owed,
        }
    }

    /// Whether this run works on an effect that stands like this. One whose body could not be rendered is never tried again.
    pub fn takes_up(self, effect: &EffectRecord, leave_failed: bool) -> bool {
        match effect.status {
            EffectStatus::Pending => matches!(self, Self::Owed | Self::MadeUp | Self::LeftOut),
            EffectStatus::Failed => effect.body.is_some() && !leave_failed && matches!(self, Self::Owed | Self::MadeUp),
            EffectStatus::LeftOut => self == Self::MadeUp,
            EffectStatus::Sent | EffectStatus::NotDue | EffectStatus::Blocked => false,
        }
    }
}

/// Opens what the steps of a job talk to.
pub async fn open_steps(
    job: &ResolvedJob,
    connections: &Connections,
    options: &RunOptions,
) -> Result<Vec<StepRun>, (String, Failure)> {
    let mut steps = Vec::with_capacity(job.steps.len());
    for Step {
        name,
        kind: StepKind::Notify(notify),
    } in &job.steps
    {
        let connection = notify.connection.clone();
        let queue = connections
            .queue(&connection)
            .await
            .map_err(|failure| (connection.clone(), failure))?;
        steps.push(StepRun {
            name: name.clone(),
            queue,
            when: notify.when,
            retry: job
                .connection(&connection)
                .retry
                .clone()
                .unwrap_or_else(|| job.retry.clone()),
            part: Part::of(name, options),
            connection,
        });
    }
    Ok(steps)
}

/// Does what a unit owes, now that it stands as `status`: one outcome for each of its effects.
pub async fn work_off(context: &Context, work: &UnitWork, status: UnitStatus) -> Vec<EffectOutcome> {
    let mut outcomes = Vec::with_capacity(work.record.effects.len());
    for (effect, step) in work.record.effects.iter().zip(&context.steps) {
        outcomes.push(match due(effect, step, status, context.options.leave_failed) {
            Due::Settled(status) => outcome(
                status,
                0,
                effect.failure.clone().filter(|_| status == EffectStatus::Failed),
            ),
            Due::Now(body) => send(context, work, step, body).await,
        });
    }
    outcomes
}

enum Due<'a> {
    Now(&'a str),
    /// Nothing is to be done; it stands like this.
    Settled(EffectStatus),
}

/// | the unit | the effect | then |
/// |---|---|---|
/// | failed, pending | any | blocked |
/// | present, and the step is for written ones | owed | not due |
/// | done, present | has no body | failed |
/// | done, present | owed, and the run leaves the step out | left out |
/// | done, present | owed, failed, left out or blocked, and the run takes it up | sent now |
/// | done, present | any other | stays |
fn due<'a>(effect: &'a EffectRecord, step: &StepRun, unit: UnitStatus, leave_failed: bool) -> Due<'a> {
    if matches!(unit, UnitStatus::Failed | UnitStatus::Pending) {
        return Due::Settled(EffectStatus::Blocked);
    }
    // The unit has come right since: what was blocked is owed again.
    let is_owed = matches!(effect.status, EffectStatus::Pending | EffectStatus::Blocked);
    if is_owed && unit == UnitStatus::Present && step.when == NotifyWhen::Written {
        return Due::Settled(EffectStatus::NotDue);
    }
    let Some(body) = &effect.body else {
        let is_over = matches!(effect.status, EffectStatus::Sent | EffectStatus::NotDue);
        return Due::Settled(if is_over { effect.status } else { EffectStatus::Failed });
    };
    if is_owed {
        return match step.part {
            Part::LeftOut => Due::Settled(EffectStatus::LeftOut),
            Part::Later => Due::Settled(EffectStatus::Pending),
            Part::Owed | Part::MadeUp => Due::Now(body),
        };
    }
    if step.part.takes_up(effect, leave_failed) {
        Due::Now(body)
    } else {
        Due::Settled(effect.status)
    }
}

/// Sends one message under the retry policy of its queue. A stop leaves it owed.
async fn send(context: &Context, work: &UnitWork, step: &StepRun, body: &str) -> EffectOutcome {
    let id = message_id(&context.job.name, work, &step.name);
    let mut delays = Delays::new(&step.retry);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let leaf = tokio::select! {
            biased;
            () = context.stop.draining() => return outcome(EffectStatus::Pending, attempts - 1, None),
            leaf = context.permits.leaf([&step.connection, &step.connection]) => leaf,
        };
        let sent = step.queue.send(Message { id: &id, body }).await;
        drop(leaf);
        let failure = match sent {
            Ok(()) => {
                context.note_success();
                return outcome(EffectStatus::Sent, attempts, None);
            }
            Err(failure) if failure.class == FailureClass::Cancelled => {
                return outcome(EffectStatus::Pending, attempts, None);
            }
            Err(failure) => failure.context(format_args!("step `{}`", step.name)),
        };
        context.note_attempt(&failure);
        let Some(delay) = delays.after(&failure) else {
            context.note_failure(&failure);
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
