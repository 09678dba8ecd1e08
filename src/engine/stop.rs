use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::model::Failure;

/// Why a run ends before its work does.
#[derive(Clone, Debug, PartialEq)]
pub enum StopCause {
    /// Somebody asked for it.
    Asked,
    /// So many units or effects have failed in this run.
    MaxFailures(u64),
    /// So much time has passed.
    MaxDuration(Duration),
    /// A connection denied one piece of work after the other, the last one with this.
    Denied(Failure),
    /// A connection stopped answering, and did not come back in the time that its policy gives it.
    Gone {
        connection: String,
        waited: Duration,
        failure: Failure,
    },
    /// A unit ended in a way that it must not: a defect of the runner.
    UnitLost,
}

/// How a run is asked to end early, in two steps. Cloned freely; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    drain: CancellationToken,
    abort: CancellationToken,
    cause: Arc<OnceLock<StopCause>>,
}

impl Stop {
    /// No new work; what is in flight comes to its end. The first cause counts.
    pub fn drain(&self, cause: StopCause) {
        // A later cause changes nothing about why the run ended.
        let _ = self.cause.set(cause);
        self.drain.cancel();
    }

    /// What is in flight is given up and stays pending.
    pub fn abort(&self) {
        self.drain(StopCause::Asked);
        self.abort.cancel();
    }

    pub fn is_draining(&self) -> bool {
        // Set before the token is cancelled, and read without a lock.
        self.cause.get().is_some()
    }

    /// Why no new work may begin; `None` while it may.
    pub fn cause(&self) -> Option<&StopCause> {
        self.cause.get()
    }

    /// Resolves once no new work may begin.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// For what waits to begin.
    pub fn drain_token(&self) -> &CancellationToken {
        &self.drain
    }

    /// For work that has to discard what it began when it is given up.
    pub fn abort_token(&self) -> &CancellationToken {
        &self.abort
    }
}
