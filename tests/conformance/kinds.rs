use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pipeline::connect::{Connections, Store};
use pipeline::model::{Ceilings, ConnectionConfig, ConnectionKind, SecretReference};
use tokio::runtime::Runtime;

use super::servers::{Azurite, Seaweed};

/// A kind of store, and how to get an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Memory,
    Fs,
    Azblob,
    S3,
}

/// A store to test, with what a test needs to know about it.
pub struct Subject {
    pub kind: Kind,
    pub store: Arc<dyn Store>,
    pub connections: Connections,
    /// The folder of a folder store.
    pub folder: PathBuf,
}

/// The secret of a connection whose credentials are wrong; no message may hold it.
pub const BAD_SECRET: &str = "d3JvbmctYW5kLXNlY3JldA==";

/// A runtime for the whole process: OpenDAL keeps one HTTP client, whose connections belong to the runtime that made them.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}

// Statics are never dropped; the servers end because their lifeline closes with this process.
pub fn azurite() -> &'static Azurite {
    static AZURITE: OnceLock<Azurite> = OnceLock::new();
    AZURITE.get_or_init(Azurite::start)
}

fn seaweed() -> &'static Seaweed {
    static SEAWEED: OnceLock<Seaweed> = OnceLock::new();
    SEAWEED.get_or_init(Seaweed::start)
}

impl Kind {
    /// Runs a behaviour on an empty store of this kind.
    pub fn run<F: Future<Output = ()>>(self, behaviour: impl FnOnce(Subject) -> F) {
        let container = next_name();
        match self {
            Self::Azblob => azurite().create_container(&container),
            Self::S3 => seaweed().create_bucket(&container),
            Self::Memory | Self::Fs => {}
        }
        let secrets = Secrets::new(Azurite::ACCOUNT_KEY, Seaweed::SECRET_ACCESS_KEY);
        self.run_on(&container, &secrets, behaviour);
    }

    pub fn run_with_bad_credentials<F: Future<Output = ()>>(self, behaviour: impl FnOnce(Subject) -> F) {
        self.run_on(&next_name(), &Secrets::new(BAD_SECRET, BAD_SECRET), behaviour);
    }

    pub fn run_with_absent_container<F: Future<Output = ()>>(self, behaviour: impl FnOnce(Subject) -> F) {
        let secrets = Secrets::new(Azurite::ACCOUNT_KEY, Seaweed::SECRET_ACCESS_KEY);
        self.run_on(&next_name(), &secrets, behaviour);
    }

    fn run_on<F: Future<Output = ()>>(self, container: &str, secrets: &Secrets, behaviour: impl FnOnce(Subject) -> F) {
        let folder = secrets.folder.path().join("root");
        std::fs::create_dir(&folder).expect("the folder is writable");
        let config = ConnectionConfig {
            name: "subject".to_owned(),
            kind: self.connection(container, secrets),
            timeout: Duration::from_secs(30),
            ceilings: Ceilings::default(),
            retry: None,
        };
        let connections = Connections::new(BTreeMap::from([("subject".to_owned(), config)]));
        runtime().block_on(async {
            let store = connections.store("subject").await.expect("the store opens");
            let subject = Subject {
                kind: self,
                store,
                connections,
                folder,
            };
            behaviour(subject).await;
        });
    }

    fn connection(self, container: &str, secrets: &Secrets) -> ConnectionKind {
        match self {
            Self::Memory => ConnectionKind::Memory,
            Self::Fs => ConnectionKind::Fs {
                root: secrets.folder.path().join("root"),
            },
            Self::Azblob => ConnectionKind::Azblob {
                container: container.to_owned(),
                endpoint: azurite().blob_endpoint.clone(),
                account: Some(Azurite::ACCOUNT.to_owned()),
                account_key: Some(secrets.azure()),
                sas_token: None,
                root: None,
            },
            Self::S3 => ConnectionKind::S3 {
                bucket: container.to_owned(),
                region: Some(Seaweed::REGION.to_owned()),
                endpoint: Some(seaweed().endpoint.clone()),
                access_key_id: Some(secrets.file("access", Seaweed::ACCESS_KEY_ID)),
                secret_access_key: Some(secrets.s3()),
                session_token: None,
                root: None,
            },
        }
    }
}

/// Secrets in files, as a connection refers to them.
struct Secrets {
    folder: tempfile::TempDir,
}

impl Secrets {
    fn new(azure: &str, s3: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let secrets = Self { folder };
        secrets.file("azure", azure);
        secrets.file("s3", s3);
        secrets
    }

    fn azure(&self) -> SecretReference {
        SecretReference::File(self.folder.path().join("azure"))
    }

    fn s3(&self) -> SecretReference {
        SecretReference::File(self.folder.path().join("s3"))
    }

    fn file(&self, name: &str, value: &str) -> SecretReference {
        let path = self.folder.path().join(name);
        std::fs::write(&path, format!("{value}\n")).expect("the folder is writable");
        SecretReference::File(path)
    }
}

pub fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("subject-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
