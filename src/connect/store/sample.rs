use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;

use super::name::NameRules;
use super::{ByteStream, ObjectInfo, ObjectMetadata, ObjectStream, ObjectWriter, Store, WriteRequest};
use crate::model::{Failure, FailureClass, parse_size};

/// Generated objects: every path can be read, and its size and bytes follow from the path and the seed alone.
///
/// | dot-separated segment of the file name | meaning |
/// |---|---|
/// | a size with a unit (`a.64MiB.bin`) | exactly that size |
/// | `empty` | no bytes |
/// | `missing` | no such object |
/// | none of these | a size below `size_max` drawn from the path; one in fifty is empty |
pub(in crate::connect) struct SampleStore {
    seed: u64,
    size_max: u64,
}

/// Bytes of one generated piece.
const PIECE_BYTES: u64 = 256 << 10;

/// One object in so many is empty.
const EMPTY_ONE_IN: u64 = 50;

impl SampleStore {
    pub(in crate::connect) fn new(seed: u64, size_max: u64) -> Self {
        Self { seed, size_max }
    }

    fn find(&self, name: &str) -> Option<(ObjectInfo, u64)> {
        let key = self.key(name);
        let size = self.size(name, key)?;
        let info = ObjectInfo {
            name: name.to_owned(),
            size,
            etag: Some(format!("\"{key:016x}\"")),
            modified: None,
            metadata: ObjectMetadata {
                content_type: content_type(name).map(str::to_owned),
                ..ObjectMetadata::default()
            },
        };
        Some((info, key))
    }

    /// FNV-1a over the path, stirred with the seed; it has to stay the same in all versions, so it is no library's hash.
    fn key(&self, name: &str) -> u64 {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        word(hash ^ self.seed.rotate_left(32), 0)
    }

    fn size(&self, name: &str, key: u64) -> Option<u64> {
        let file_name = name.rsplit('/').next().unwrap_or(name);
        for segment in file_name.split('.') {
            match segment {
                "missing" => return None,
                "empty" => return Some(0),
                _ if segment.ends_with('B') && segment.starts_with(|first: char| first.is_ascii_digit()) => {
                    if let Ok(size) = parse_size(segment) {
                        return Some(size);
                    }
                }
                _ => {}
            }
        }
        if key.is_multiple_of(EMPTY_ONE_IN) {
            return Some(0);
        }
        (key / EMPTY_ONE_IN).checked_rem(self.size_max).or(Some(0))
    }

    fn open(&self, name: &str, range: Option<Range<u64>>) -> Result<(ObjectInfo, ByteStream), Failure> {
        self.check_name(name)?;
        let (info, key) = self.find(name).ok_or_else(|| {
            Failure::new(
                FailureClass::NotFound,
                "store.not_found",
                format!("cannot read `{name}`: there is no such object"),
            )
        })?;
        let range = range.unwrap_or(0..info.size);
        if range.end > info.size || range.start > range.end {
            return Err(super::exact::too_short(name, info.size, range.end));
        }
        let body = futures::stream::iter(pieces(key, range)).map(Ok).boxed();
        Ok((info, body))
    }
}

impl Store for SampleStore {
    fn lists_by_prefix(&self) -> bool {
        false
    }

    fn lists_in_order(&self) -> bool {
        false
    }

    fn writes_conditionally(&self) -> bool {
        false
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        NameRules::MEMORY.check(name)
    }

    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>> {
        Box::pin(async move {
            self.check_name(name)?;
            Ok(self.find(name).map(|(info, _)| info))
        })
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>> {
        Box::pin(async move { self.open(name, range) })
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        let failure = unable("be written to", request.name);
        Box::pin(async move { Err(failure) })
    }

    fn list<'a>(&'a self, prefix: &'a str, _after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        Box::pin(async move { Err(unable("be listed, as every name exists", prefix)) })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { Err(unable("be deleted from", name)) })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

fn unable(what: &str, name: &str) -> Failure {
    Failure::permanent(
        "store.unsupported",
        format!("`{name}`: a store of kind `sample` cannot {what}; use a connection of another kind"),
    )
}

/// The bytes of a range, piece by piece.
fn pieces(key: u64, range: Range<u64>) -> impl Iterator<Item = Bytes> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        if start >= range.end {
            return None;
        }
        let end = range.end.min(start + PIECE_BYTES);
        let piece = generate(key, start..end);
        start = end;
        Some(piece)
    })
}

/// Word number n of an object is a function of key and n, so that any range can be had without what lies before it.
fn generate(key: u64, range: Range<u64>) -> Bytes {
    const WORD_BYTES: u64 = 8;
    let first = range.start / WORD_BYTES;
    let last = range.end.div_ceil(WORD_BYTES);
    let mut bytes = Vec::with_capacity(((last - first) * WORD_BYTES) as usize);
    for index in first..last {
        bytes.extend_from_slice(&word(key, index).to_le_bytes());
    }
    let skipped = (range.start % WORD_BYTES) as usize;
    let length = (range.end - range.start) as usize;
    Bytes::from(bytes).slice(skipped..skipped + length)
}

/// SplitMix64 (Steele, Lea, Flood 2014), entered at any step.
fn word(key: u64, index: u64) -> u64 {
    let mut mixed = key.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn content_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let content_type = match extension {
        "bin" => "application/octet-stream",
        "csv" => "text/csv",
        "html" => "text/html",
        "jpg" | "jpeg" => "image/jpeg",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "txt" | "log" => "text/plain",
        "zip" => "application/zip",
        _ => return None,
    };
    Some(content_type)
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    const STORE: SampleStore = SampleStore {
        seed: 7,
        size_max: 1 << 20,
    };

    async fn bytes(store: &SampleStore, name: &str, range: Option<Range<u64>>) -> Vec<u8> {
        let (_, body) = store.read(name, range).await.unwrap();
        let pieces: Vec<Bytes> = body.try_collect().await.unwrap();
        pieces.concat()
    }

    #[tokio::test]
    async fn bytes_follow_from_path_and_seed_and_ranges_are_cut_from_the_whole() {
        let whole = bytes(&STORE, "a/b.600KiB.bin", None).await;
        assert_eq!(whole.len(), 600 << 10);
        assert_eq!(whole, bytes(&STORE, "a/b.600KiB.bin", None).await);
        assert_eq!(
            &whole[5..300_003],
            bytes(&STORE, "a/b.600KiB.bin", Some(5..300_003)).await
        );
        assert_ne!(whole, bytes(&STORE, "a/c.600KiB.bin", None).await);
        let other = SampleStore::new(8, 1 << 20);
        assert_ne!(whole, bytes(&other, "a/b.600KiB.bin", None).await);
    }

    #[tokio::test]
    async fn the_name_decides_the_size() {
        let size = async |name| STORE.stat(name).await.unwrap().map(|info| info.size);
        assert_eq!(size("x.64MiB.bin").await, Some(64 << 20));
        assert_eq!(size("x.empty.bin").await, Some(0));
        assert_eq!(size("x.missing.bin").await, None);
        assert!(
            size("x.64.bin").await.unwrap() < 1 << 20,
            "a number without a unit is no size"
        );
        let mut empty = 0;
        for number in 0..1_000 {
            let info = STORE.stat(&format!("{number}.bin")).await.unwrap();
            empty += u64::from(info.unwrap().size == 0);
        }
        assert!((5..60).contains(&empty), "{empty} of 1,000 are empty");
    }

    #[tokio::test]
    async fn what_it_cannot_do_is_a_failure() {
        assert_eq!(
            STORE.read("a.missing", None).await.err().unwrap().code,
            "store.not_found"
        );
        assert_eq!(STORE.list("", None).await.err().unwrap().code, "store.unsupported");
        assert_eq!(STORE.read("../a", None).await.err().unwrap().code, "name.parent_folder");
    }
}
