use tokio_util::sync::CancellationToken;

/// How a run is asked to end early, in two steps. Cloned freely; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    drain: CancellationToken,
    abort: CancellationToken,
}

impl Stop {
    /// No new work; what is in flight comes to its end.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// What is in flight is given up and stays pending.
    pub fn abort(&self) {
        self.drain.cancel();
        self.abort.cancel();
    }

    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Resolves once no new work may begin.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// For work that has to discard what it began when it is given up.
    pub fn abort_token(&self) -> &CancellationToken {
        &self.abort
    }
}
