use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::connect::Connections;
use crate::model::{Failure, Outage, RetryPolicy, Throttle, Timestamp};
use crate::resolve::{FileJob, ResolvedJob};

use super::{Stop, StopCause};

/// The shortest time between two probes, whatever the policy says.
const PROBE_DELAY_MIN: Duration = Duration::from_millis(100);

/// How the connections of a run fare: which are throttled, which are gone and waited for.
pub struct Health {
    connections: Connections,
    stop: Stop,
    /// By connection, the policy under which it is waited for.
    policies: BTreeMap<String, RetryPolicy>,
    /// By connection, the stage whose work goes to it.
    stages: BTreeMap<String, String>,
    outages: Mutex<BTreeMap<String, Outage>>,
}

impl Health {
    /// `stages`: by connection, the stage whose work goes to it.
    pub fn new<W>(
        job: &ResolvedJob<W>,
        stages: BTreeMap<String, String>,
        connections: Connections,
        stop: Stop,
    ) -> Arc<Self> {
        let policy = |name: &String| job.connection(name).retry.clone().unwrap_or_else(|| job.retry.clone());
        let policies = job.connections.keys().map(|name| (name.clone(), policy(name)));
        Arc::new(Self {
            policies: policies.collect(),
            stages,
            connections,
            stop,
            outages: Mutex::default(),
        })
    }

    /// Takes notice of a failure that used up its attempts. When it shows that its connection is gone, the run pauses what it has to do with
    /// that, and asks until there is an answer or the policy's time is over.
    pub fn exhausted(self: &Arc<Self>, failure: &Failure) {
        let Some(connection) = self.connections.exhausted(failure) else {
            return;
        };
        let outage = Outage {
            connection: connection.clone(),
            since: Timestamp::now(),
            probes: 0,
            code: failure.code.to_string(),
        };
        self.outages().insert(connection.clone(), outage);
        let (health, failure) = (Arc::clone(self), failure.clone());
        tokio::spawn(async move {
            let waiting = Arc::clone(&health);
            tokio::select! {
                biased;
                () = waiting.stop.draining() => {}
                () = health.wait_out(connection, failure) => {}
            }
        });
    }

    async fn wait_out(&self, connection: String, mut failure: Failure) {
        let begun = Instant::now();
        let policy = self.policies.get(&connection).cloned().unwrap_or_default();
        let mut delay = policy.initial_delay.max(PROBE_DELAY_MIN);
        loop {
            let left = policy.outage.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let waited = policy.outage;
                return self.stop.drain(StopCause::Gone {
                    connection,
                    waited,
                    failure,
                });
            }
            sleep(delay.min(left)).await;
            match self.connections.probe(&connection).await {
                Err(answer) if is_silence(&answer) => failure = answer,
                // Whatever it says, it is there again: what it denies is dealt with where it matters.
                _ => {
                    self.outages().remove(&connection);
                    return self.connections.reopen(&connection);
                }
            }
            if let Some(outage) = self.outages().get_mut(&connection) {
                outage.probes += 1;
                outage.code = failure.code.to_string();
            }
            delay = delay
                .mul_f64(policy.multiplier)
                .min(policy.max_delay)
                .max(PROBE_DELAY_MIN);
        }
    }

    /// What has been throttled in this run, each with its stage.
    pub fn throttles(&self) -> Vec<Throttle> {
        let mut throttles = self.connections.throttles();
        for throttle in &mut throttles {
            let stage = self.stages.get(&throttle.connection);
            throttle.stage = stage.map_or("list", String::as_str).to_owned();
        }
        throttles
    }

    /// Connections that are gone and waited for.
    pub fn outages_now(&self) -> Vec<Outage> {
        self.outages().values().cloned().collect()
    }

    fn outages(&self) -> MutexGuard<'_, BTreeMap<String, Outage>> {
        // A panic while the lock was held leaves a list that is still a list.
        self.outages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a probe found nobody there.
fn is_silence(failure: &Failure) -> bool {
    failure.code.ends_with(".connection") || failure.code.ends_with(".timeout")
}

/// By connection, the stage of a job of files whose work goes to it.
pub fn stages(job: &FileJob) -> BTreeMap<String, String> {
    let steps = job.work.steps.iter().map(|step| {
        let crate::resolve::StepKind::Notify(notify) = &step.kind;
        (notify.connection.clone(), step.name.clone())
    });
    let ends = [&job.work.source.files.read.connection, &job.work.sink.connection];
    steps
        .chain(ends.map(|name| (name.clone(), "copy".to_owned())))
        .collect()
}
