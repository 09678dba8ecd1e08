use std::time::Duration;

use crate::model::Failure;

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
