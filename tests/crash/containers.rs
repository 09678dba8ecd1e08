use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use pipeline::connect::{Connections, ObjectInfo, ObjectMetadata, Precondition, Store, WriteRequest};
use pipeline::model::{
    AzureCredentials, Ceilings, ConnectionConfig, ConnectionKind, Failure, SecretReference, Timestamp,
};
use tokio::runtime::Runtime;

use super::files::{Fate, File};
use super::job::{List, Place, Spec};
use super::servers::Azurite;

/// Requests at once of the test itself.
const CONCURRENCY: usize = 16;

/// How often the test itself asks for one thing.
const TRIES: usize = 5;

/// Tells of each file at the sink.
const TELL: &str = r#"[{ notify: { connection: told, each: file, when: present, message: { item: "{{item.WorkItemId}}", blob: "{{target.name}}" } } }]"#;

/// Two containers of the emulator, one with the files of a job.
pub struct Containers {
    source: Arc<dyn Store>,
    sink: Arc<dyn Store>,
    names: [String; 2],
    _secret: tempfile::TempDir,
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// One emulator for all tests of this process; it ends with the process.
pub fn azurite() -> &'static Azurite {
    static AZURITE: OnceLock<Azurite> = OnceLock::new();
    AZURITE.get_or_init(Azurite::start)
}

/// How a job reaches the containers, and how it goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    pub endpoint: &'a str,
    pub key: &'a str,
    /// Items at once, and files of each.
    pub concurrency: [usize; 2],
    pub mode: &'static str,
    pub list: List,
    pub page_units: usize,
    pub max_attempts: usize,
    pub outage: &'static str,
    /// The queue of the emulator that is told of each file at the sink.
    pub queue: Option<&'a str>,
}

impl<'a> Reach<'a> {
    pub fn by(endpoint: &'a str) -> Self {
        Self {
            endpoint,
            key: Azurite::ACCOUNT_KEY,
            concurrency: [3, 4],
            mode: "skip",
            list: List::Csv,
            page_units: 4096,
            max_attempts: 3,
            outage: "5m",
            queue: None,
        }
    }
}

/// An object of before, as it must stay.
pub type Mark = (Option<String>, Option<Timestamp>);

impl Containers {
    /// Makes the containers and puts the files there.
    pub fn with(files: &[File]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let names = [format!("workitems-{number}"), format!("results-{number}")];
        let secret = tempfile::tempdir().unwrap();
        let key = secret.path().join("key");
        std::fs::write(&key, Azurite::ACCOUNT_KEY).unwrap();
        let config = |container: &String| {
            azurite().create_container(container);
            let kind = ConnectionKind::Azblob {
                container: container.clone(),
                endpoint: azurite().blob_endpoint.clone(),
                credentials: AzureCredentials::AccountKey {
                    account: Azurite::ACCOUNT.to_owned(),
                    key: SecretReference::File(key.clone()),
                },
                root: None,
            };
            let config = ConnectionConfig {
                name: container.clone(),
                kind,
                timeout: Duration::from_secs(60),
                ceilings: Ceilings::default(),
                retry: None,
            };
            (container.clone(), config)
        };
        let connections = Connections::new(names.iter().map(config).collect());
        let store = |name: &str| runtime().block_on(connections.store(name)).unwrap();
        let (source, sink) = (store(&names[0]), store(&names[1]));
        let containers = Self {
            source,
            sink,
            names,
            _secret: secret,
        };
        runtime().block_on(async {
            stream::iter(files)
                .for_each_concurrent(CONCURRENCY, |file| containers.put(file))
                .await;
        });
        containers
    }

    async fn put(&self, file: &File) {
        if file.fate != Fate::Missing {
            write(&*self.source, &file.source(), file.bytes(), &metadata(file)).await;
        }
        if file.fate == Fate::There {
            write(
                &*self.sink,
                &file.target(),
                file.bytes_there(),
                &ObjectMetadata::default(),
            )
            .await;
        }
    }

    /// A job that copies the files from one container to the other.
    pub fn job(&self, files: Vec<File>, reach: &Reach<'_>) -> Place {
        let Reach {
            endpoint,
            key,
            concurrency: [items, units],
            mode,
            list,
            page_units,
            max_attempts,
            outage,
            queue,
        } = *reach;
        let environment = BTreeMap::from([("CRASH_ACCOUNT_KEY", key.to_owned())]);
        let place = Place::new(files, environment);
        let [source, sink] = &self.names;
        let mut table = "WorkItemId,Uri,FileName\n".to_owned();
        for file in &place.files {
            let uri = format!("{endpoint}/{source}/{}/{}", file.item, escape(&file.name));
            table.push_str(&format!("{},{uri},\"{}\"\n", file.item, file.name));
        }
        place.write("files.csv", &table);
        let (files, name) = match list {
            List::Csv => (
                r#"{ connection: telemetry, query: { sql: "select Uri, FileName from files where WorkItemId = :id" },
    params: { id: "{{item.WorkItemId}}" }, read: { connection: originals, path: "{{url_path file.Uri}}" } }"#,
                "file.FileName",
            ),
            List::Glob => (
                r#"{ connection: originals, glob: "{{item.WorkItemId}}/**" }"#,
                "file.name",
            ),
        };
        place.write_spec(&Spec {
            items_column: "WorkItemId",
            files: files.to_owned(),
            name,
            mode,
            page_units,
            max_attempts,
            outage,
            items,
            units,
            then: queue.map_or("[]", |_| TELL),
        });
        let store = |connection: &str, container: &str| {
            format!(
                "[local.{connection}.azblob]\naccount = \"{}\"\ncontainer = \"{container}\"\nendpoint = \"{endpoint}\"\n\
                 account_key = \"${{env:CRASH_ACCOUNT_KEY}}\"\ntimeout = \"20s\"\n",
                Azurite::ACCOUNT
            )
        };
        let queue = queue.map(|queue| {
            let (account, endpoint) = (Azurite::ACCOUNT, &azurite().queue_endpoint);
            format!(
                "[local.told.azqueue]\naccount = \"{account}\"\nqueue = \"{queue}\"\nendpoint = \"{endpoint}\"\n\
                 account_key = \"${{env:CRASH_ACCOUNT_KEY}}\"\nencoding = \"text\"\ntimeout = \"20s\"\n"
            )
        });
        place.write(
            "connections.toml",
            &format!(
                "[local]\ninputs.fs = {{ root = \".\" }}\ntelemetry.csv-sqlite = {{ tables = {{ files = \"files.csv\" }} }}\n{}{}{}",
                store("originals", source),
                store("results", sink),
                queue.unwrap_or_default()
            ),
        );
        place
    }

    /// How many blobs are at the sink.
    pub fn at_sink(&self) -> usize {
        self.listing().len()
    }

    fn listing(&self) -> Vec<ObjectInfo> {
        runtime().block_on(insist(async || self.sink.list("", None).await?.try_collect().await))
    }

    /// Every blob at the sink by name.
    pub fn marks(&self) -> BTreeMap<String, Mark> {
        let objects = self.listing().into_iter();
        objects
            .map(|object| (object.name, (object.etag, object.modified)))
            .collect()
    }

    /// The sink holds what the files say and nothing else, byte for byte; what was there before is what it was.
    pub fn assert_sink(&self, files: &[File], before: &BTreeMap<String, Mark>) {
        let marks = self.marks();
        let names: BTreeSet<String> = marks.keys().cloned().collect();
        let expected = files.iter().filter(|file| file.fate != Fate::Missing);
        assert_eq!(names, expected.map(File::target).collect());
        for (name, mark) in before {
            assert_eq!(&marks[name], mark, "`{name}` was there before");
        }
        runtime().block_on(async {
            stream::iter(files.iter().filter(|file| file.fate == Fate::Copied))
                .for_each_concurrent(CONCURRENCY, |file| self.assert_copied(file))
                .await;
        });
    }

    async fn assert_copied(&self, file: &File) {
        let (info, bytes) = insist(async || {
            let (info, body) = self.sink.read(&file.target(), None).await?;
            let pieces: Vec<Bytes> = body.try_collect().await?;
            Ok((info, pieces.concat()))
        })
        .await;
        assert!(bytes == file.bytes(), "{file:?}");
        assert_eq!(info.metadata, metadata(file), "{file:?}");
    }
}

/// The emulator cuts a connection now and then that has been idle: what the test itself asks for is asked again, as a run does.
async fn insist<T>(ask: impl AsyncFn() -> Result<T, Failure>) -> T {
    for _ in 1..TRIES {
        match ask().await {
            Err(failure) if failure.class.is_retryable() => {}
            answer => return answer.unwrap(),
        }
    }
    ask().await.unwrap()
}

/// What stands beside the bytes of a file at the source.
fn metadata(file: &File) -> ObjectMetadata {
    ObjectMetadata {
        content_type: Some(
            if file.name.ends_with(".pdf") {
                "application/pdf"
            } else {
                "text/x-crash"
            }
            .to_owned(),
        ),
        user: BTreeMap::from([("item".to_owned(), file.item.clone())]),
        ..ObjectMetadata::default()
    }
}

async fn write(store: &dyn Store, name: &str, bytes: Vec<u8>, metadata: &ObjectMetadata) {
    let bytes = Bytes::from(bytes);
    insist(async || {
        let request = WriteRequest {
            name,
            size: bytes.len() as u64,
            metadata,
            precondition: Precondition::None,
            part_size: 8 << 20,
            parts: 1,
        };
        let mut writer = store.write(request).await?;
        if !bytes.is_empty() {
            writer.write(bytes.clone()).await?;
        }
        writer.close().await
    })
    .await;
}

/// A name as it stands in a URI.
fn escape(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
