use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pipeline::connect::{Connections, Queue};
use pipeline::model::{AzureCredentials, Ceilings, ConnectionConfig, ConnectionKind, MessageEncoding, SecretReference};

use super::kinds::{azurite, next_name, runtime};
use super::servers::Azurite;

/// A kind of queue, and how to get an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    Azure(MessageEncoding),
    Jsonl,
}

/// A queue to test, with what a test needs to know about it.
pub struct QueueSubject {
    pub kind: QueueKind,
    pub queue: Arc<dyn Queue>,
    pub connections: Connections,
    /// Of an Azure queue.
    pub name: String,
    /// Of a file.
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

/// What an Azure queue lets in.
pub enum Access<'a> {
    Key(&'a str),
    Signature(&'a str),
}

impl QueueKind {
    pub const AZURE: Self = Self::Azure(MessageEncoding::Base64);
    pub const AZURE_TEXT: Self = Self::Azure(MessageEncoding::Text);

    /// Runs a behaviour on an empty queue of this kind.
    pub fn run<F: Future<Output = ()>>(self, behaviour: impl FnOnce(QueueSubject) -> F) {
        let name = next_name();
        if let Self::Azure(_) = self {
            azurite().create_queue(&name);
        }
        self.run_on(&name, &Access::Key(Azurite::ACCOUNT_KEY), behaviour);
    }

    /// Runs a behaviour on a queue that may not be there, with credentials that may be wrong.
    pub fn run_on<F: Future<Output = ()>>(
        self,
        name: &str,
        access: &Access<'_>,
        behaviour: impl FnOnce(QueueSubject) -> F,
    ) {
        let endpoint = match self {
            Self::Azure(_) => azurite().queue_endpoint.clone(),
            Self::Jsonl => String::new(),
        };
        self.run_at(&endpoint, name, access, behaviour);
    }

    /// Runs a behaviour on a queue of a server of its own.
    pub fn run_at<F: Future<Output = ()>>(
        self,
        endpoint: &str,
        name: &str,
        access: &Access<'_>,
        behaviour: impl FnOnce(QueueSubject) -> F,
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out/queue.jsonl");
        let secret = |value: &str| {
            let path = folder.path().join("secret");
            std::fs::write(&path, format!("{value}\n")).expect("the folder is writable");
            SecretReference::File(path)
        };
        let credentials = match access {
            Access::Key(key) => AzureCredentials::AccountKey {
                account: Azurite::ACCOUNT.to_owned(),
                key: secret(key),
            },
            Access::Signature(token) => AzureCredentials::SasToken(secret(token)),
        };
        let kind = match self {
            Self::Azure(encoding) => ConnectionKind::AzureQueue {
                queue: name.to_owned(),
                endpoint: endpoint.to_owned(),
                credentials,
                encoding,
            },
            Self::Jsonl => ConnectionKind::JsonlQueue { path: path.clone() },
        };
        let config = ConnectionConfig {
            name: "subject".to_owned(),
            kind,
            timeout: Duration::from_secs(if endpoint == self.own_endpoint() { 30 } else { 1 }),
            ceilings: Ceilings::default(),
            retry: None,
        };
        let connections = Connections::new(BTreeMap::from([("subject".to_owned(), config)]));
        runtime().block_on(async {
            let queue = connections.queue("subject").await.expect("the queue opens");
            let subject = QueueSubject {
                kind: self,
                queue,
                connections,
                name: name.to_owned(),
                path,
                _folder: folder,
            };
            behaviour(subject).await;
        });
    }

    fn own_endpoint(self) -> String {
        match self {
            Self::Azure(_) => azurite().queue_endpoint.clone(),
            Self::Jsonl => String::new(),
        }
    }
}

impl QueueSubject {
    /// The bodies that a consumer reads, in no order. Takes them out of an Azure queue.
    pub fn received(&self) -> Vec<String> {
        match self.kind {
            QueueKind::Azure(MessageEncoding::Text) => azurite().drain_queue(&self.name),
            QueueKind::Azure(MessageEncoding::Base64) => {
                let decoded = |text: &String| String::from_utf8(BASE64_STANDARD.decode(text).unwrap()).unwrap();
                azurite().drain_queue(&self.name).iter().map(decoded).collect()
            }
            QueueKind::Jsonl => self.lines().into_iter().map(|(_, body)| body).collect(),
        }
    }

    /// Id and body of each line of a file.
    pub fn lines(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        let line = |line: &str| -> (String, String) {
            let fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(line).unwrap();
            let body = match &fields["body"] {
                serde_json::Value::String(body) => body.clone(),
                body => body.to_string(),
            };
            (fields["id"].as_str().unwrap().to_owned(), body)
        };
        text.lines().map(line).collect()
    }
}
