use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::state::state::Shared;
use crate::state::{Change, StateError};

use super::committer::Committer;

/// Changes that may wait for the writer before a sender has to. Most are a few results; the pages among them are bounded by the
/// item slots, since a slot waits for its page's intent.
const QUEUE_CHANGES: usize = 256;

/// How long changes that nobody waits for may gather before they are committed. A commit costs the same for one result as for a hundred,
/// and on a fast disk one for each result would cost more than the copies themselves. What a kill within this time forgets is only
/// looked at once more: it was intended, and is compared.
const GATHER: Duration = Duration::from_millis(25);

/// Sends changes to the writer's thread. Dropping it commits what was sent and waits for that; [`close`](Self::close) also says
/// whether it succeeded.
pub struct StateWriter {
    /// Taken out to end the thread.
    sender: Option<mpsc::Sender<Envelope>>,
    thread: Option<JoinHandle<()>>,
    ending: Ending,
}

/// What a change is waiting for, to be awaited wherever the change's effect begins.
#[must_use = "an effect may begin only after its change is durable"]
pub struct Durable {
    answer: oneshot::Receiver<()>,
    ending: Ending,
}

/// Why the writer ended, for everyone who still has a question.
#[derive(Clone)]
struct Ending {
    failure: Arc<OnceLock<StateError>>,
    folder: Arc<Path>,
}

struct Envelope {
    change: Change,
    /// Answered when the change is durable, dropped when it never will be.
    durable: Option<oneshot::Sender<()>>,
}

impl Envelope {
    /// Whether its commit may not wait for others: somebody waits for it, or it tells of a message, which a kill before the commit would
    /// send once more.
    fn is_urgent(&self) -> bool {
        let tells_of_effects = match &self.change {
            Change::Results { results, .. } => results.iter().any(|result| !result.effects.is_empty()),
            _ => false,
        };
        self.durable.is_some() || tells_of_effects
    }
}

impl StateWriter {
    pub(in crate::state) fn start(shared: Arc<Shared>) -> Result<Self, StateError> {
        let committer = Committer::new(shared.clone())?;
        let ending = Ending {
            failure: Arc::new(OnceLock::new()),
            folder: shared.folder.path().into(),
        };
        let (sender, receiver) = mpsc::channel(QUEUE_CHANGES);
        let failure = ending.failure.clone();
        let thread = thread::Builder::new()
            .name("state-writer".to_owned())
            .spawn(move || {
                write_all(committer, receiver, &failure);
                shared.has_writer.store(false, Ordering::Release);
            })
            .map_err(StateError::io("start the writer for", &ending.folder))?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
            ending,
        })
    }

    /// Hands a change over. Waits only while the queue is full, never for the disk.
    ///
    /// # Errors
    /// The error that ended the writer, from then on at every call: the run cannot go on, and nothing durable is lost.
    pub async fn send(&self, change: Change) -> Result<(), StateError> {
        self.enqueue(Envelope { change, durable: None }).await
    }

    /// Hands a change over and returns what to await before its effect.
    pub async fn send_durable(&self, change: Change) -> Result<Durable, StateError> {
        let (durable, answer) = oneshot::channel();
        self.enqueue(Envelope {
            change,
            durable: Some(durable),
        })
        .await?;
        Ok(Durable {
            answer,
            ending: self.ending.clone(),
        })
    }

    /// The error that ended the writer, if it has ended.
    pub fn failure(&self) -> Option<StateError> {
        self.ending.failure.get().cloned()
    }

    /// Commits everything that was sent, and ends. Blocks until then.
    pub fn close(mut self) -> Result<(), StateError> {
        self.join();
        self.failure().map_or(Ok(()), Err)
    }

    async fn enqueue(&self, envelope: Envelope) -> Result<(), StateError> {
        let (Some(sender), Some(thread)) = (&self.sender, &self.thread) else {
            return Err(self.ending.error());
        };
        let is_urgent = envelope.is_urgent();
        if sender.capacity() == 0 {
            thread.thread().unpark();
        }
        sender.send(envelope).await.map_err(|_| self.ending.error())?;
        if is_urgent {
            thread.thread().unpark();
        }
        Ok(())
    }

    fn join(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                let _ = self.ending.failure.set(self.ending.closed());
            }
        }
    }
}

impl Drop for StateWriter {
    fn drop(&mut self) {
        self.join();
    }
}

impl Durable {
    /// Returns when the change is on the disk, or with the error that ended the writer before.
    pub async fn wait(self) -> Result<(), StateError> {
        self.answer.await.map_err(|_| self.ending.error())
    }
}

impl Ending {
    fn error(&self) -> StateError {
        self.failure.get().cloned().unwrap_or_else(|| self.closed())
    }

    fn closed(&self) -> StateError {
        StateError::Closed {
            folder: self.folder.to_path_buf(),
        }
    }
}

/// Group commit: takes everything that waits, commits it as one, answers, and starts again. While one commit is at the disk the next one
/// gathers, so that an urgent change never waits for a timer: an idle writer answers within one flush. Changes without urgency gather for
/// a moment, which ends as soon as an urgent one arrives.
///
/// An error is put down before any sender or waiter can notice that this has ended.
fn write_all(mut committer: Committer, mut receiver: mpsc::Receiver<Envelope>, failure: &OnceLock<StateError>) {
    let mut envelopes = Vec::with_capacity(QUEUE_CHANGES);
    while receiver.blocking_recv_many(&mut envelopes, QUEUE_CHANGES) > 0 {
        if !envelopes.iter().any(Envelope::is_urgent) && !receiver.is_closed() {
            thread::park_timeout(GATHER);
            while envelopes.len() < 2 * QUEUE_CHANGES
                && let Ok(envelope) = receiver.try_recv()
            {
                envelopes.push(envelope);
            }
        }
        let mut waiting = Vec::new();
        let mut changes = Vec::with_capacity(envelopes.len());
        for envelope in envelopes.drain(..) {
            changes.push(envelope.change);
            waiting.extend(envelope.durable);
        }
        if let Err(error) = committer.commit(changes) {
            let _ = failure.set(error);
            return;
        }
        for durable in waiting {
            // The one who asked may have been stopped meanwhile.
            let _ = durable.send(());
        }
    }
}
