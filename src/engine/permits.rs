use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::resolve::ResolvedJob;

use super::adaptive::{AdaptiveLimit, AdaptivePermit};

/// KiB of buffer that one memory permit stands for is 1; a semaphore holds at most this many.
const MEMORY_PERMITS_MAX: u64 = 1 << 28;

/// The bounds that work in flight draws on: leaves of the concurrency tree, calls per connection, buffer memory.
pub struct Permits {
    /// The root of the tree; gives way to throttling.
    pub leaves: Arc<AdaptiveLimit>,
    connections: BTreeMap<String, Arc<Semaphore>>,
    pub memory: Semaphore,
    pub memory_permits: u32,
}

/// What one leaf holds while it works; given back on drop.
pub struct LeafPermit {
    _leaves: Vec<AdaptivePermit>,
    _connections: Vec<OwnedSemaphorePermit>,
}

impl Permits {
    pub fn new(job: &ResolvedJob) -> Self {
        let memory_permits = (job.limits.memory_bytes / 1024).clamp(1, MEMORY_PERMITS_MAX) as u32;
        let connections = job
            .connections
            .iter()
            .filter_map(|(name, config)| Some((name.clone(), Arc::new(Semaphore::new(config.limit?)))))
            .collect();
        Self {
            leaves: AdaptiveLimit::new(job.concurrency.leaves),
            connections,
            memory: Semaphore::new(memory_permits as usize),
            memory_permits,
        }
    }

    /// Waits for a leaf permit and one of each connection that the work talks to, always in the same order, so that two pieces of
    /// work never wait for each other.
    pub async fn leaf(&self, connections: [&str; 2]) -> LeafPermit {
        let [first, second] = connections;
        let (first, second) = if first <= second {
            (first, second)
        } else {
            (second, first)
        };
        let leaves = vec![self.leaves.acquire().await];
        let mut held = Vec::with_capacity(2);
        for name in std::iter::once(first).chain((first != second).then_some(second)) {
            if let Some(connection) = self.connections.get(name) {
                held.extend(Arc::clone(connection).acquire_owned().await);
            }
        }
        LeafPermit {
            _leaves: leaves,
            _connections: held,
        }
    }

    /// More leaf permits for the parts of a large file: as many of `wanted` as are free now, without waiting.
    pub fn extra_leaves(&self, wanted: usize) -> (usize, LeafPermit) {
        let leaves: Vec<AdaptivePermit> = std::iter::from_fn(|| self.leaves.try_acquire()).take(wanted).collect();
        let extra = leaves.len();
        let permit = LeafPermit {
            _leaves: leaves,
            _connections: Vec::new(),
        };
        (extra, permit)
    }
}
