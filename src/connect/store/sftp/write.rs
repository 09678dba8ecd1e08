use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::OpenFlags;

use super::super::meaning::{self, Action, EXISTS, REFUSED};
use super::super::{ObjectWriter, Precondition, WriteRequest, exact};
use super::session::{OpenFile, Session};
use super::{Server, error};
use crate::model::Failure;

/// What every server takes in one request (draft-ietf-secsh-filexfer-02, section 3).
const PIECE_BYTES: usize = 32 << 10;
/// Requests under way for one file.
const PIECES_AHEAD: usize = 32;

/// Shared by reference across waits, as the writer itself is.
type PieceUnderWay = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + Sync>>;

/// Writes an object: its bytes to a file among the unfinished, then, when all are there, renamed to its own name.
pub(super) struct SftpWriter {
    server: Arc<Server>,
    name: String,
    partial: String,
    size: u64,
    seen: u64,
    precondition: Precondition,
    /// Opened by the first bytes, or at the end where there are none.
    file: Option<OpenFile>,
    under_way: FuturesUnordered<PieceUnderWay>,
    is_ended: bool,
}

impl SftpWriter {
    pub async fn open(server: Arc<Server>, request: &WriteRequest<'_>) -> Result<Self, Failure> {
        // The condition is looked at again when the file is renamed: gigabytes later.
        let is_large = request.size > request.part_size as u64;
        if is_large
            && request.precondition == Precondition::Absent
            && server.find(Action::Write, request.name).await?.is_some()
        {
            return Err(meaning::failure(Action::Write, request.name, EXISTS, ""));
        }
        let partial = server.next_partial().await?;
        Ok(Self {
            server,
            name: request.name.to_owned(),
            partial,
            size: request.size,
            seen: 0,
            precondition: request.precondition,
            file: None,
            under_way: FuturesUnordered::new(),
            is_ended: false,
        })
    }

    async fn push(&mut self, bytes: Bytes) -> Result<(), Failure> {
        if self.is_ended {
            return Err(exact::already_ended(&self.name));
        }
        let mut offset = self.seen;
        self.seen += bytes.len() as u64;
        if self.seen > self.size {
            self.discard().await;
            return Err(exact::too_long(&self.name, self.size));
        }
        self.open_file().await?;
        for piece in bytes.chunks(PIECE_BYTES) {
            if self.under_way.len() >= PIECES_AHEAD {
                self.await_piece().await?;
            }
            self.send(offset, piece.to_vec());
            offset += piece.len() as u64;
        }
        Ok(())
    }

    fn send(&self, offset: u64, piece: Vec<u8>) {
        let Some(file) = &self.file else { return };
        let (session, handle) = (Arc::clone(&file.session), file.handle());
        self.under_way.push(Box::pin(async move {
            session.sftp().write(handle, offset, piece).await.map(drop)
        }));
    }

    async fn open_file(&mut self) -> Result<(), Failure> {
        if self.file.is_none() {
            let session = self.server.session().await?;
            let flags = OpenFlags::CREATE | OpenFlags::WRITE | OpenFlags::EXCLUDE;
            let file = session.open_file(&self.server.path(&self.partial), flags).await;
            self.file = Some(file.map_err(|error| error::failure(Action::Write, &self.name, &error))?);
        }
        Ok(())
    }

    /// Waits for one of the pieces under way; `false` when there is none.
    async fn await_piece(&mut self) -> Result<bool, Failure> {
        match self.under_way.next().await {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(error)) => {
                self.discard().await;
                Err(error::failure(Action::Write, &self.name, &error))
            }
        }
    }

    async fn finish(&mut self) -> Result<(), Failure> {
        if self.is_ended {
            return Err(exact::already_ended(&self.name));
        }
        if self.seen != self.size {
            self.discard().await;
            return Err(exact::too_short(&self.name, self.seen, self.size));
        }
        self.open_file().await?;
        while self.await_piece().await? {}
        self.is_ended = true;
        let placed = match self.complete().await {
            Ok(()) => self.place().await,
            Err(failure) => Err(failure),
        };
        if placed.is_err() {
            self.remove_partial().await;
        }
        placed
    }

    /// All bytes are sent: the server is to have them on its disk, in the right number.
    async fn complete(&mut self) -> Result<(), Failure> {
        let failed = |error: Error| error::failure(Action::Write, &self.name, &error);
        let Some(file) = self.file.take() else {
            return Err(exact::already_ended(&self.name));
        };
        let session = Arc::clone(&file.session);
        if session.can_sync() {
            session.sftp().fsync(file.handle()).await.map_err(failed)?;
        }
        let stored = session.sftp().fstat(file.handle()).await.map_err(failed)?.attrs.size;
        file.close().await.map_err(failed)?;
        if stored != Some(self.size) {
            let told = format!("the server kept {} of {} bytes", stored.unwrap_or(0), self.size);
            return Err(meaning::failure(Action::Write, &self.name, meaning::UPLOAD_LOST, &told));
        }
        Ok(())
    }

    /// Gives the finished file its name.
    async fn place(&self) -> Result<(), Failure> {
        let failed = |error: Error| error::failure(Action::Write, &self.name, &error);
        let session = self.server.session().await?;
        let (from, to) = (self.server.path(&self.partial), self.server.path(&self.name));
        let mut moved = self.rename(&session, &from, &to).await;
        if moved.as_ref().is_err_and(error::is_absent)
            && let Some((folder, _)) = to.rsplit_once('/')
        {
            session.make_folders(folder).await?;
            moved = self.rename(&session, &from, &to).await;
        }
        let Err(error) = moved else { return Ok(()) };
        if !error::is_unspecific(&error) {
            return Err(failed(error));
        }
        // The code that is given for a taken name is given for all else too.
        match session.find(Action::Write, &self.name, &to).await? {
            Some(_) if self.precondition == Precondition::Absent => {
                Err(meaning::failure(Action::Write, &self.name, EXISTS, ""))
            }
            Some(found) if found.is_dir() => {
                let told = "a folder has this name";
                Err(meaning::failure(Action::Write, &self.name, meaning::CONFLICT, told))
            }
            // A server that cannot replace in one step: for a moment nothing has the name.
            Some(_) => {
                session.remove(Action::Write, &self.name, &to).await?;
                session.sftp().rename(from, to).await.map(drop).map_err(failed)
            }
            None => Err(meaning::failure(
                Action::Write,
                &self.name,
                REFUSED,
                "the server did not rename it",
            )),
        }
    }

    /// Plain renaming fails where something has the name (section 6.5), which OpenSSH holds to by a link and without a gap.
    async fn rename(&self, session: &Session, from: &str, to: &str) -> Result<(), Error> {
        if self.precondition == Precondition::None
            && let Some(replaced) = session.replace(from, to).await
        {
            return replaced;
        }
        session.sftp().rename(from, to).await.map(drop)
    }

    async fn discard(&mut self) {
        if std::mem::replace(&mut self.is_ended, true) {
            return;
        }
        self.under_way.clear();
        if let Some(file) = self.file.take() {
            let _ = file.close().await;
            self.remove_partial().await;
        }
    }

    /// Best effort: what stays has no object's name.
    async fn remove_partial(&self) {
        if let Ok(session) = self.server.session().await {
            let path = self.server.path(&self.partial);
            let _ = session.remove(Action::Delete, &self.partial, &path).await;
        }
    }
}

impl ObjectWriter for SftpWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.push(bytes))
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.finish())
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.discard())
    }
}
