use std::ops::Range;
use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{Method, StatusCode};
use futures::future::BoxFuture;
use percent_encoding::percent_decode_str;
use reqwest::{Response, Url};
use tokio::sync::OnceCell;

use super::super::meaning::{self, Action, CONFLICT, NO_CONTAINER, NOT_FOUND, REFUSED};
use super::super::name::NameRules;
use super::super::partial::{PartialNames, PartialOwner};
use super::super::walk::{Entry, Folders, walk};
use super::super::{ByteStream, ObjectInfo, ObjectStream, ObjectWriter, Store, WORKSPACE, WriteRequest};
use super::client::WebClient;
use super::write::WebdavWriter;
use super::{error, http, multistatus};
use crate::model::{ConnectionConfig, Failure, FailureClass, WebCredentials};

/// What is read of the list of one folder, some 100,000 entries.
const LIST_BYTES_MAX: usize = 64 << 20;

/// A folder of a WebDAV server.
///
/// OpenDAL's service for it gathers a whole body before it sends it, writes under the final name at once, and can neither move without
/// replacing nor write under a condition; so this speaks the protocol itself.
pub(in crate::connect) struct WebdavStore {
    server: Arc<Server>,
}

impl WebdavStore {
    pub(in crate::connect) async fn open(
        config: &ConnectionConfig,
        endpoint: &str,
        credentials: &WebCredentials,
    ) -> Result<Self, Failure> {
        let url = Url::parse(endpoint).map_err(|error| {
            let message = format!("`{endpoint}` is not an address: {error}");
            Failure::permanent("connection.configuration", message)
        })?;
        let path = percent_decode_str(url.path()).decode_utf8_lossy();
        let server = Server {
            base: path.trim_end_matches('/').to_owned(),
            client: WebClient::open(config, endpoint, credentials, false).await?,
            workspace: OnceCell::new(),
            partials: PartialNames::new(),
        };
        Ok(Self {
            server: Arc::new(server),
        })
    }

    async fn read_body(&self, name: &str, range: Option<Range<u64>>) -> Result<(ObjectInfo, ByteStream), Failure> {
        self.check_name(name)?;
        let client = &self.server.client;
        if let Some(range) = range.as_ref().filter(|range| range.start >= range.end) {
            return http::read_nothing(self.server.object(Action::Read, name).await?, name, range);
        }
        match client.read(name, range).await {
            // What servers answer where a folder has the name is their own choice.
            Err(failure)
                if failure.class != FailureClass::Transient
                    && matches!(self.server.find(Action::Read, name).await, Ok(Some(Entry::Folder(_)))) =>
            {
                Err(meaning::failure(
                    Action::Read,
                    name,
                    NOT_FOUND,
                    "a folder has this name",
                ))
            }
            read => read,
        }
    }
}

/// One server, and the folder of unfinished files on it.
pub(super) struct Server {
    pub client: WebClient,
    /// The decoded path of the address, without a slash at its end.
    base: String,
    /// Made by the first write.
    workspace: OnceCell<()>,
    partials: PartialNames,
}

impl Server {
    /// A name that nothing in the workspace has had before, in a workspace that is there.
    pub async fn next_partial(&self) -> Result<String, Failure> {
        self.workspace
            .get_or_try_init(|| self.make_folder(Action::Write, WORKSPACE))
            .await?;
        Ok(self.partials.next())
    }

    /// Makes the folders that an object lies in.
    pub async fn make_parents(&self, name: &str) -> Result<(), Failure> {
        for (end, _) in name.match_indices('/') {
            self.make_folder(Action::Write, &name[..end]).await?;
        }
        Ok(())
    }

    async fn make_folder(&self, action: Action, name: &str) -> Result<(), Failure> {
        let request = self.client.request(method("MKCOL")?, name);
        let response = self.client.send(action, name, request).await?;
        match response.status() {
            // Something of this name is there already; when it is no folder, the write that follows says so.
            StatusCode::METHOD_NOT_ALLOWED => Ok(()),
            StatusCode::CONFLICT | StatusCode::NOT_FOUND => Err(meaning::failure(action, name, NO_CONTAINER, "")),
            status if status.is_success() => Ok(()),
            _ => Err(error::refused(action, name, &response)),
        }
    }

    /// What has this name, be it a folder.
    pub async fn find(&self, action: Action, name: &str) -> Result<Option<Entry>, Failure> {
        let entries = self.ask(action, name, "0").await?;
        Ok(entries.and_then(|entries| entries.into_iter().next()))
    }

    pub async fn object(&self, action: Action, name: &str) -> Result<Option<ObjectInfo>, Failure> {
        Ok(match self.find(action, name).await? {
            Some(Entry::Object(info)) => Some(ObjectInfo {
                name: name.to_owned(),
                ..info
            }),
            _ => None,
        })
    }

    async fn remove(&self, name: &str) -> Result<(), Failure> {
        let request = self.client.request(Method::DELETE, name);
        let response = self.client.send(Action::Delete, name, request).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(error::refused(Action::Delete, name, &response)),
        }
    }

    /// The properties of a resource, and with depth 1 of what is in it.
    async fn ask(&self, action: Action, name: &str, depth: &'static str) -> Result<Option<Vec<Entry>>, Failure> {
        let request = self
            .client
            .request(method("PROPFIND")?, name)
            .header("Depth", depth)
            .header(CONTENT_TYPE, "application/xml")
            .body(multistatus::QUESTION);
        let response = self.client.send(action, name, request).await?;
        match response.status() {
            StatusCode::MULTI_STATUS => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            _ => return Err(error::refused(action, name, &response)),
        }
        let xml = read_text(action, name, response).await?;
        let entries = multistatus::entries(&xml, &self.base);
        entries
            .map(Some)
            .map_err(|reason| meaning::failure(action, name, REFUSED, &format!("its answer cannot be read: {reason}")))
    }
}

impl Folders for Server {
    fn entries<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<Option<Vec<Entry>>, Failure>> {
        Box::pin(async move {
            let entries = self.ask(Action::List, folder, "1").await?;
            let others = |entry: &Entry| match entry {
                // A folder is in its own answer.
                Entry::Folder(name) if folder.is_empty() => name != "/" && name.strip_suffix('/') != Some(WORKSPACE),
                Entry::Folder(name) => name != folder,
                Entry::Object(_) | Entry::Unreadable(_) => true,
            };
            Ok(entries.map(|entries| entries.into_iter().filter(others).collect()))
        })
    }

    fn root(&self) -> String {
        self.client.endpoint().to_owned()
    }
}

impl Store for WebdavStore {
    /// A listing costs one request for each folder; so does a look at one object.
    fn lists_by_prefix(&self) -> bool {
        false
    }

    fn lists_in_order(&self) -> bool {
        true
    }

    /// A finished file is moved to its name with `Overwrite: F`.
    fn writes_conditionally(&self) -> bool {
        true
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        NameRules::WEBDAV.check(name)
    }

    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>> {
        Box::pin(async move {
            self.check_name(name)?;
            self.server.object(Action::Stat, name).await
        })
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>> {
        Box::pin(self.read_body(name, range))
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        Box::pin(async move {
            self.check_name(request.name)?;
            let writer = WebdavWriter::open(Arc::clone(&self.server), &request).await?;
            Ok(Box::new(writer) as Box<dyn ObjectWriter>)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        let server = Arc::clone(&self.server);
        let listing = walk(server, prefix.to_owned(), after.map(str::to_owned));
        Box::pin(async move { Ok(listing) })
    }

    /// A folder is looked at and left alone: the protocol would remove it with all that is in it.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.check_name(name)?;
            match self.server.find(Action::Delete, name).await? {
                None => return Ok(()),
                Some(Entry::Object(_)) => {}
                Some(_) => {
                    let told = "a folder has this name";
                    return Err(meaning::failure(Action::Delete, name, CONFLICT, told));
                }
            }
            self.server.remove(name).await
        })
    }

    fn remove_partials<'a>(
        &'a self,
        is_over: &'a (dyn Fn(&PartialOwner) -> bool + Sync),
    ) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            let workspace = format!("{WORKSPACE}/");
            let entries = self.server.ask(Action::List, &workspace, "1").await?;
            let mut removed = 0;
            for entry in entries.unwrap_or_default() {
                let Entry::Object(info) = entry else { continue };
                let file_name = info.name.strip_prefix(&workspace).unwrap_or_default();
                if PartialOwner::read(file_name).is_some_and(|owner| is_over(&owner)) {
                    self.server.remove(&info.name).await?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            match self.server.find(Action::Probe, "").await? {
                Some(Entry::Folder(_)) => Ok(()),
                Some(_) => Err(meaning::failure(
                    Action::Probe,
                    "",
                    REFUSED,
                    "the address is not a folder's",
                )),
                None => Err(meaning::failure(Action::Probe, "", NO_CONTAINER, "HTTP 404")),
            }
        })
    }
}

/// A method of WebDAV's own.
pub(super) fn method(name: &'static str) -> Result<Method, Failure> {
    Method::from_bytes(name.as_bytes())
        .map_err(|error| Failure::permanent("connection.configuration", error.to_string()))
}

async fn read_text(action: Action, name: &str, mut response: Response) -> Result<String, Failure> {
    let mut body = Vec::new();
    let unanswered = |error| error::unanswered(action, name, &error);
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > LIST_BYTES_MAX {
            let told = "the folder holds more than can be listed at once; spread it over several folders";
            return Err(meaning::failure(action, name, REFUSED, told));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}
