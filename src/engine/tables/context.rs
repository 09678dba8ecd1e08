use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crate::connect::{Connections, Door, TableStore};
use crate::engine::breaker::Breaker;
use crate::engine::context::Meters;
use crate::engine::events::EventSink;
use crate::engine::health::Health;
use crate::engine::permits::Permits;
use crate::engine::{RunOptions, Stop, StopCause};
use crate::model::{Failure, ItemId, RetryPolicy, TableName};
use crate::resolve::TableJob;
use crate::stages::tables::{PlannedTable, open_sink, open_source};

use super::place::Schemas;

/// What every slot of a run shares.
pub struct TableContext {
    pub job: Arc<TableJob>,
    pub options: RunOptions,
    pub source: Arc<dyn TableStore>,
    pub sink: Arc<dyn TableStore>,
    /// Of both, in the order of their names.
    pub doors: Vec<Door>,
    pub permits: Permits,
    pub stop: Stop,
    pub events: EventSink,
    pub health: Arc<Health>,
    pub breaker: Breaker,
    pub meters: Arc<Meters>,
    /// The policy for chunks: the sink's own, else the source's, else the job's.
    pub retry: RetryPolicy,
    pub tables: HashMap<ItemId, PlannedTable>,
    pub schemas: Schemas,
    /// The table at the sink that chunks are noted in, where those that are there may stay.
    pub bookkeeping: Option<TableName>,
    /// The folder of the rows that the sink refused.
    pub rejects: PathBuf,
}

/// The two databases of a job, opened.
pub struct TableEnds {
    pub source: Arc<dyn TableStore>,
    pub sink: Arc<dyn TableStore>,
    pub doors: Vec<Door>,
}

impl TableEnds {
    /// # Errors
    /// The connection that could not be opened, and why.
    pub async fn open(job: &TableJob, connections: &Connections) -> Result<Self, (String, Failure)> {
        let (from, to) = (&job.work.source.connection, &job.work.sink.connection);
        let of = |name: &String| {
            let name = name.clone();
            move |failure: Failure| (name, failure)
        };
        let mut names = vec![from, to];
        names.sort_unstable();
        names.dedup();
        let doors: Result<Vec<Door>, _> = (names.into_iter())
            .map(|name| connections.door(name).map_err(of(name)))
            .collect();
        Ok(Self {
            source: open_source(&job.work.source, connections).await.map_err(of(from))?,
            sink: open_sink(&job.work.sink, connections).await.map_err(of(to))?,
            doors: doors?,
        })
    }
}

impl TableContext {
    /// Takes notice of a failure that ended a piece of work; stops the run when a connection denies one after the other.
    pub fn note_failure(&self, failure: &Failure) {
        self.health.exhausted(failure);
        if self.breaker.failure(failure) {
            self.stop.drain(StopCause::Denied(failure.clone()));
        }
    }
}

/// The policy for a job's chunks.
pub fn chunk_policy(job: &TableJob) -> RetryPolicy {
    let of = |name: &str| job.connection(name).retry.clone();
    of(&job.work.sink.connection)
        .or_else(|| of(&job.work.source.connection))
        .unwrap_or_else(|| job.retry.clone())
}

/// By connection, the stage whose work goes to it.
pub fn stages(job: &TableJob) -> BTreeMap<String, String> {
    let ends = [&job.work.source.connection, &job.work.sink.connection];
    ends.into_iter().map(|name| (name.clone(), "data".to_owned())).collect()
}
