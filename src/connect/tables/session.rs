use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::Failure;

/// Sessions that are kept for the next caller; how many are in use is the engine's to bound.
const IDLE_MAX: usize = 16;

/// The sessions of one database that nobody uses.
#[derive(Debug)]
pub struct Idle<S> {
    sessions: Arc<Mutex<Vec<S>>>,
}

impl<S> Idle<S> {
    pub fn take(&self) -> Option<S> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Ends it where enough are kept.
    pub fn keep(&self, session: S) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() < IDLE_MAX {
            sessions.push(session);
        }
    }
}

impl<S> Clone for Idle<S> {
    fn clone(&self) -> Self {
        Self {
            sessions: Arc::clone(&self.sessions),
        }
    }
}

impl<S> Default for Idle<S> {
    fn default() -> Self {
        Self {
            sessions: Arc::default(),
        }
    }
}

/// Waits for a session with a server.
///
/// # Errors
/// `database.connection` when none comes in time: a server that does not answer is as good as none.
pub async fn within<T>(
    timeout: Duration,
    host: &str,
    port: u16,
    connecting: impl Future<Output = T>,
) -> Result<T, Failure> {
    let session = tokio::time::timeout(timeout, connecting).await;
    session.map_err(|_| {
        Failure::transient(
            "database.connection",
            format!("no session with {host}:{port} within the connection's `timeout`"),
        )
    })
}
