use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connect::{Door, Paces, Pass};
use crate::model::{Failure, NodeSpeeds};
use crate::resolve::ResolvedJob;

/// KiB of buffer that one memory permit stands for is 1; a semaphore holds at most this many.
const MEMORY_PERMITS_MAX: u64 = 1 << 28;

/// The bounds that all work in flight draws on: leaves of the concurrency tree, the speeds of its two nodes that the whole run shares, buffer
/// memory. What a connection bounds stands at its door.
pub struct Permits {
    leaves: Arc<Semaphore>,
    leaf_rate: Paces,
    item_rate: Paces,
    bytes: Paces,
    speeds: NodeSpeeds,
    pub memory: Semaphore,
    pub memory_permits: u32,
}

/// The speeds that hold for one item, and behind them those of the whole run.
#[derive(Clone, Debug, Default)]
pub struct ItemPaces {
    rate: Paces,
    bytes: Paces,
}

/// The speeds that hold for one file, and behind them those of its item and of the whole run.
#[derive(Clone, Debug)]
pub struct FilePaces {
    /// Of parts behind the first.
    pub parts: Paces,
    pub bytes: Paces,
}

/// What one leaf holds while it works; given back on drop.
pub struct LeafPermit {
    _leaves: Option<OwnedSemaphorePermit>,
    _passes: Vec<Pass>,
}

impl Permits {
    pub fn new<W>(job: &ResolvedJob<W>) -> Self {
        let memory_permits = (job.limits.memory_bytes / 1024).clamp(1, MEMORY_PERMITS_MAX) as u32;
        let speeds = job.concurrency.speeds;
        let bytes = |bandwidth: Option<u64>| Paces::of(bandwidth.map(|bytes| bytes as f64));
        Self {
            leaves: Arc::new(Semaphore::new(job.concurrency.leaves)),
            leaf_rate: Paces::of(speeds.leaves.rate),
            item_rate: Paces::of(speeds.items.rate),
            bytes: bytes(speeds.items.bandwidth).within(&bytes(speeds.leaves.bandwidth)),
            speeds,
            memory: Semaphore::new(memory_permits as usize),
            memory_permits,
        }
    }

    /// The speeds of one item: every item has its own.
    pub fn item(&self) -> ItemPaces {
        let units = self.speeds.units;
        ItemPaces {
            rate: Paces::of(units.rate),
            bytes: Paces::of(units.bandwidth.map(|bytes| bytes as f64)).within(&self.bytes),
        }
    }

    /// The speeds of one file of an item.
    pub fn file(&self, item: &ItemPaces) -> FilePaces {
        let parts = self.speeds.parts;
        FilePaces {
            parts: Paces::of(parts.rate).within(&self.leaf_rate),
            bytes: Paces::of(parts.bandwidth.map(|bytes| bytes as f64)).within(&item.bytes),
        }
    }

    /// Waits for the turn of one more item.
    pub async fn item_turn(&self) {
        self.item_rate.take(1).await;
    }

    /// Waits until a unit of an item may be begun.
    pub async fn unit_turn(&self, item: &ItemPaces) {
        item.rate.take(1).await;
    }

    /// Waits for passes of all doors, which are in the same order everywhere, so that two pieces of work never wait for each other, then for a
    /// leaf permit, and last for the turns: what has had its turn begins.
    ///
    /// # Errors
    /// `run.cancelled` as soon as nothing new may begin.
    pub async fn leaf(&self, doors: &[Door]) -> Result<LeafPermit, Failure> {
        let mut passes = Vec::with_capacity(doors.len());
        for door in doors {
            passes.push(door.permit().await?);
        }
        // The semaphore is never closed, so that there always is a permit.
        let leaf = Arc::clone(&self.leaves).acquire_owned().await.ok();
        for door in doors {
            door.turn().await?;
        }
        self.leaf_rate.take(1).await;
        Ok(LeafPermit {
            _leaves: leaf,
            _passes: passes,
        })
    }

    /// More leaf permits for the parts of a large file, and passes of the door that they go through: as many of `wanted` as are free now,
    /// without waiting.
    pub fn extra_leaves(&self, wanted: usize, door: &Door) -> (usize, LeafPermit) {
        let mut leaves: Option<OwnedSemaphorePermit> = None;
        let mut passes = Vec::new();
        while passes.len() < wanted {
            let Ok(leaf) = Arc::clone(&self.leaves).try_acquire_owned() else {
                break;
            };
            let Some(pass) = door.try_permit() else { break };
            passes.push(pass);
            match &mut leaves {
                Some(leaves) => leaves.merge(leaf),
                None => leaves = Some(leaf),
            }
        }
        let extra = passes.len();
        let permit = LeafPermit {
            _leaves: leaves,
            _passes: passes,
        };
        (extra, permit)
    }
}
