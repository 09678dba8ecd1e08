use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::model::{Event, Progress};
use crate::resolve::{KnownJob, ResolvedJob};
use crate::state::State;

use super::context::Meters;
use super::files::run_files;
use super::frame::{Frame, Lookers};
use super::outcome::{Fatal, RunReport};
use super::tables::run_tables;
use super::{RunHandle, RunOptions, Stop};

/// One execution of a job over an opened state.
pub struct Runner {
    job: ResolvedJob,
    state: State,
    options: RunOptions,
    stop: Stop,
    progress: watch::Sender<Progress>,
    meters: Arc<Meters>,
    feed: Option<broadcast::Sender<Event>>,
}

impl Runner {
    pub fn new(job: ResolvedJob, state: State, options: RunOptions, stop: Stop) -> Self {
        let (progress, _) = watch::channel(Progress::default());
        Self {
            job,
            state,
            options,
            stop,
            progress,
            meters: Arc::default(),
            feed: None,
        }
    }

    /// Everything that happens to items and units, as it happens.
    ///
    /// A bounded channel that never holds the run back: a receiver that is more than `capacity` events behind loses the oldest of them, and is
    /// told how many (`RecvError::Lagged`). It is closed when the run has come to its end.
    pub fn events(&mut self, capacity: usize) -> broadcast::Receiver<Event> {
        let feed = self.feed.get_or_insert_with(|| broadcast::channel(capacity.max(1)).0);
        feed.subscribe()
    }

    /// For asking how the run stands while it goes on, from anywhere.
    pub fn handle(&self) -> RunHandle {
        RunHandle::new(self.progress.subscribe(), Arc::clone(&self.meters), self.stop.clone())
    }

    /// Where the run stands: the latest at any moment, and a wake-up at each change.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Counters that are right at every moment, where progress is a little behind.
    pub fn meters(&self) -> Arc<Meters> {
        Arc::clone(&self.meters)
    }

    /// Runs the job to its end, or until it is stopped.
    ///
    /// # Errors
    /// Only what keeps the run as a whole from going on; failures of items and units are in the report.
    pub async fn run(self) -> Result<RunReport, Fatal> {
        let lookers = Lookers {
            progress: self.progress,
            meters: self.meters,
            feed: self.feed,
        };
        let frame = Frame::open(&self.job, self.state, self.options, self.stop, lookers).await?;
        match self.job.known() {
            KnownJob::Files(job) => run_files(job, frame).await,
            KnownJob::Tables(job) => run_tables(job, frame).await,
        }
    }
}
