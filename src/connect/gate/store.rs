use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::stream::{asked, noted};
use super::{Door, Pass, further_parts, paced};
use crate::connect::{ByteStream, ObjectInfo, ObjectStream, ObjectWriter, PartialOwner, Store, WriteRequest};
use crate::model::Failure;

/// A store whose calls pass its gate.
pub(in crate::connect) struct GatedStore {
    inner: Arc<dyn Store>,
    door: Door,
    /// The caller holds a pass for whatever it does.
    is_inside: bool,
}

impl GatedStore {
    /// For callers that hold no pass: each call takes one.
    pub fn new(inner: Arc<dyn Store>, door: Door) -> Self {
        Self {
            inner,
            door,
            is_inside: false,
        }
    }

    /// For callers that hold a pass.
    pub fn inside(inner: Arc<dyn Store>, door: Door) -> Self {
        Self {
            inner,
            door,
            is_inside: true,
        }
    }

    async fn pass(&self) -> Result<Option<Pass>, Failure> {
        match self.is_inside {
            true => Ok(None),
            false => self.door.enter().await.map(Some),
        }
    }
}

impl Store for GatedStore {
    fn lists_by_prefix(&self) -> bool {
        self.inner.lists_by_prefix()
    }

    fn lists_in_order(&self) -> bool {
        self.inner.lists_in_order()
    }

    fn writes_conditionally(&self) -> bool {
        self.inner.writes_conditionally()
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        self.inner.check_name(name)
    }

    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>> {
        Box::pin(async move {
            let _pass = self.pass().await?;
            self.door.note(self.inner.stat(name).await)
        })
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>> {
        Box::pin(async move {
            let _pass = self.pass().await?;
            let length = range.as_ref().map(|range| range.end.saturating_sub(range.start));
            let (info, bytes) = self.door.note(self.inner.read(name, range).await)?;
            let bytes = paced(bytes, length.unwrap_or(info.size), self.door.bandwidth().clone());
            let door = self.door.clone();
            let bytes = if self.is_inside {
                noted(bytes, door)
            } else {
                asked(bytes, door)
            };
            Ok((info, bytes))
        })
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        Box::pin(async move {
            let pass = self.pass().await?;
            let part_size = request.part_size as u64;
            let inner = self.door.note(self.inner.write(request).await)?;
            Ok(Box::new(GatedWriter {
                inner,
                door: self.door.clone(),
                part_size,
                written: 0,
                _pass: pass,
            }) as Box<dyn ObjectWriter>)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        Box::pin(async move {
            let _pass = self.pass().await?;
            let objects = self.door.note(self.inner.list(prefix, after).await)?;
            let door = self.door.clone();
            Ok(if self.is_inside {
                noted(objects, door)
            } else {
                asked(objects, door)
            })
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let _pass = self.pass().await?;
            self.door.note(self.inner.delete(name).await)
        })
    }

    fn remove_partials<'a>(
        &'a self,
        is_over: &'a (dyn Fn(&PartialOwner) -> bool + Sync),
    ) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            let _pass = self.pass().await?;
            self.door.note(self.inner.remove_partials(is_over).await)
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.inner.probe()
    }
}

/// Writes no faster than the connection takes bytes, and begins parts no faster than it takes calls.
struct GatedWriter {
    inner: Box<dyn ObjectWriter>,
    door: Door,
    part_size: u64,
    written: u64,
    _pass: Option<Pass>,
}

impl ObjectWriter for GatedWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let length = bytes.len() as u64;
            self.door.bandwidth().take(length).await;
            let begun = further_parts(self.written, self.written + length, self.part_size);
            self.door.rate().take(begun).await;
            self.written += length;
            match self.inner.write(bytes).await {
                Ok(()) => Ok(()),
                failed => self.door.note(failed),
            }
        })
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.door.note(self.inner.close().await) })
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        self.inner.abort()
    }
}
