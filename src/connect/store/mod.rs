//! Stores: objects by name, read and written as streams.
//!
//! What the engine sees of a store is the trait below and nothing else. Object stores go through OpenDAL (`object/`). Folders
//! have a store of their own (`fs/`), because there the number of system calls and thread hand-overs per file is what a copy costs; so
//! have web servers (`web/`) and SFTP (`sftp/`), where OpenDAL would gather whole bodies in memory, show unfinished files under their
//! final names, and could not write under a condition.

mod exact;
mod fs;
mod meaning;
mod name;
mod null;
pub(super) mod object;
mod partial;
mod sample;
mod sftp;
mod walk;
mod web;

pub(super) use fs::FsStore;
pub(super) use null::NullStore;
pub(super) use object::OnRepeat;
pub use partial::PartialOwner;
pub(super) use sample::SampleStore;
pub(super) use sftp::SftpStore;
pub(super) use web::{HttpStore, WebdavStore};

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::model::{Failure, ObjectVersion, Timestamp};

/// The folder below a root that holds unfinished files; no object can be called so, and listings leave it out.
const WORKSPACE: &str = ".pipeline-partial";

/// What a store tells about an object without its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The object's name as it is asked for, exactly.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// The store's own version mark, where it has one.
    pub etag: Option<String>,
    pub modified: Option<Timestamp>,
    pub metadata: ObjectMetadata,
}

impl ObjectInfo {
    /// Which version of the object this is.
    pub fn version(&self) -> Option<ObjectVersion> {
        ObjectVersion::of(self.etag.as_deref(), self.modified)
    }
}

/// What is carried over with the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectMetadata {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    /// User metadata (`x-amz-meta-…`, `x-ms-meta-…`); keys in lower case.
    pub user: BTreeMap<String, String>,
}

/// An object's bytes in order. Ends after exactly the announced size, or with an error: a body that is cut short or too long is a
/// failure, never an end.
pub type ByteStream = BoxStream<'static, Result<Bytes, Failure>>;

/// A listing as it arrives.
pub type ObjectStream = BoxStream<'static, Result<ObjectInfo, Failure>>;

/// Condition under which an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever stands there is replaced.
    None,
    /// Nothing may stand there: otherwise `close` fails with class `conflict`, code `store.exists`.
    Absent,
}

/// How an object is to be written.
#[derive(Clone, Debug)]
pub struct WriteRequest<'a> {
    pub name: &'a str,
    /// The bytes that will come, exactly.
    pub size: u64,
    pub metadata: &'a ObjectMetadata,
    pub precondition: Precondition,
    /// Bytes of one part of a large object; smaller objects go up in one request.
    pub part_size: usize,
    /// Parts in flight at once.
    pub parts: usize,
}

/// An object being written. Nothing is visible at the sink before `close` succeeds; dropping it without a call leaves cleaning up
/// to the store, so call one of the two.
pub trait ObjectWriter: Send {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Failure>>;
    /// Makes the object visible, or fails. Takes what the store tells about the new object from its answer, without asking again.
    fn close(&mut self) -> BoxFuture<'_, Result<(), Failure>>;
    /// Discards what was written.
    fn abort(&mut self) -> BoxFuture<'_, ()>;
}

/// A system that holds objects by name.
pub trait Store: Send + Sync {
    /// Whether `list` with a prefix costs one request per page of names, so that asking for many names of one prefix at once is cheaper
    /// than one `stat` each.
    fn lists_by_prefix(&self) -> bool;

    /// Whether listings come in a stable order and can start behind a given name. The order is that of the names' bytes, except with
    /// S3-compatible stores that have one of their own: do not compare names to find out what was listed before what.
    fn lists_in_order(&self) -> bool;

    /// Whether `Precondition::Absent` is atomic at the store.
    fn writes_conditionally(&self) -> bool;

    /// Refuses a name that this store could not carry exactly (class `data`, code `name.…`), before any request is made with it.
    fn check_name(&self, name: &str) -> Result<(), Failure>;

    /// `None` when no object has this name.
    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>>;

    /// Opens an object for reading: what it is now, and its bytes (all, or a range). A change of the object between the two is a failure
    /// (class `conflict`, code `source.changed`), as is a body that ends early (class `transient`, code `source.short`).
    fn read<'a>(
        &'a self,
        name: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>>;

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>>;

    /// Lists objects (not folders) whose name starts with `prefix`, behind `after` where listings come in order.
    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>>;

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>>;

    /// Removes unfinished files of processes of which `is_over` knows, and tells how many there were. Nothing to do where a store keeps
    /// none, or removes them by itself.
    fn remove_partials<'a>(
        &'a self,
        _is_over: &'a (dyn Fn(&PartialOwner) -> bool + Sync),
    ) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(std::future::ready(Ok(0)))
    }

    /// One cheap call that proves address and credentials, for `validate --connect`.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>>;
}
