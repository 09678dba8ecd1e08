use std::sync::atomic::AtomicU64;

use futures::TryStreamExt;
use tokio_util::sync::CancellationToken;

use crate::connect::{ByteStream, Store};
use crate::model::{ContentHash, Failure, HashKind};

use super::Hasher;

/// What a comparison of source and sink found.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// The same bytes at both ends.
    Equal {
        size: u64,
        hash: Option<ContentHash>,
    },
    Different {
        sink_size: u64,
    },
    /// Nothing stands at the sink (any more).
    Absent,
}

/// Compares an object at the sink with its source byte for byte, by reading both.
///
/// Asked only about objects whose writing was begun and whose outcome is not known, so at most as many as were in flight at once.
/// Hashes with SHA-256 where the spec asks for no hash: sizes alone do not tell whose an object is.
pub async fn compare(
    source: &dyn Store,
    from: &str,
    sink: &dyn Store,
    to: &str,
    kind: HashKind,
    meter: &AtomicU64,
    abort: &CancellationToken,
) -> Result<Comparison, Failure> {
    let Some(there) = sink.stat(to).await.map_err(|failure| failure.context("sink"))? else {
        return Ok(Comparison::Absent);
    };
    let (info, source_bytes) = source
        .read(from, None)
        .await
        .map_err(|failure| failure.context("source"))?;
    if info.size != there.size {
        return Ok(Comparison::Different { sink_size: there.size });
    }
    let (_, sink_bytes) = sink.read(to, None).await.map_err(|failure| failure.context("sink"))?;
    let hashed_as = if kind == HashKind::None { HashKind::Sha256 } else { kind };
    let uncounted = AtomicU64::new(0);
    let both = async {
        futures::try_join!(
            hash(source_bytes, hashed_as, meter),
            hash(sink_bytes, hashed_as, &uncounted)
        )
    };
    let (source_hash, sink_hash) = tokio::select! {
        biased;
        () = abort.cancelled() => return Err(Failure::cancelled()),
        both = both => both?,
    };
    if source_hash != sink_hash {
        return Ok(Comparison::Different { sink_size: there.size });
    }
    Ok(Comparison::Equal {
        size: there.size,
        hash: if kind == HashKind::None { None } else { source_hash },
    })
}

/// Reads a stream to its end for its hash.
pub(super) async fn hash(
    mut bytes: ByteStream,
    kind: HashKind,
    meter: &AtomicU64,
) -> Result<Option<ContentHash>, Failure> {
    let mut hasher = Hasher::new(kind);
    while let Some(chunk) = bytes.try_next().await? {
        meter.fetch_add(chunk.len() as u64, std::sync::atomic::Ordering::Relaxed);
        hasher.update(&chunk);
    }
    Ok(hasher.finish())
}
