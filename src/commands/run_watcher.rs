use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::engine::Meters;
use crate::model::{Phase, Progress, Timestamp};
use crate::monitor::{ProgressView, RateMeter, Snapshot, TableLog};
use crate::report::CommandLine;
use crate::state::{Holder, StatusFile};

/// How often `status.json` is replaced.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// How often the view is drawn anew.
const VIEW_EVERY: Duration = Duration::from_millis(200);

/// Shows a run while it goes on, and keeps `status.json` for other processes.
pub(super) struct Watcher {
    pub view: ProgressView,
    /// Absent where nothing is to be told.
    pub tables: Option<TableLog>,
    pub status: StatusFile,
    pub rates: RateMeter,
    pub holder: Holder,
    pub job: String,
    pub profile: String,
    pub command_line: CommandLine,
    pub meters: Arc<Meters>,
}

impl Watcher {
    pub async fn watch(
        mut self,
        mut progress: watch::Receiver<Progress>,
        mut notes: mpsc::UnboundedReceiver<&'static str>,
        mut end: watch::Receiver<bool>,
    ) {
        tokio::select! {
            // Without its number and its beginning there is nothing to be told of a run.
            _ = progress.wait_for(|progress| progress.run > 0) => {}
            _ = end.wait_for(|ended| *ended) => {}
        }
        let mut draw = tokio::time::interval(VIEW_EVERY);
        let mut write = tokio::time::interval(STATUS_EVERY);
        loop {
            tokio::select! {
                _ = end.wait_for(|ended| *ended) => break,
                Some(note) = notes.recv() => self.note(note),
                _ = draw.tick() => {
                    let snapshot = self.snapshot(&progress);
                    self.show(&snapshot);
                }
                _ = write.tick() => {
                    let snapshot = self.snapshot(&progress);
                    self.write(&snapshot);
                }
            }
        }
        while let Ok(note) = notes.try_recv() {
            self.note(note);
        }
        let mut snapshot = self.snapshot(&progress);
        snapshot.progress.phase = Phase::Ended;
        self.show(&snapshot);
        self.view.finish();
        self.write(&snapshot);
    }

    /// The status is for looking at: a run does not end because it cannot be looked at. A run that never began has none.
    fn write(&self, snapshot: &Snapshot) {
        if snapshot.progress.run > 0 {
            let _ = self.status.replace(snapshot);
        }
    }

    fn show(&mut self, snapshot: &Snapshot) {
        let news = self.tables.as_mut().map(|tables| tables.news(snapshot));
        for line in news.unwrap_or_default() {
            self.view.note(&line);
        }
        self.view.update(snapshot);
    }

    fn note(&mut self, note: &str) {
        let in_flight = self.meters.in_flight.load(Ordering::Relaxed);
        self.view.note(&format!("{note} ({in_flight} in flight)"));
    }

    fn snapshot(&mut self, progress: &watch::Receiver<Progress>) -> Snapshot {
        let now = Timestamp::now();
        let progress = progress.borrow().clone();
        let rates = self.rates.record(&progress, now);
        let command_line = self.command_line.clone();
        Snapshot::new(
            &self.job,
            &self.profile,
            command_line,
            self.holder.clone(),
            now,
            progress,
            rates,
        )
    }
}
