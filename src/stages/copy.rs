use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::connect::{ByteStream, ObjectWriter, Paces, Precondition, Store, WriteRequest, further_parts, paced};
use crate::model::{ContentHash, Failure, HashKind, ObjectVersion};
use crate::plan::drifted;

use super::Hasher;

/// One object to be copied.
pub struct CopyRequest<'a> {
    pub source: &'a dyn Store,
    pub sink: &'a dyn Store,
    /// The name at the source.
    pub from: &'a str,
    /// The name at the sink.
    pub to: &'a str,
    /// The size that the list announced: another one at the source is a failure.
    pub announced_size: Option<u64>,
    /// The version that a plan was made for: another one is left alone.
    pub planned_version: Option<ObjectVersion>,
    pub precondition: Precondition,
    pub hash: HashKind,
    /// Bytes of one part of a large object.
    pub part_size: u64,
    /// Asked once, when the object turns out to be large: how many more parts may be in flight, and what holds the room for them.
    pub extra_parts: &'a (dyn Fn() -> (usize, Room) + Sync),
    /// The turns of parts behind the first.
    pub part_paces: &'a Paces,
    /// How fast bytes may be read.
    pub byte_paces: &'a Paces,
    /// A permit is one KiB of buffer; taken before bytes are read.
    pub memory: &'a Semaphore,
    /// Permits there are in all: no object may wait for more.
    pub memory_permits: u32,
    /// Counts bytes as they are read.
    pub meter: &'a AtomicU64,
    /// Ends the copy where it stands; what was written is discarded.
    pub abort: &'a CancellationToken,
}

/// Keeps room for parts until it is dropped.
pub type Room = Box<dyn Send>;

/// A copied object.
#[derive(Clone, Debug, PartialEq)]
pub struct Copied {
    /// Bytes.
    pub size: u64,
    pub hash: Option<ContentHash>,
}

/// Copies one object as a stream: hash on the way, length checked, metadata carried over, visible at the sink whole or not at all.
pub async fn copy(request: &CopyRequest<'_>) -> Result<Copied, Failure> {
    // An end that does not answer must not hold an abort back: nothing is written yet that would have to be taken away. Only what has to wait
    // listens for an abort.
    let (stream, mut writer, _held) = tokio::select! {
        biased;
        opened = open(request) => opened?,
        () = request.abort.cancelled() => return Err(Failure::cancelled()),
    };
    let transferred = tokio::select! {
        biased;
        transferred = transfer(request, stream, writer.as_mut()) => transferred,
        () = request.abort.cancelled() => Err(Failure::cancelled()),
    };
    match transferred {
        Ok((size, hash)) => Ok(Copied { size, hash }),
        Err(failure) => {
            writer.abort().await;
            Err(failure)
        }
    }
}

/// What a copy holds while it goes on: memory, and room for the parts of a large object.
type Held<'a> = (SemaphorePermit<'a>, Option<Room>);

/// Both ends, and the memory for what lies between them.
async fn open<'a>(request: &CopyRequest<'a>) -> Result<(ByteStream, Box<dyn ObjectWriter>, Held<'a>), Failure> {
    let (info, stream) = request
        .source
        .read(request.from, None)
        .await
        .map_err(|failure| failure.context("source"))?;
    if let Some(announced) = request.announced_size
        && announced != info.size
    {
        return Err(Failure::data(
            "source.size_differs",
            format!("the list announced {announced} bytes, the source holds {}", info.size),
        ));
    }
    if request
        .planned_version
        .is_some_and(|planned| info.version() != Some(planned))
    {
        return Err(drifted("the source has changed"));
    }
    let is_large = info.size > request.part_size;
    let (parts, room) = if is_large {
        let (extra, room) = (request.extra_parts)();
        (1 + extra, Some(room))
    } else {
        (1, None)
    };
    let memory = request
        .memory
        .acquire_many(memory_permits(
            info.size,
            request.part_size,
            parts,
            request.memory_permits,
        ))
        .await
        .map_err(|_| Failure::cancelled())?;

    let writer = request
        .sink
        .write(WriteRequest {
            name: request.to,
            size: info.size,
            metadata: &info.metadata,
            precondition: request.precondition,
            part_size: usize::try_from(request.part_size).unwrap_or(usize::MAX),
            parts,
        })
        .await
        .map_err(|failure| failure.context("sink"))?;
    let stream = paced(stream, info.size, request.byte_paces.clone());
    Ok((stream, writer, (memory, room)))
}

async fn transfer(
    request: &CopyRequest<'_>,
    mut stream: ByteStream,
    writer: &mut dyn ObjectWriter,
) -> Result<(u64, Option<ContentHash>), Failure> {
    let mut hasher = Hasher::new(request.hash);
    let mut size = 0;
    while let Some(bytes) = stream.try_next().await.map_err(|failure| failure.context("source"))? {
        // A source that always has something never waits.
        if request.abort.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let before = size;
        size += bytes.len() as u64;
        let parts = further_parts(before, size, request.part_size);
        request.part_paces.take(parts).await;
        hasher.update(&bytes);
        request.meter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        writer.write(bytes).await.map_err(|failure| failure.context("sink"))?;
    }
    writer.close().await.map_err(|failure| failure.context("sink"))?;
    Ok((size, hasher.finish()))
}

/// KiB that a copy may hold at once: the whole of a small object; of a large one the parts in flight, one being filled and one
/// being read. Never more than there is, so that no copy waits for ever.
fn memory_permits(size: u64, part_size: u64, parts: usize, available: u32) -> u32 {
    let bytes = size.min(part_size.saturating_mul(parts as u64 + 2));
    u32::try_from(bytes.div_ceil(1024))
        .unwrap_or(u32::MAX)
        .clamp(1, available.max(1))
}

#[cfg(test)]
mod tests {
    use super::memory_permits;

    #[test]
    fn memory_is_bounded_by_the_parts_and_by_what_there_is() {
        const MIB: u64 = 1 << 20;
        assert_eq!(memory_permits(0, 8 * MIB, 1, 1 << 18), 1);
        assert_eq!(memory_permits(16 * 1024, 8 * MIB, 1, 1 << 18), 16);
        assert_eq!(memory_permits(1024 * MIB, 8 * MIB, 4, 1 << 18), 48 * 1024);
        assert_eq!(memory_permits(u64::MAX, 8 * MIB, 4, 100), 100);
    }
}
