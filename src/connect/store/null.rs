use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;

use super::name::NameRules;
use super::{ByteStream, ObjectInfo, ObjectStream, ObjectWriter, Store, WriteRequest, exact};
use crate::model::{Failure, FailureClass};

/// A store that takes every object and keeps none: for measuring a source, or the engine alone.
///
/// It holds to the contract of writing (a body of another length than announced is refused), so that a copy into it proves what a copy
/// elsewhere would have read.
pub(in crate::connect) struct NullStore;

impl Store for NullStore {
    /// A listing is no question to anybody, and so is cheaper than one look for each name.
    fn lists_by_prefix(&self) -> bool {
        true
    }

    fn lists_in_order(&self) -> bool {
        true
    }

    /// Nothing ever stands there, so the condition always holds.
    fn writes_conditionally(&self) -> bool {
        true
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        NameRules::MEMORY.check(name)
    }

    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>> {
        Box::pin(async move { self.check_name(name).map(|()| None) })
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        _range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>> {
        Box::pin(async move {
            self.check_name(name)?;
            Err(Failure::new(
                FailureClass::NotFound,
                "store.not_found",
                format!("cannot read `{name}`: a store of kind `null` keeps nothing"),
            ))
        })
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        Box::pin(async move {
            self.check_name(request.name)?;
            let writer = NullWriter {
                name: request.name.to_owned(),
                size: request.size,
                seen: 0,
            };
            Ok(Box::new(writer) as Box<dyn ObjectWriter>)
        })
    }

    fn list<'a>(&'a self, _prefix: &'a str, _after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        Box::pin(async { Ok(futures::stream::empty().boxed()) })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { self.check_name(name) })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

/// Counts the bytes it is given.
struct NullWriter {
    name: String,
    size: u64,
    seen: u64,
}

impl ObjectWriter for NullWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            self.seen += bytes.len() as u64;
            if self.seen > self.size {
                return Err(exact::too_long(&self.name, self.size));
            }
            Ok(())
        })
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            if self.seen != self.size {
                return Err(exact::too_short(&self.name, self.seen, self.size));
            }
            Ok(())
        })
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::super::{ObjectMetadata, Precondition};
    use super::*;

    async fn write(name: &str, size: u64, body: &'static [u8]) -> Result<(), Failure> {
        let metadata = ObjectMetadata::default();
        let request = WriteRequest {
            name,
            size,
            metadata: &metadata,
            precondition: Precondition::Absent,
            part_size: 1 << 20,
            parts: 1,
        };
        let mut writer = NullStore.write(request).await?;
        writer.write(Bytes::from_static(body)).await?;
        writer.close().await
    }

    #[tokio::test]
    async fn what_was_written_is_not_there() {
        write("a/b.bin", 4, b"1234").await.unwrap();
        write("a/b.bin", 4, b"1234").await.unwrap();
        assert_eq!(NullStore.stat("a/b.bin").await.unwrap(), None);
        let listed: Vec<ObjectInfo> = NullStore.list("", None).await.unwrap().try_collect().await.unwrap();
        assert_eq!(listed, []);
        assert_eq!(
            NullStore.read("a/b.bin", None).await.err().unwrap().code,
            "store.not_found"
        );
        NullStore.delete("a/b.bin").await.unwrap();
    }

    #[tokio::test]
    async fn a_body_of_another_length_and_a_bad_name_are_refused() {
        assert_eq!(write("a", 5, b"1234").await.unwrap_err().code, "source.short");
        assert_eq!(write("a", 3, b"1234").await.unwrap_err().code, "source.long");
        assert_eq!(write("../a", 4, b"1234").await.unwrap_err().code, "name.parent_folder");
    }
}
