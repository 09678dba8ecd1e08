use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::super::{ObjectWriter, Precondition, WriteRequest, exact};
use super::workspace::Workspace;
use super::{blocking, error};
use crate::model::{Failure, FailureClass};

/// Bytes gathered before a thread is asked to write them.
const GATHERED_BYTES_MAX: usize = 1 << 20;

/// Writes one file in the workspace and puts it in its place at the end.
///
/// Up to `GATHERED_BYTES_MAX` everything happens in `close`, in one hand-over to a blocking thread.
pub(super) struct FsWriter {
    state: Option<State>,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
    written: u64,
}

/// What the blocking side needs; it travels there and back.
struct State {
    workspace: Arc<Workspace>,
    target: PathBuf,
    name: String,
    size: u64,
    precondition: Precondition,
    partial: Option<Partial>,
}

/// An unfinished file; removed when dropped.
struct Partial {
    file: File,
    path: PathBuf,
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove, after a link or a failure there is.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl FsWriter {
    pub(super) fn new(workspace: Arc<Workspace>, target: PathBuf, request: &WriteRequest<'_>) -> Self {
        let state = State {
            workspace,
            target,
            name: request.name.to_owned(),
            size: request.size,
            precondition: request.precondition,
            partial: None,
        };
        Self {
            state: Some(state),
            gathered: Vec::new(),
            gathered_bytes: 0,
            written: 0,
        }
    }

    /// Writes what was gathered; the state comes back only after success, so that a failed writer stays failed.
    async fn flush(&mut self) -> Result<(), Failure> {
        let mut state = self.take_state()?;
        let gathered = std::mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        self.state = Some(blocking(move || state.append(&gathered).map(|()| state)).await?);
        Ok(())
    }

    fn take_state(&mut self) -> Result<State, Failure> {
        self.state
            .take()
            .ok_or_else(|| Failure::permanent("store.writer_ended", "this file's writing has already ended"))
    }
}

impl ObjectWriter for FsWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            self.written += bytes.len() as u64;
            if let Some(state) = self.state.take_if(|state| self.written > state.size) {
                return Err(exact::too_long(&state.name, state.size));
            }
            self.gathered_bytes += bytes.len();
            self.gathered.push(bytes);
            if self.gathered_bytes > GATHERED_BYTES_MAX {
                self.flush().await?;
            }
            Ok(())
        })
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let mut state = self.take_state()?;
            if self.written != state.size {
                return Err(exact::too_short(&state.name, self.written, state.size));
            }
            let gathered = std::mem::take(&mut self.gathered);
            blocking(move || {
                state.append(&gathered)?;
                state.finish()
            })
            .await
        })
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.gathered.clear();
            if let Some(state) = self.state.take() {
                // Only an interruption of the runtime can fail here, and then the next process cleans up.
                let _ = blocking(move || {
                    drop(state);
                    Ok(())
                })
                .await;
            }
        })
    }
}

impl State {
    fn append(&mut self, gathered: &[Bytes]) -> Result<(), Failure> {
        self.try_append(gathered)
            .map_err(|error| error::failure("write", &self.name, &error))
    }

    fn try_append(&mut self, gathered: &[Bytes]) -> io::Result<()> {
        if self.partial.is_none() {
            let path = self.workspace.next_path();
            let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            self.partial = Some(Partial { file, path });
        }
        if let Some(partial) = self.partial.as_mut() {
            for bytes in gathered {
                partial.file.write_all(bytes)?;
            }
        }
        Ok(())
    }

    /// Makes the bytes durable, then visible.
    fn finish(mut self) -> Result<(), Failure> {
        let Some(partial) = self.partial.take() else {
            return Ok(());
        };
        let placed = partial.file.sync_data().and_then(|()| match self.precondition {
            Precondition::None => with_parent(&self.target, || std::fs::rename(&partial.path, &self.target)),
            Precondition::Absent => with_parent(&self.target, || place_if_absent(&partial.path, &self.target)),
        });
        placed.map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                Failure::new(
                    FailureClass::Conflict,
                    "store.exists",
                    format!("`{}` is already there", self.name),
                )
            } else {
                error::failure("write", &self.name, &error)
            }
        })
    }
}

/// Places a finished file unless something stands at its name. Atomic by a hard link; on file systems without them, by looking first.
fn place_if_absent(partial: &Path, target: &Path) -> io::Result<()> {
    match std::fs::hard_link(partial, target) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            if target.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(partial, target)
        }
        outcome => outcome,
    }
}

/// Makes the target's folder only when it turns out to be missing: most files share theirs with one before.
fn with_parent(target: &Path, place: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match (place(), target.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(parent).map_err(|error| match error.kind() {
                // The parent's name is taken by a file: the target itself is not "already there".
                io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
                _ => error,
            })?;
            place()
        }
        (outcome, _) => outcome,
    }
}
