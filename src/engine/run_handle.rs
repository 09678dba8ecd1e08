use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use crate::model::Progress;

use super::{Meters, Stop, StopCause};

/// A run, for those who look at it from outside.
#[derive(Clone)]
pub struct RunHandle {
    progress: watch::Receiver<Progress>,
    meters: Arc<Meters>,
    stop: Stop,
}

impl RunHandle {
    pub(super) fn new(progress: watch::Receiver<Progress>, meters: Arc<Meters>, stop: Stop) -> Self {
        Self { progress, meters, stop }
    }

    /// Where the run stands at this moment; after its end, how it ended. Waits for nothing.
    pub fn snapshot(&self) -> Progress {
        let mut progress = self.progress.borrow().clone();
        progress.bytes_moved = self.meters.bytes.load(Ordering::Relaxed);
        progress.rows_moved = self.meters.rows.load(Ordering::Relaxed);
        progress.in_flight = self.meters.in_flight.load(Ordering::Relaxed);
        progress
    }

    /// Begins nothing new and finishes what is in flight.
    pub fn stop(&self) {
        self.stop.drain(StopCause::Asked);
    }
}
