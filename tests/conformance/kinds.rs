use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pipeline::connect::{Connections, Store};
use pipeline::model::{
    AzureCredentials, Ceilings, ConnectionConfig, ConnectionKind, HostKeys, S3Credentials, SecretReference,
    SftpCredentials, WebCredentials,
};
use tokio::runtime::Runtime;

use super::servers::{Azurite, Seaweed, Sshd, Webdav};

/// A kind of store, and how to get an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Memory,
    Fs,
    Azblob,
    S3,
    Http,
    Webdav,
    Sftp,
}

/// A store to test, with what a test needs to know about it.
pub struct Subject {
    pub kind: Kind,
    pub store: Arc<dyn Store>,
    pub connections: Connections,
    /// The folder of a store that keeps objects as files.
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

pub fn webdav() -> &'static Webdav {
    static WEBDAV: OnceLock<Webdav> = OnceLock::new();
    WEBDAV.get_or_init(Webdav::start)
}

pub fn sshd() -> &'static Sshd {
    static SSHD: OnceLock<Sshd> = OnceLock::new();
    SSHD.get_or_init(Sshd::start)
}

pub fn seaweed() -> &'static Seaweed {
    static SEAWEED: OnceLock<Seaweed> = OnceLock::new();
    SEAWEED.get_or_init(Seaweed::start)
}

impl Kind {
    /// Whether metadata other than size and time comes back.
    pub fn keeps_metadata(self) -> bool {
        matches!(self, Self::Memory | Self::Azblob | Self::S3)
    }

    /// Runs a behaviour on an empty store of this kind.
    pub fn run<F: Future<Output = ()>>(self, behaviour: impl FnOnce(Subject) -> F) {
        let container = next_name();
        self.make(&container);
        self.run_on(&container, &Secrets::good(self), behaviour);
    }

    fn make(self, container: &str) {
        match self {
            Self::Azblob => azurite().create_container(container),
            Self::S3 => seaweed().create_bucket(container),
            Self::Http | Self::Webdav => {
                std::fs::create_dir(webdav().folder().join(container)).expect("the folder is writable");
            }
            Self::Sftp => drop(sshd().make_folder(container)),
            Self::Memory | Self::Fs => {}
        }
    }

    pub fn run_with_bad_credentials<F: Future<Output = ()>>(self, behaviour: impl FnOnce(Subject) -> F) {
        self.run_on(&next_name(), &Secrets::bad(self), behaviour);
    }

    pub fn run_with_absent_container<F: Future<Output = ()>>(self, behaviour: impl FnOnce(Subject) -> F) {
        self.run_on(&next_name(), &Secrets::good(self), behaviour);
    }

    fn run_on<F: Future<Output = ()>>(self, container: &str, secrets: &Secrets, behaviour: impl FnOnce(Subject) -> F) {
        let root = secrets.folder.path().join("root");
        std::fs::create_dir(&root).expect("the folder is writable");
        let folder = match self {
            Self::Http | Self::Webdav => webdav().folder().join(container),
            Self::Sftp => sshd().files().join(container),
            _ => root,
        };
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

    pub fn connection(self, container: &str, secrets: &Secrets) -> ConnectionKind {
        let secret = secrets.secret.clone();
        let web = || WebCredentials::Basic {
            user: Webdav::USER.to_owned(),
            password: secrets.secret.clone(),
        };
        match self {
            Self::Memory => ConnectionKind::Memory,
            Self::Fs => ConnectionKind::Fs {
                root: secrets.folder.path().join("root"),
            },
            Self::Azblob => ConnectionKind::Azblob {
                container: container.to_owned(),
                endpoint: azurite().blob_endpoint.clone(),
                credentials: AzureCredentials::AccountKey {
                    account: Azurite::ACCOUNT.to_owned(),
                    key: secret,
                },
                root: None,
            },
            Self::S3 => ConnectionKind::S3 {
                bucket: container.to_owned(),
                region: Some(Seaweed::REGION.to_owned()),
                endpoint: Some(seaweed().endpoint.clone()),
                credentials: S3Credentials::Keys {
                    access_key_id: secrets.file("access", Seaweed::ACCESS_KEY_ID),
                    secret_access_key: secret,
                    session_token: None,
                },
                root: None,
            },
            Self::Http => ConnectionKind::Http {
                endpoint: format!("{}/{container}", webdav().endpoint),
                credentials: web(),
            },
            Self::Webdav => ConnectionKind::Webdav {
                endpoint: format!("{}/{container}", webdav().endpoint),
                credentials: web(),
            },
            Self::Sftp => ConnectionKind::Sftp {
                host: "127.0.0.1".to_owned(),
                port: sshd().port,
                user: sshd().user.clone(),
                root: sshd().files().join(container).to_str().expect("text").to_owned(),
                credentials: SftpCredentials::PrivateKey {
                    key: secret,
                    passphrase: None,
                },
                host_keys: HostKeys::Known(sshd().known_hosts()),
            },
        }
    }
}

/// Secrets in files, as a connection refers to them.
pub struct Secrets {
    folder: tempfile::TempDir,
    secret: SecretReference,
}

impl Secrets {
    pub fn good(kind: Kind) -> Self {
        Self::new(&match kind {
            Kind::Memory | Kind::Fs => String::new(),
            Kind::Azblob => Azurite::ACCOUNT_KEY.to_owned(),
            Kind::S3 => Seaweed::SECRET_ACCESS_KEY.to_owned(),
            Kind::Http | Kind::Webdav => Webdav::PASSWORD.to_owned(),
            Kind::Sftp => sshd().user_key(),
        })
    }

    fn bad(kind: Kind) -> Self {
        Self::new(&match kind {
            Kind::Sftp => sshd().other_key(),
            _ => BAD_SECRET.to_owned(),
        })
    }

    fn new(secret: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, format!("{secret}\n")).expect("the folder is writable");
        Self {
            folder,
            secret: SecretReference::File(path),
        }
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
