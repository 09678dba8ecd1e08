use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tokio::time::{sleep, timeout};

use crate::connect::TableStore;
use crate::model::Failure;

/// Finds out that a database is gone which still holds its connections: one that is frozen, or behind a network that swallows everything.
///
/// A statement may rightly take hours and say nothing meanwhile. So nothing is given up because it takes long, but when the database does not
/// answer anybody else either.
#[derive(Clone)]
pub(super) struct Watch {
    database: Arc<dyn TableStore>,
    /// How long it may say nothing before it is asked, and how long it may take to answer then.
    patience: Duration,
}

impl Watch {
    pub fn new(database: Arc<dyn TableStore>, patience: Duration) -> Self {
        Self { database, patience }
    }

    /// # Errors
    /// Of the work; `database.connection` when the database is gone.
    pub async fn over<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                gone = self.silence() => {
                    if let Some(failure) = gone {
                        return Err(failure);
                    }
                }
            }
        }
    }

    /// Watches over each piece of a stream, which ends with the failure when the database is gone.
    pub fn over_all<T: Send + 'static>(
        &self,
        stream: impl Stream<Item = Result<T, Failure>> + Send + 'static,
    ) -> BoxStream<'static, Result<T, Failure>> {
        let state = Some((stream.boxed(), self.clone()));
        futures::stream::unfold(state, |state| async move {
            let (mut stream, watch) = state?;
            match watch.over(async { stream.next().await.transpose() }).await {
                Ok(next) => next.map(|next| (Ok(next), Some((stream, watch)))),
                Err(failure) => Some((Err(failure), None)),
            }
        })
        .boxed()
    }

    /// Waits, and then asks; the failure when nobody answers.
    async fn silence(&self) -> Option<Failure> {
        sleep(self.patience).await;
        match timeout(self.patience, self.database.probe()).await {
            Ok(Err(failure)) if failure.code == "database.connection" => Some(failure),
            Ok(_) => None,
            Err(_) => {
                let message = "the database has said nothing for as long as the connection's `timeout`, and answers nobody else either";
                Some(Failure::transient("database.connection", message))
            }
        }
    }
}
