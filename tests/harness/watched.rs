use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::process::HUNG_AFTER;

/// What a test and the threads of its server know together. A thread that panicked while it held the lock spoils nothing for the others.
#[derive(Default)]
pub struct Watched<T> {
    inside: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it, and wakes all that wait.
    pub fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits as long as that is so.
    pub fn wait_while(&self, is_so: impl Fn(&T) -> bool) {
        let waited = self.changed.wait_while(self.lock(), |inside| is_so(inside));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until as many are counted, and fails when that takes too long.
    #[track_caller]
    pub fn wait_until(&self, count: usize, counted: impl Fn(&T) -> usize) {
        let changed = &self.changed;
        let waited = changed.wait_timeout_while(self.lock(), HUNG_AFTER, |inside| counted(inside) < count);
        let (inside, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "{} of {count} requests came", counted(&inside));
    }
}
