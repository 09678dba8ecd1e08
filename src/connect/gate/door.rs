use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::adaptive::{AdaptiveLimit, AdaptivePermit};
use super::pace::Paces;
use crate::model::{Ceilings, Failure, FailureClass, Throttle};

/// Pieces of work in a row that may use up their attempts on a connection that does not answer, before it is taken for gone: enough to tell
/// it from a few unlucky ones.
const GONE_AFTER: u32 = 5;

/// What a run may ask of one connection, and how the connection fares.
#[derive(Debug)]
pub(in crate::connect) struct Gate {
    name: Arc<str>,
    calls: Arc<AdaptiveLimit>,
    rate: Paces,
    bandwidth: Paces,
    /// Cancelled when nothing new may begin.
    closing: CancellationToken,
    /// The connection does not answer any more: nothing new is begun with it.
    gone: watch::Sender<bool>,
    exhausted_in_a_row: AtomicU32,
}

/// The way of one item slot to a connection, or of the run as a whole.
#[derive(Clone, Debug)]
pub struct Door {
    gate: Arc<Gate>,
    slot: Option<Arc<Semaphore>>,
}

/// One call under way; given back on drop.
#[derive(Debug)]
pub struct Pass {
    _call: AdaptivePermit,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Gate {
    /// `calls_max` bounds the calls of a connection that has no limit of its own, or a higher one.
    pub fn new(name: &str, ceilings: &Ceilings, calls_max: usize, closing: CancellationToken) -> Arc<Self> {
        let calls = ceilings.limit.unwrap_or(calls_max).min(calls_max);
        Arc::new(Self {
            name: name.into(),
            calls: AdaptiveLimit::new(calls),
            rate: Paces::of(ceilings.speed.rate),
            bandwidth: Paces::of(ceilings.speed.bandwidth.map(|bytes| bytes as f64)),
            closing,
            gone: watch::Sender::new(false),
            exhausted_in_a_row: AtomicU32::new(0),
        })
    }

    /// How throttling has lowered its calls; `None` when it never has.
    pub fn throttle(&self) -> Option<Throttle> {
        let throttle = self.calls.throttle()?;
        let connection = self.name.to_string();
        Some(Throttle { connection, ..throttle })
    }

    /// Takes notice of work that used up its attempts because the connection did not answer. True for the one that shows that it is gone,
    /// which closes it until [`Gate::reopen`].
    pub fn exhausted(&self) -> bool {
        let in_a_row = self.exhausted_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        in_a_row >= GONE_AFTER && !self.gone.send_replace(true)
    }

    /// Takes notice of a failure that is repeated within its call: of nothing but that the other side asks for less.
    pub fn repeated(&self, failure: &Failure) {
        if failure.class == FailureClass::Throttled {
            self.calls.throttled(failure, Instant::now());
        }
    }

    pub fn reopen(&self) {
        self.exhausted_in_a_row.store(0, Ordering::Relaxed);
        self.gone.send_replace(false);
    }

    pub fn door(self: &Arc<Self>, slots: &BTreeMap<String, Arc<Semaphore>>) -> Door {
        Door {
            gate: Arc::clone(self),
            slot: slots.get(&*self.name).cloned(),
        }
    }
}

impl Door {
    /// Waits for room for one more call, while the connection is gone too.
    ///
    /// # Errors
    /// `run.cancelled` as soon as nothing new may begin.
    pub async fn permit(&self) -> Result<Pass, Failure> {
        let gate = &self.gate;
        if let Some(pass) = self.free_pass() {
            return Ok(pass);
        }
        let mut gone = gate.gone.subscribe();
        let passed = async {
            let slot = match &self.slot {
                Some(slot) => Arc::clone(slot).acquire_owned().await.ok(),
                None => None,
            };
            let call = gate.calls.acquire().await;
            // Its sender lives as long as the gate does.
            let _ = gone.wait_for(|gone| !gone).await;
            Pass {
                _call: call,
                _slot: slot,
            }
        };
        tokio::select! {
            biased;
            () = gate.closing.cancelled() => Err(Failure::cancelled()),
            pass = passed => Ok(pass),
        }
    }

    /// A pass that need not be waited for: most calls take this way.
    fn free_pass(&self) -> Option<Pass> {
        let is_open = !(self.gate.closing.is_cancelled() || *self.gate.gone.borrow());
        is_open.then(|| self.try_permit()).flatten()
    }

    /// Room for one more call if there is some now.
    pub fn try_permit(&self) -> Option<Pass> {
        let slot = match &self.slot {
            Some(slot) => Some(Arc::clone(slot).try_acquire_owned().ok()?),
            None => None,
        };
        Some(Pass {
            _call: self.gate.calls.try_acquire()?,
            _slot: slot,
        })
    }

    /// Waits for the turn of one call.
    ///
    /// # Errors
    /// `run.cancelled` as soon as nothing new may begin.
    pub async fn turn(&self) -> Result<(), Failure> {
        if self.gate.rate.is_empty() {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = self.gate.closing.cancelled() => Err(Failure::cancelled()),
            () = self.gate.rate.take(1) => Ok(()),
        }
    }

    /// Room and turn for one call.
    pub(super) async fn enter(&self) -> Result<Pass, Failure> {
        let pass = self.permit().await?;
        self.turn().await?;
        Ok(pass)
    }

    /// How fast bytes may go to the connection and come from it.
    pub(super) fn bandwidth(&self) -> &Paces {
        &self.gate.bandwidth
    }

    /// How fast calls may be begun, for calls within work that is under way and is finished whatever happens.
    pub(super) fn rate(&self) -> &Paces {
        &self.gate.rate
    }

    /// Takes notice of how a call ended, and names the connection in its failure.
    pub(super) fn note<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        let gate = &self.gate;
        match result {
            Ok(value) => {
                gate.calls.succeeded();
                gate.exhausted_in_a_row.store(0, Ordering::Relaxed);
                Ok(value)
            }
            Err(mut failure) => {
                if failure.class == FailureClass::Throttled {
                    gate.calls.throttled(&failure, Instant::now());
                }
                failure.connection = Some(Arc::clone(&gate.name));
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(limit: Option<usize>, calls_max: usize) -> Arc<Gate> {
        let ceilings = Ceilings {
            limit,
            ..Ceilings::default()
        };
        Gate::new("results", &ceilings, calls_max, CancellationToken::new())
    }

    fn room(door: &Door) -> usize {
        std::iter::from_fn(|| door.try_permit()).collect::<Vec<_>>().len()
    }

    #[test]
    fn calls_are_bounded_by_the_connection_the_tree_and_the_slot() {
        assert_eq!(room(&gate(None, 3).door(&BTreeMap::new())), 3);
        assert_eq!(room(&gate(Some(2), 3).door(&BTreeMap::new())), 2);
        assert_eq!(room(&gate(Some(9), 3).door(&BTreeMap::new())), 3);
        let slots = BTreeMap::from([("results".to_owned(), Arc::new(Semaphore::new(1)))]);
        assert_eq!(room(&gate(None, 3).door(&slots)), 1);
    }

    #[tokio::test]
    async fn a_connection_that_is_gone_lets_nothing_through_until_it_is_back() {
        let gate = gate(None, 3);
        let door = gate.door(&BTreeMap::new());
        assert!(!(0..4).any(|_| gate.exhausted()));
        assert!(door.note(Ok(())).is_ok(), "an answer in between starts the count anew");
        assert!(!(0..4).any(|_| gate.exhausted()));
        assert!(gate.exhausted());
        assert!(!gate.exhausted(), "it is told once");
        let waiting = tokio::spawn({
            let door = door.clone();
            async move { door.permit().await.is_ok() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        gate.reopen();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn who_waits_is_let_go_when_nothing_new_may_begin() {
        let closing = CancellationToken::new();
        let door = Gate::new("results", &Ceilings::default(), 1, closing.clone()).door(&BTreeMap::new());
        let held = door.permit().await.unwrap();
        closing.cancel();
        assert_eq!(door.permit().await.unwrap_err().class, FailureClass::Cancelled);
        drop(held);
    }

    #[test]
    fn a_failure_names_its_connection() {
        let door = gate(None, 8).door(&BTreeMap::new());
        let mut throttled = Failure::new(FailureClass::Throttled, "store.throttled", "slow down");
        throttled.status = Some(503);
        let noted = door.note::<()>(Err(throttled)).unwrap_err();
        assert_eq!(noted.connection.as_deref(), Some("results"));
        let throttle = door.gate.throttle().unwrap();
        assert_eq!(
            (throttle.connection.as_str(), throttle.answer.as_str()),
            ("results", "503")
        );
        assert_eq!((throttle.limit, throttle.ceiling), (4, 8));
    }
}
