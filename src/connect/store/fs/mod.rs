//! A folder as a store.
//!
//! Written against `std::fs` in blocking threads, one hand-over per small file and direction. An object becomes visible whole or
//! not at all: its bytes are written and synced in a workspace inside the root and then linked or renamed to their name. Metadata
//! other than size and time has no place in a folder and is dropped.

mod error;
mod list;
mod read;
mod workspace;
mod write;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use self::workspace::Workspace;
use super::name::NameRules;
use super::{ByteStream, ObjectInfo, ObjectStream, ObjectWriter, Store, WORKSPACE, WriteRequest};
use crate::model::{Failure, FailureClass, Timestamp};

/// A folder as a store; the folder is made by the first write.
pub(in crate::connect) struct FsStore {
    root: Arc<Path>,
    workspace: OnceCell<Arc<Workspace>>,
}

impl FsStore {
    pub(in crate::connect) fn new(root: PathBuf) -> Self {
        Self {
            root: root.into(),
            workspace: OnceCell::new(),
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Failure> {
        self.check_name(name)?;
        Ok(self.root.join(name))
    }
}

impl Store for FsStore {
    /// A listing walks folders that may hold far more than what is asked for; one `stat` is one system call.
    fn lists_by_prefix(&self) -> bool {
        false
    }

    fn lists_in_order(&self) -> bool {
        true
    }

    /// Linking a finished file to a name that is taken fails, whoever took it.
    fn writes_conditionally(&self) -> bool {
        true
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        NameRules::FS.check(name)
    }

    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>> {
        Box::pin(async move {
            let path = self.path(name)?;
            let name = name.to_owned();
            blocking(move || match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => Ok(Some(info(name, &metadata))),
                Ok(_) => Ok(None),
                Err(error) if error::is_absent(&error) => Ok(None),
                Err(error) => Err(error::failure("look at", &name, &error)),
            })
            .await
        })
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>> {
        Box::pin(async move {
            let path = self.path(name)?;
            let name = name.to_owned();
            blocking(move || read::open(&path, name, range)).await
        })
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        Box::pin(async move {
            let target = self.path(request.name)?;
            let workspace = self
                .workspace
                .get_or_try_init(|| {
                    let root = Arc::clone(&self.root);
                    blocking(move || Workspace::open(&root).map(Arc::new))
                })
                .await?;
            let writer = write::FsWriter::new(Arc::clone(workspace), target, &request);
            Ok(Box::new(writer) as Box<dyn ObjectWriter>)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        let listing = list::list(Arc::clone(&self.root), prefix.to_owned(), after.map(str::to_owned));
        Box::pin(async move { Ok(listing) })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let path = self.path(name)?;
            let name = name.to_owned();
            blocking(move || match std::fs::remove_file(&path) {
                Ok(()) => Ok(()),
                Err(error) if error::is_absent(&error) => Ok(()),
                Err(error) => Err(error::failure("delete", &name, &error)),
            })
            .await
        })
    }

    /// A root that does not exist yet is fine, since the first write makes it; one that is no folder is not.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let root = Arc::clone(&self.root);
            blocking(move || match std::fs::metadata(&root) {
                Ok(metadata) if metadata.is_dir() => Ok(()),
                Ok(_) => Err(Failure::permanent(
                    "store.not_a_folder",
                    format!("`{}` is not a folder; name a folder as `root`", root.display()),
                )),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error::failure("look at", &root.to_string_lossy(), &error)),
            })
            .await
        })
    }
}

fn info(name: String, metadata: &std::fs::Metadata) -> ObjectInfo {
    ObjectInfo {
        name,
        size: metadata.len(),
        modified: metadata.modified().ok().map(Timestamp::from),
        ..ObjectInfo::default()
    }
}

/// Runs file system calls on a thread that may wait.
async fn blocking<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let class = if error.is_cancelled() {
            FailureClass::Cancelled
        } else {
            FailureClass::Permanent
        };
        Err(Failure::new(
            class,
            "store.interrupted",
            "a file operation did not run to its end",
        ))
    })
}
