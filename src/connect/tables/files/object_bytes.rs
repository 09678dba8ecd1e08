use std::collections::VecDeque;
use std::io::{Error, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::TryStreamExt;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use tokio::runtime::Handle;

use crate::connect::Store;
use crate::model::{Failure, ObjectVersion};

/// Bytes kept of one object over all windows: what a reader of many columns may take.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// Bytes asked for at once: between a request for each page, and a whole column in memory.
const WINDOW_BYTES_MAX: usize = 512 << 10;
const WINDOW_BYTES_MIN: usize = 64 << 10;

/// An object of a store as Parquet reads it, for threads that may wait: range by range, and never as a whole.
///
/// Ranges that were asked for last are kept, since the pages of several columns are read in turns. A change of the object between two
/// ranges is a failure.
#[derive(Clone)]
pub struct ObjectBytes(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    name: String,
    size: u64,
    handle: Handle,
    window: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// With the offset at which each begins; the one that was used last stands first.
    windows: VecDeque<(u64, Bytes)>,
    version: Option<ObjectVersion>,
    /// What the store answered, which an error of Parquet's would only have as a text.
    failure: Option<Failure>,
}

impl ObjectBytes {
    /// `columns` are read in turns. Must be made within the runtime.
    pub fn new(store: Arc<dyn Store>, name: String, size: u64, version: Option<ObjectVersion>, columns: usize) -> Self {
        let share = KEPT_BYTES_MAX / columns.max(1);
        Self(Arc::new(Inner {
            store,
            name,
            size,
            handle: Handle::current(),
            window: share.clamp(WINDOW_BYTES_MIN, WINDOW_BYTES_MAX),
            state: Mutex::new(State {
                version,
                ..State::default()
            }),
        }))
    }

    /// Which version of the object was read.
    pub fn version(&self) -> Option<ObjectVersion> {
        self.0.state().version
    }

    /// What went wrong: the store's own answer, else that the file is not what it should be.
    pub fn failure(&self, error: &dyn std::fmt::Display) -> Failure {
        self.0.state().failure.take().unwrap_or_else(|| {
            let name = &self.0.name;
            Failure::data(
                "parquet.invalid",
                format!("`{name}` cannot be read as Parquet: {error}; it may be cut short, write it anew"),
            )
        })
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes from an offset on, as many as there are at hand; none at the end.
    fn some(&self, at: u64) -> Result<Bytes, Failure> {
        if at >= self.size {
            return Ok(Bytes::new());
        }
        let mut state = self.state();
        let holds = |(start, bytes): &(u64, Bytes)| *start <= at && at < *start + bytes.len() as u64;
        if let Some(found) = state.windows.iter().position(holds)
            && let Some((start, bytes)) = state.windows.remove(found)
        {
            let rest = bytes.slice(usize::try_from(at - start).unwrap_or_default()..);
            state.windows.push_front((start, bytes));
            return Ok(rest);
        }
        drop(state);
        let end = self.size.min(at.saturating_add(self.window as u64));
        let bytes = self.fetch(at, end)?;
        let mut state = self.state();
        state.windows.push_front((at, bytes.clone()));
        state.windows.truncate((KEPT_BYTES_MAX / self.window).max(1));
        Ok(bytes)
    }

    fn fetch(&self, from: u64, to: u64) -> Result<Bytes, Failure> {
        self.handle.block_on(async {
            let (info, mut bytes) = self.store.read(&self.name, Some(from..to)).await?;
            if !self.is_same(info.version()) {
                return Err(changed(&self.name));
            }
            let mut gathered = Vec::with_capacity(usize::try_from(to - from).unwrap_or_default());
            while let Some(piece) = bytes.try_next().await? {
                gathered.extend_from_slice(&piece);
            }
            Ok(Bytes::from(gathered))
        })
    }

    /// Whether this is the version of which everything so far was; the first one decides.
    fn is_same(&self, version: Option<ObjectVersion>) -> bool {
        let mut state = self.state();
        match (state.version, version) {
            (Some(first), Some(version)) => first == version,
            (None, version) => {
                state.version = version;
                true
            }
            (Some(_), None) => true,
        }
    }

    /// Keeps the store's answer for [`ObjectBytes::failure`].
    fn note(&self, failure: Failure) -> String {
        let told = failure.message.clone();
        self.state().failure = Some(failure);
        told
    }
}

/// The object is another than when it was looked at.
pub fn changed(name: &str) -> Failure {
    Failure::new(
        crate::model::FailureClass::Conflict,
        "source.changed",
        format!("`{name}` has changed since it was looked at; run again when nothing writes to it"),
    )
}

impl Length for ObjectBytes {
    fn len(&self) -> u64 {
        self.0.size
    }
}

impl ChunkReader for ObjectBytes {
    type T = ObjectReader;

    fn get_read(&self, start: u64) -> Result<ObjectReader, ParquetError> {
        Ok(ObjectReader {
            object: Arc::clone(&self.0),
            at: start,
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.saturating_add(length as u64);
        if end > self.0.size {
            return Err(ParquetError::EOF(format!("it ends before byte {end}")));
        }
        let told = |failure| ParquetError::General(self.0.note(failure));
        let some = self.0.some(start).map_err(told)?;
        if some.len() >= length {
            return Ok(some.slice(..length));
        }
        self.0.fetch(start, end).map_err(told)
    }
}

/// The bytes of an object from some place on.
pub struct ObjectReader {
    object: Arc<Inner>,
    at: u64,
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let some = self.object.some(self.at);
        let some = some.map_err(|failure| Error::other(self.object.note(failure)))?;
        let length = some.len().min(buffer.len());
        buffer[..length].copy_from_slice(&some[..length]);
        self.at += length as u64;
        Ok(length)
    }
}
