use std::sync::Arc;
use std::sync::OnceLock;

use tokio::sync::mpsc;

use crate::engine::{Stop, StopCause};

use super::Exit;

/// Turns signals into stops: the first one drains, the second one aborts.
pub struct Signals {
    first: Arc<OnceLock<Exit>>,
}

impl Signals {
    /// Listens from now on. `told` gets a line to show at each signal.
    pub fn listen(stop: Stop, told: mpsc::UnboundedSender<&'static str>) -> std::io::Result<Self> {
        let first = Arc::new(OnceLock::new());
        let seen = Arc::clone(&first);
        let mut source = Source::new()?;
        tokio::spawn(async move {
            while let Some(signal) = source.next().await {
                // Told before it is done: a run that has nothing in flight ends at once, and shows what it was told until then.
                if seen.set(signal).is_ok() {
                    let _ =
                        told.send("stopping: no new files are begun; press Ctrl-C again to give up those in flight");
                    stop.drain(StopCause::Asked);
                } else {
                    let _ = told.send("giving up the files in flight; they stay pending");
                    stop.abort();
                }
            }
        });
        Ok(Self { first })
    }

    /// The exit that belongs to the signal that stopped the run, if one did.
    pub fn received(&self) -> Option<Exit> {
        self.first.get().copied()
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Option<Exit> {
        tokio::select! {
            received = self.interrupt.recv() => received.map(|()| Exit::Interrupted),
            received = self.terminate.recv() => received.map(|()| Exit::Terminated),
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<Exit> {
        tokio::signal::ctrl_c().await.ok().map(|()| Exit::Interrupted)
    }
}
