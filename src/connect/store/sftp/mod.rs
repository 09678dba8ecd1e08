//! A folder of an SFTP server (protocol version 3, <https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02>).
//!
//! Spoken by this process itself. OpenDAL's service for it starts the `ssh` program, takes no passwords, tells errors as text only, and
//! writes under the final name at once; here a file is written among the unfinished ones and gets its name when it is whole.

mod error;
mod host;
mod read;
mod session;
mod write;

use std::ops::Range;
use std::sync::Arc;

use futures::future::BoxFuture;
use russh_sftp::protocol::FileAttributes;
use tokio::sync::{Mutex, OnceCell};

use self::session::{Login, Session};
use self::write::SftpWriter;
use super::meaning::{self, Action, CONFLICT, NOT_FOUND};
use super::name::NameRules;
use super::partial::{PartialNames, PartialOwner};
use super::walk::{Entry, Folders, walk};
use super::{ByteStream, ObjectInfo, ObjectStream, ObjectWriter, Store, WORKSPACE, WriteRequest};
use crate::model::{ConnectionConfig, Failure, Timestamp};

/// A folder of an SFTP server.
pub(in crate::connect) struct SftpStore {
    server: Arc<Server>,
}

impl SftpStore {
    /// Reads the secrets and connects to nothing yet.
    pub(in crate::connect) async fn open(config: &ConnectionConfig) -> Result<Self, Failure> {
        let (login, root) = Login::read(config).await?;
        let server = Server {
            login,
            root,
            session: Mutex::new(None),
            workspace: OnceCell::new(),
            partials: PartialNames::new(),
        };
        Ok(Self {
            server: Arc::new(server),
        })
    }
}

/// One server, the session with it, and the folder of unfinished files on it.
pub(super) struct Server {
    login: Login,
    /// Without a slash at its end, unless it is `/`; empty for the folder that the server begins in.
    root: String,
    /// The one in use; a new one follows one that was cut.
    session: Mutex<Option<Arc<Session>>>,
    /// Made by the first write.
    workspace: OnceCell<()>,
    partials: PartialNames,
}

impl Server {
    async fn session(&self) -> Result<Arc<Session>, Failure> {
        let mut current = self.session.lock().await;
        if let Some(session) = current.as_ref().filter(|session| !session.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(Session::open(&self.login).await?);
        *current = Some(Arc::clone(&session));
        Ok(session)
    }

    /// The path of a name; of the root for an empty one.
    pub fn path(&self, name: &str) -> String {
        match (self.root.as_str(), name) {
            ("", "") => ".".to_owned(),
            ("", name) => name.to_owned(),
            (root, "") => root.to_owned(),
            ("/", name) => format!("/{name}"),
            (root, name) => format!("{root}/{name}"),
        }
    }

    /// A name that nothing in the workspace has had before, in a workspace that is there.
    pub async fn next_partial(&self) -> Result<String, Failure> {
        self.workspace
            .get_or_try_init(|| async {
                let session = self.session().await?;
                session.make_folders(&self.path(WORKSPACE)).await
            })
            .await?;
        Ok(self.partials.next())
    }

    async fn find(&self, action: Action, name: &str) -> Result<Option<FileAttributes>, Failure> {
        let session = self.session().await?;
        session.find(action, name, &self.path(name)).await
    }

    async fn object(&self, action: Action, name: &str) -> Result<Option<ObjectInfo>, Failure> {
        let found = self.find(action, name).await?;
        match found.filter(is_file) {
            Some(attributes) => info(name, &attributes).map(Some),
            None => Ok(None),
        }
    }

    async fn entry(&self, folder: &str, file_name: &str, attributes: FileAttributes) -> Result<Option<Entry>, Failure> {
        let name = format!("{folder}{file_name}");
        // What the protocol's reader puts in place of other bytes than UTF-8.
        if file_name.contains('\u{fffd}') {
            return Ok(Some(Entry::Unreadable(name)));
        }
        if attributes.is_dir() {
            return Ok(Some(Entry::Folder(format!("{name}/"))));
        }
        if is_file(&attributes) {
            return info(&name, &attributes).map(|info| Some(Entry::Object(info)));
        }
        // Links to files are followed, links to folders are not: they may lead in circles.
        Ok(self.object(Action::List, &name).await?.map(Entry::Object))
    }
}

impl Folders for Server {
    fn entries<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<Option<Vec<Entry>>, Failure>> {
        Box::pin(async move {
            let session = self.session().await?;
            let path = self.path(folder.trim_end_matches('/'));
            let Some(files) = session.read_folder(folder, &path).await? else {
                return Ok(None);
            };
            let mut entries = Vec::with_capacity(files.len());
            for file in files {
                let is_own =
                    matches!(file.filename.as_str(), "." | "..") || (folder.is_empty() && file.filename == WORKSPACE);
                if !is_own {
                    entries.extend(self.entry(folder, &file.filename, file.attrs).await?);
                }
            }
            Ok(Some(entries))
        })
    }

    fn root(&self) -> String {
        self.path("")
    }
}

impl Store for SftpStore {
    /// A listing walks folders that may hold far more than what is asked for.
    fn lists_by_prefix(&self) -> bool {
        false
    }

    fn lists_in_order(&self) -> bool {
        true
    }

    /// A finished file is renamed to its name, which the protocol refuses where something has it.
    fn writes_conditionally(&self) -> bool {
        true
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        NameRules::SFTP.with_root(&self.server.root).check(name)
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
        Box::pin(async move {
            self.check_name(name)?;
            let session = self.server.session().await?;
            read::open(session, name, &self.server.path(name), range).await
        })
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        Box::pin(async move {
            self.check_name(request.name)?;
            let writer = SftpWriter::open(Arc::clone(&self.server), &request).await?;
            Ok(Box::new(writer) as Box<dyn ObjectWriter>)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        let server = Arc::clone(&self.server);
        let listing = walk(server, prefix.to_owned(), after.map(str::to_owned));
        Box::pin(async move { Ok(listing) })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.check_name(name)?;
            match self.server.find(Action::Delete, name).await? {
                None => return Ok(()),
                Some(found) if found.is_dir() => {
                    let told = "a folder has this name";
                    return Err(meaning::failure(Action::Delete, name, CONFLICT, told));
                }
                Some(_) => {}
            }
            let session = self.server.session().await?;
            session.remove(Action::Delete, name, &self.server.path(name)).await
        })
    }

    fn remove_partials<'a>(
        &'a self,
        is_over: &'a (dyn Fn(&PartialOwner) -> bool + Sync),
    ) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            let session = self.server.session().await?;
            let files = session.read_folder(WORKSPACE, &self.server.path(WORKSPACE)).await?;
            let mut removed = 0;
            for file in files.unwrap_or_default() {
                if PartialOwner::read(&file.filename).is_some_and(|owner| is_over(&owner)) {
                    let name = format!("{WORKSPACE}/{}", file.filename);
                    session.remove(Action::Delete, &name, &self.server.path(&name)).await?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
    }

    /// A root that is not there yet is fine, since the first write makes it; one that is no folder is not.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            match self.server.find(Action::Probe, "").await? {
                Some(found) if !found.is_dir() => Err(Failure::permanent(
                    "store.not_a_folder",
                    format!("`{}` is not a folder; name a folder as `root`", self.server.path("")),
                )),
                _ => Ok(()),
            }
        })
    }
}

/// A plain file; nothing else has bytes that can be counted on.
fn is_file(attributes: &FileAttributes) -> bool {
    attributes.is_regular()
}

fn info(name: &str, attributes: &FileAttributes) -> Result<ObjectInfo, Failure> {
    let Some(size) = attributes.size else {
        let told = "the server does not tell its length";
        return Err(meaning::failure(Action::Stat, name, meaning::REFUSED, told));
    };
    Ok(ObjectInfo {
        name: name.to_owned(),
        size,
        modified: attributes.mtime.map(|seconds| Timestamp(i64::from(seconds) * 1_000)),
        ..ObjectInfo::default()
    })
}

fn absent(name: &str) -> Failure {
    meaning::failure(Action::Read, name, NOT_FOUND, "")
}
