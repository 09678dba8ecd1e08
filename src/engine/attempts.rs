use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::model::{Failure, RetryPolicy};

use super::Stop;

/// The delays between the attempts of one piece of work, from its policy: one fewer than attempts.
pub struct Delays {
    exponential: backon::ExponentialBackoff,
    max_delay: Duration,
}

impl Delays {
    pub fn new(policy: &RetryPolicy) -> Self {
        let mut builder = ExponentialBuilder::new()
            .with_min_delay(policy.initial_delay)
            .with_max_delay(policy.max_delay)
            .with_factor(policy.multiplier as f32)
            .with_max_times(policy.max_attempts.saturating_sub(1) as usize);
        if policy.jitter {
            builder = builder.with_jitter();
        }
        Self {
            exponential: builder.build(),
            max_delay: policy.max_delay,
        }
    }

    /// How long to wait before the work is tried again after `failure`; `None` when it is not to be.
    ///
    /// A `Retry-After` longer than the policy's own delay is honoured even above `max_delay`: the other side asked for it.
    pub fn after(&mut self, failure: &Failure) -> Option<Duration> {
        if !failure.class.is_retryable() {
            return None;
        }
        let delay = self.exponential.next()?.min(self.max_delay);
        Some(failure.retry_after.map_or(delay, |asked| delay.max(asked)))
    }
}

/// Waits before a repetition. False when a stop came first.
pub async fn wait(delay: Duration, stop: &Stop) -> bool {
    tokio::select! {
        biased;
        () = stop.draining() => false,
        () = tokio::time::sleep(delay) => true,
    }
}

/// Repeats an idempotent piece of work under a policy. `Cancelled` when a stop ends the waiting, or is so urgent that the work is given up.
pub async fn repeat<T, Work>(policy: &RetryPolicy, stop: &Stop, mut work: impl FnMut() -> Work) -> Result<T, Failure>
where
    Work: Future<Output = Result<T, Failure>>,
{
    let mut delays = Delays::new(policy);
    loop {
        let answer = tokio::select! {
            biased;
            answer = work() => answer,
            () = stop.abort_token().cancelled() => Err(Failure::cancelled()),
        };
        let failure = match answer {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let Some(delay) = delays.after(&failure) else {
            return Err(failure);
        };
        if !wait(delay, stop).await {
            return Err(Failure::cancelled());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(max_attempts: u32) -> RetryPolicy {
        RetryPolicy {
            max_attempts,
            jitter: false,
            ..RetryPolicy::default()
        }
    }

    #[test]
    fn the_first_attempt_counts_and_delays_grow() {
        let mut delays = Delays::new(&policy(4));
        let failure = Failure::transient("store.timeout", "x");
        let waited: Vec<u64> = std::iter::from_fn(|| delays.after(&failure))
            .map(|delay| delay.as_secs())
            .collect();
        assert_eq!(waited, [1, 2, 4]);
        assert_eq!(Delays::new(&policy(1)).after(&failure), None);
    }

    #[test]
    fn what_a_repetition_cannot_cure_is_not_repeated() {
        let mut delays = Delays::new(&policy(3));
        assert_eq!(delays.after(&Failure::data("name.empty", "x")), None);
        let mut throttled = Failure::new(crate::model::FailureClass::Throttled, "store.throttled", "x");
        throttled.retry_after = Some(Duration::from_secs(90));
        assert_eq!(delays.after(&throttled), Some(Duration::from_secs(90)));
    }

    #[test]
    fn jitter_stays_under_the_longest_delay() {
        let policy = RetryPolicy {
            max_attempts: 40,
            max_delay: Duration::from_secs(3),
            ..RetryPolicy::default()
        };
        let mut delays = Delays::new(&policy);
        let failure = Failure::transient("store.timeout", "x");
        let waited: Vec<Duration> = std::iter::from_fn(|| delays.after(&failure)).collect();
        assert_eq!(waited.len(), 39);
        assert!(waited.iter().all(|delay| *delay <= Duration::from_secs(3)));
    }
}
