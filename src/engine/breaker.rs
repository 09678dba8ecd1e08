use std::sync::atomic::{AtomicU32, Ordering};

use crate::model::{Failure, FailureClass};

/// Units in a row that may be denied before the run stops: enough to tell a connection from a few odd objects.
const DENIED_MAX: u32 = 5;

/// Notices a connection that denies everything, so that a wrong key does not make ten thousand copies of one error.
#[derive(Debug, Default)]
pub struct Breaker {
    denied_in_a_row: AtomicU32,
}

impl Breaker {
    pub fn success(&self) {
        self.denied_in_a_row.store(0, Ordering::Relaxed);
    }

    /// True when this failure is the one too many.
    pub fn failure(&self, failure: &Failure) -> bool {
        if failure.class != FailureClass::Denied || failure.code == Failure::NO_PRIVILEGE {
            return false;
        }
        self.denied_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 == DENIED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_in_between_starts_the_count_anew() {
        let breaker = Breaker::default();
        let denied = Failure::new(FailureClass::Denied, "store.denied", "x");
        assert!(!(0..4).any(|_| breaker.failure(&denied)));
        breaker.success();
        assert!(!(0..4).any(|_| breaker.failure(&denied)));
        assert!(!breaker.failure(&Failure::transient("store.timeout", "x")));
        let of_one = Failure::new(FailureClass::Denied, Failure::NO_PRIVILEGE, "x");
        assert!(!(0..9).any(|_| breaker.failure(&of_one)));
        assert!(breaker.failure(&denied));
    }
}
