use std::time::Duration;

use super::Speed;

/// What happens to an object that is already at the sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SinkMode {
    /// It must not be there: one that is fails the unit.
    Create,
    /// It is left alone and counts as present.
    #[default]
    Skip,
    /// It is written over.
    Overwrite,
    /// It is written over when its size differs or the source is newer.
    OverwriteIfDifferent,
}

impl SinkMode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Skip => "skip",
            Self::Overwrite => "overwrite",
            Self::OverwriteIfDifferent => "overwrite_if_different",
        }
    }
}

/// How often and how patiently a unit is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// The first attempt counts: 3 means at most two repetitions. At least 1.
    pub max_attempts: u32,
    pub initial_delay: Duration,
    pub max_delay: Duration,
    /// Each delay is the one before times this. At least 1.
    pub multiplier: f64,
    /// Draw each delay at random between half of it and the whole.
    pub jitter: bool,
    /// How long a connection that is gone is waited for before the run ends.
    pub outage: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(60),
            multiplier: 2.0,
            jitter: true,
            outage: Duration::from_secs(300),
        }
    }
}

/// The concurrency tree. What a node says holds per instance of its parent; all limits are at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    /// Leaf work (copies, parts, queries) in flight in the whole run.
    pub leaves: usize,
    /// Item slots.
    pub items: usize,
    /// Units at once in each slot.
    pub units: usize,
    /// Parts at once in each large file.
    pub parts: usize,
    pub speeds: NodeSpeeds,
}

/// How fast each node of the concurrency tree may go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeSpeeds {
    /// Leaf work of the whole run.
    pub leaves: Speed,
    /// Items begun in the whole run, and the bytes of all of them.
    pub items: Speed,
    /// Units begun in each item, and the bytes of each item.
    pub units: Speed,
    /// Parts begun in each large file, and the bytes of each file.
    pub parts: Speed,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self {
            leaves: 64,
            items: 4,
            units: 16,
            parts: 4,
            speeds: NodeSpeeds::default(),
        }
    }
}

/// Bounds of the run as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all copy buffers together may hold.
    pub memory_bytes: u64,
    /// Time between two progress lines when there is no terminal.
    pub progress_every: Duration,
    /// Tables between two summaries of a job of tables.
    pub summary_every: u64,
    /// Units in one page of an item.
    pub page_units: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            progress_every: Duration::from_secs(10),
            summary_every: 10,
            page_units: 1_024,
        }
    }
}
