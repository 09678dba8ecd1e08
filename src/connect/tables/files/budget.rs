use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::Failure;

/// Files that are encoded or decoded at once, where the machine has as many cores.
const FILES_MAX: usize = 8;

/// Encoded bytes that all groups of rows under way may have together.
const GROUPS_BYTES_MAX: usize = 8 << 20;

/// Encoded bytes at which a group of rows ends at the latest: with larger ones a file is no sooner there, and its pages wait in memory.
const GROUP_BYTES_MAX: usize = 3 << 20;

/// How many files of one store are worked on at once: as many as there are cores to do it, because each holds a group of rows, or pages of
/// all of its columns, in memory.
#[derive(Clone, Debug)]
pub struct Budget {
    encoders: Arc<Semaphore>,
    decoders: Arc<Semaphore>,
    /// Encoded bytes at which a group of rows ends.
    pub group_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let files = cores.clamp(2, FILES_MAX);
        Self {
            encoders: Arc::new(Semaphore::new(files)),
            decoders: Arc::new(Semaphore::new(files)),
            group_bytes: (GROUPS_BYTES_MAX / files).min(GROUP_BYTES_MAX),
        }
    }
}

impl Budget {
    /// Held while rows become a file.
    pub async fn encoder(&self) -> Result<OwnedSemaphorePermit, Failure> {
        take(&self.encoders).await
    }

    /// Held while a file becomes rows. Who writes files from files has one of these first, and so none waits for the other in a circle.
    pub async fn decoder(&self) -> Result<OwnedSemaphorePermit, Failure> {
        take(&self.decoders).await
    }
}

async fn take(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Failure> {
    let permit = Arc::clone(semaphore).acquire_owned().await;
    permit.map_err(|_| Failure::cancelled())
}
