use std::io;
use std::sync::Arc;

use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use ::http::{Method, StatusCode};
use bytes::Bytes;
use futures::future::BoxFuture;
use reqwest::{Body, Response};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::super::meaning::{self, Action, BAD_NAME, CONFLICT, EXISTS, TIMEOUT};
use super::super::walk::Entry;
use super::super::{ObjectWriter, Precondition, WriteRequest, exact};
use super::error;
use super::webdav::{Server, method};
use crate::model::Failure;

/// Pieces on their way to the server.
const PIECES_AHEAD: usize = 4;

/// Writes an object: its bytes to a name among the unfinished, then, when all are there, moved to its own.
pub(super) struct WebdavWriter {
    server: Arc<Server>,
    name: String,
    partial: String,
    size: u64,
    seen: u64,
    content_type: Option<String>,
    precondition: Precondition,
    state: State,
}

enum State {
    /// Small objects are sent by `close`, so that a body of the wrong length never leaves this process.
    Gathered(Vec<Bytes>),
    Sending(Upload),
    Ended,
}

struct Upload {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    answer: JoinHandle<Result<(), Failure>>,
}

impl WebdavWriter {
    pub async fn open(server: Arc<Server>, request: &WriteRequest<'_>) -> Result<Self, Failure> {
        // The condition is looked at again when the file is moved: gigabytes later.
        let is_large = request.size > request.part_size as u64;
        if is_large && request.precondition == Precondition::Absent {
            refuse_existing(&server, request.name).await?;
        }
        let partial = server.next_partial().await?;
        let mut writer = Self {
            server,
            name: request.name.to_owned(),
            partial,
            size: request.size,
            seen: 0,
            content_type: request.metadata.content_type.clone(),
            precondition: request.precondition,
            state: State::Gathered(Vec::new()),
        };
        if is_large {
            writer.state = State::Sending(writer.start());
        }
        Ok(writer)
    }

    /// Sends the body while it comes. The answer has no time limit of its own until the last piece is handed over.
    fn start(&self) -> Upload {
        let (pieces, receiver) = mpsc::channel(PIECES_AHEAD);
        let body = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        let request = self.put(Body::wrap_stream(body));
        let name = self.name.clone();
        let answer = tokio::spawn(async move {
            let response = request.send().await;
            let response = response.map_err(|error| error::unanswered(Action::Write, &name, &error))?;
            check_put(&name, &response)
        });
        Upload { pieces, answer }
    }

    fn put(&self, body: Body) -> reqwest::RequestBuilder {
        let mut request = self.server.client.request(Method::PUT, &self.partial);
        if let Some(content_type) = &self.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.header(CONTENT_LENGTH, self.size).body(body)
    }

    async fn push(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.seen += bytes.len() as u64;
        if self.seen > self.size {
            self.discard().await;
            return Err(exact::too_long(&self.name, self.size));
        }
        match &mut self.state {
            State::Gathered(gathered) => gathered.push(bytes),
            State::Sending(upload) => {
                let timeout = self.server.client.timeout();
                let sent = tokio::time::timeout(timeout, upload.pieces.send(Ok(bytes))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return Err(self.failed_upload(sent.is_err()).await);
                }
            }
            State::Ended => return Err(exact::already_ended(&self.name)),
        }
        Ok(())
    }

    /// Why an upload stopped taking bytes: it has been answered, or nobody takes them.
    async fn failed_upload(&mut self, is_late: bool) -> Failure {
        let State::Sending(upload) = std::mem::replace(&mut self.state, State::Ended) else {
            return exact::already_ended(&self.name);
        };
        let failure = if is_late {
            upload.answer.abort();
            meaning::failure(Action::Write, &self.name, TIMEOUT, "")
        } else {
            match upload.answer.await {
                Ok(Err(failure)) => failure,
                // It took less than there was and was content.
                Ok(Ok(())) | Err(_) => exact::too_short(&self.name, self.seen, self.size),
            }
        };
        self.remove_partial().await;
        failure
    }

    async fn finish(&mut self) -> Result<(), Failure> {
        if self.seen != self.size {
            self.discard().await;
            return Err(exact::too_short(&self.name, self.seen, self.size));
        }
        let written = match std::mem::replace(&mut self.state, State::Ended) {
            State::Gathered(gathered) => self.send_whole(gathered).await,
            State::Sending(upload) => self.await_answer(upload).await,
            State::Ended => return Err(exact::already_ended(&self.name)),
        };
        let placed = match written {
            Ok(()) => self.place().await,
            Err(failure) => Err(failure),
        };
        if placed.is_err() {
            self.remove_partial().await;
        }
        placed
    }

    async fn send_whole(&self, gathered: Vec<Bytes>) -> Result<(), Failure> {
        let body = Body::from(gathered.concat());
        let response = self
            .server
            .client
            .send(Action::Write, &self.name, self.put(body))
            .await?;
        check_put(&self.name, &response)
    }

    async fn await_answer(&self, upload: Upload) -> Result<(), Failure> {
        let Upload { pieces, mut answer } = upload;
        drop(pieces);
        match tokio::time::timeout(self.server.client.timeout(), &mut answer).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => Err(Failure::cancelled()),
            Err(_) => {
                answer.abort();
                Err(meaning::failure(Action::Write, &self.name, TIMEOUT, ""))
            }
        }
    }

    /// Gives the finished file its name, when it is as long as it should be.
    async fn place(&self) -> Result<(), Failure> {
        let stored = self.server.object(Action::Write, &self.partial).await?;
        let stored = stored.map_or(0, |info| info.size);
        if stored != self.size {
            let told = format!("the server kept {stored} of {} bytes", self.size);
            return Err(meaning::failure(Action::Write, &self.name, meaning::UPLOAD_LOST, &told));
        }
        if self.moved(false).await? {
            return self.check_place().await;
        }
        if self.precondition == Precondition::Absent {
            return Err(meaning::failure(Action::Write, &self.name, EXISTS, ""));
        }
        match self.server.find(Action::Write, &self.name).await? {
            Some(Entry::Object(_)) => {}
            // A folder would be replaced with all that is in it.
            Some(_) => {
                let told = "a folder has this name";
                return Err(meaning::failure(Action::Write, &self.name, CONFLICT, told));
            }
            None => return Err(self.misplaced()),
        }
        self.moved(true).await?;
        self.check_place().await
    }

    /// Some servers decode the address of a move before they take it apart, and cut off what then looks like a query: where a name can be
    /// mistaken like that, it is looked for.
    async fn check_place(&self) -> Result<(), Failure> {
        if !self.name.contains(['?', '#', ';', '%']) {
            return Ok(());
        }
        match self.server.object(Action::Write, &self.name).await? {
            Some(info) if info.size == self.size => Ok(()),
            _ => Err(self.misplaced()),
        }
    }

    fn misplaced(&self) -> Failure {
        let told = "the server takes it for another; look there for an object whose name is the start of this one";
        meaning::failure(Action::Write, &self.name, BAD_NAME, told)
    }

    /// Whether the file has its name now: not when something has it already and is not to be replaced.
    async fn moved(&self, overwrite: bool) -> Result<bool, Failure> {
        let mut response = self.send_move(overwrite).await?;
        // The folder is not there yet. Some servers say so with 403 or 404.
        let lacks_folder = matches!(
            response.status(),
            StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::FORBIDDEN
        );
        if lacks_folder && self.name.contains('/') {
            self.server.make_parents(&self.name).await?;
            response = self.send_move(overwrite).await?;
        }
        match response.status() {
            StatusCode::PRECONDITION_FAILED if !overwrite => Ok(false),
            StatusCode::MULTI_STATUS => Err(error::refused(Action::Write, &self.name, &response)),
            status if status.is_success() => Ok(true),
            _ => Err(error::refused(Action::Write, &self.name, &response)),
        }
    }

    async fn send_move(&self, overwrite: bool) -> Result<Response, Failure> {
        let client = &self.server.client;
        let request = client
            .request(method("MOVE")?, &self.partial)
            .header("Destination", client.address(&self.name))
            .header("Overwrite", if overwrite { "T" } else { "F" });
        client.send(Action::Write, &self.name, request).await
    }

    async fn discard(&mut self) {
        if let State::Sending(upload) = std::mem::replace(&mut self.state, State::Ended) {
            // The server is to see a body that breaks off, not one that ends.
            let broken = io::Error::from(io::ErrorKind::Interrupted);
            let _ = upload.pieces.try_send(Err(broken));
            upload.answer.abort();
            let _ = upload.answer.await;
            self.remove_partial().await;
        }
    }

    /// Best effort: what stays has no object's name.
    async fn remove_partial(&self) {
        let client = &self.server.client;
        let request = client.request(Method::DELETE, &self.partial);
        let _ = client.send(Action::Delete, &self.partial, request).await;
    }
}

impl ObjectWriter for WebdavWriter {
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

async fn refuse_existing(server: &Server, name: &str) -> Result<(), Failure> {
    match server.find(Action::Stat, name).await? {
        None => Ok(()),
        Some(_) => Err(meaning::failure(Action::Write, name, EXISTS, "")),
    }
}

fn check_put(name: &str, response: &Response) -> Result<(), Failure> {
    if response.status().is_success() {
        return Ok(());
    }
    Err(error::refused(Action::Write, name, response))
}
