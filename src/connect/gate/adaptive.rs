use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::{Failure, Throttle};

/// Answers that come within this of a cut were under way before it: they say nothing about the new limit.
const SETTLING: Duration = Duration::from_secs(1);

/// A limit that gives way to throttling and comes back: halved when the other side asks for less, one more for each round of successes as
/// long as the limit (additive increase, multiplicative decrease, as in TCP's congestion avoidance).
#[derive(Debug)]
pub struct AdaptiveLimit {
    permits: Arc<Semaphore>,
    ceiling: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    limit: usize,
    /// Permits that are in use and have to go when they come back.
    owed: usize,
    successes: usize,
    cut: Option<Cut>,
    cuts: u64,
    lowest: usize,
}

#[derive(Debug)]
struct Cut {
    at: Instant,
    answer: String,
}

/// One piece of work within the limit; given back on drop.
#[derive(Debug)]
pub struct AdaptivePermit {
    limit: Arc<AdaptiveLimit>,
    permit: Option<OwnedSemaphorePermit>,
}

impl AdaptiveLimit {
    pub fn new(ceiling: usize) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(ceiling)),
            ceiling,
            inside: Mutex::new(Inside {
                limit: ceiling,
                owed: 0,
                successes: 0,
                cut: None,
                cuts: 0,
                lowest: ceiling,
            }),
        })
    }

    pub async fn acquire(self: &Arc<Self>) -> AdaptivePermit {
        // The semaphore is never closed, so that there always is a permit.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        AdaptivePermit {
            limit: Arc::clone(self),
            permit,
        }
    }

    /// A permit if one is free now.
    pub fn try_acquire(self: &Arc<Self>) -> Option<AdaptivePermit> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some(AdaptivePermit {
            limit: Arc::clone(self),
            permit: Some(permit),
        })
    }

    /// The other side asked for less.
    pub fn throttled(&self, failure: &Failure, now: Instant) {
        let mut inside = self.inside();
        if inside
            .cut
            .as_ref()
            .is_some_and(|cut| now.duration_since(cut.at) < SETTLING)
        {
            return;
        }
        let lower = (inside.limit / 2).max(1);
        let surplus = inside.limit - lower;
        inside.owed += surplus - self.permits.forget_permits(surplus);
        inside.limit = lower;
        inside.successes = 0;
        inside.cuts += 1;
        inside.lowest = inside.lowest.min(lower);
        let answer = match failure.status {
            Some(status) => status.to_string(),
            None => failure.code.to_string(),
        };
        inside.cut = Some(Cut { at: now, answer });
    }

    /// A piece of work succeeded.
    pub fn succeeded(&self) {
        let mut inside = self.inside();
        if inside.limit == self.ceiling {
            return;
        }
        inside.successes += 1;
        if inside.successes >= inside.limit {
            inside.successes = 0;
            inside.limit += 1;
            if inside.owed > 0 {
                inside.owed -= 1;
            } else {
                self.permits.add_permits(1);
            }
        }
    }

    /// How throttling has lowered the limit; `None` when it never has. Whose limit it is, the owner adds.
    pub fn throttle(&self) -> Option<Throttle> {
        let inside = self.inside();
        let cut = inside.cut.as_ref()?;
        Some(Throttle {
            limit: inside.limit as u64,
            ceiling: self.ceiling as u64,
            lowest: inside.lowest as u64,
            cuts: inside.cuts,
            answer: cut.answer.clone(),
            ..Throttle::default()
        })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // A panic while the lock was held leaves numbers that are still numbers.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AdaptivePermit {
    fn drop(&mut self) {
        let mut inside = self.limit.inside();
        if inside.owed > 0
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
            inside.owed -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(limit: &Arc<AdaptiveLimit>) -> usize {
        std::iter::from_fn(|| limit.try_acquire()).collect::<Vec<_>>().len()
    }

    fn throttled() -> Failure {
        Failure::new(crate::model::FailureClass::Throttled, "store.throttled", "slow down")
    }

    #[test]
    fn throttling_halves_the_limit_once_for_answers_that_come_together() {
        let limit = AdaptiveLimit::new(16);
        let now = Instant::now();
        limit.throttled(&throttled(), now);
        limit.throttled(&throttled(), now + Duration::from_millis(500));
        assert_eq!(free(&limit), 8);
        limit.throttled(&throttled(), now + Duration::from_secs(2));
        assert_eq!(free(&limit), 4);
        let throttle = limit.throttle().unwrap();
        assert_eq!((throttle.limit, throttle.ceiling), (4, 16));
        assert_eq!((throttle.lowest, throttle.cuts), (4, 2));
        assert_eq!(throttle.answer, "store.throttled");
    }

    #[test]
    fn it_never_falls_below_one_and_comes_back_to_where_it_was() {
        let limit = AdaptiveLimit::new(4);
        let mut now = Instant::now();
        for _ in 0..5 {
            limit.throttled(&throttled(), now);
            now += Duration::from_secs(2);
        }
        assert_eq!(free(&limit), 1);
        for _ in 0..(1 + 2 + 3) {
            limit.succeeded();
        }
        assert_eq!(free(&limit), 4);
        let throttle = limit.throttle().unwrap();
        assert!(!throttle.is_in_force());
        assert_eq!(throttle.lowest, 1, "what happened is still told");
        limit.succeeded();
        assert_eq!(free(&limit), 4, "it does not grow beyond its ceiling");
    }

    #[test]
    fn permits_in_use_go_when_they_come_back() {
        let limit = AdaptiveLimit::new(4);
        let mut held: Vec<_> = std::iter::from_fn(|| limit.try_acquire()).collect();
        limit.throttled(&throttled(), Instant::now());
        held.truncate(2);
        assert_eq!(free(&limit), 0, "two are still held, and two is all there may be");
        held.clear();
        assert_eq!(free(&limit), 2);
    }
}
