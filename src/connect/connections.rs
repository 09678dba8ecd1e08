use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OnceCell, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::model::{ConnectionConfig, Failure, Throttle};

use super::gate::{Door, Gate, GatedDatabase, GatedQueue, GatedStore, GatedTables};
use super::registry::{self, Opened};
use super::tables::{FileRole, FileTables, Queries};
use super::{Database, Queue, Store, TableStore};

/// Calls in flight to a connection that nothing else bounds.
const CALLS_MAX: usize = 10_000;

/// The connections of a run, each opened on first use and once, and each behind its gate. Clones are the same connections.
///
/// A failed opening is not remembered: the next caller tries again, because a secret may have been put right meanwhile.
#[derive(Clone)]
pub struct Connections {
    all: Arc<BTreeMap<String, Connection>>,
    /// What one item slot may have in flight to each connection that bounds it.
    slot: BTreeMap<String, Arc<Semaphore>>,
}

struct Connection {
    config: ConnectionConfig,
    opened: OnceCell<Opened>,
    gate: Arc<Gate>,
}

impl Connections {
    /// Opens nothing yet.
    pub fn new(configs: BTreeMap<String, ConnectionConfig>) -> Self {
        Self::bounded(configs, CALLS_MAX, &CancellationToken::new())
    }

    /// The same with at most `calls_max` calls in flight to each, none of which is begun once `closing` is cancelled.
    pub fn bounded(configs: BTreeMap<String, ConnectionConfig>, calls_max: usize, closing: &CancellationToken) -> Self {
        let all = configs.into_iter().map(|(name, config)| {
            let gate = Gate::new(&name, &config.ceilings, calls_max, closing.clone());
            let opened = OnceCell::new();
            (name, Connection { config, opened, gate })
        });
        Self {
            all: Arc::new(all.collect()),
            slot: BTreeMap::new(),
        }
    }

    /// The same connections as one more item slot may use them.
    pub fn for_slot(&self) -> Self {
        let bounds = self.all.iter().filter_map(|(name, connection)| {
            let bound = connection.config.ceilings.per_slot?;
            Some((name.clone(), Arc::new(Semaphore::new(bound))))
        });
        Self {
            all: Arc::clone(&self.all),
            slot: bounds.collect(),
        }
    }

    /// The names of all connections, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// A connection that holds objects, for callers that hold no pass of its door.
    ///
    /// # Errors
    /// `connection.unknown`, `connection.no_store`, and whatever opening it meets.
    pub async fn store(&self, name: &str) -> Result<Arc<dyn Store>, Failure> {
        let (store, door) = self.open_store(name).await?;
        Ok(Arc::new(GatedStore::new(store, door)))
    }

    /// The same for callers that hold a pass of its door.
    ///
    /// # Errors
    /// As for [`Connections::store`].
    pub async fn store_inside(&self, name: &str) -> Result<Arc<dyn Store>, Failure> {
        let (store, door) = self.open_store(name).await?;
        Ok(Arc::new(GatedStore::inside(store, door)))
    }

    /// A connection that answers queries.
    ///
    /// # Errors
    /// `connection.unknown`, `connection.no_database`, and whatever opening it meets.
    pub async fn database(&self, name: &str) -> Result<Arc<dyn Database>, Failure> {
        let connection = self.open(name).await?;
        let database: Arc<dyn Database> = match connection.opened.get() {
            Some(Opened::Database(database)) => Arc::clone(database),
            Some(Opened::Tables(tables)) => Arc::new(Queries::new(Arc::clone(tables))),
            _ => return Err(self.wrong_kind(name, "connection.no_database", "answers no queries")),
        };
        let door = connection.gate.door(&self.slot);
        Ok(Arc::new(GatedDatabase::new(database, door)))
    }

    /// A connection that takes messages, for callers that hold a pass of its door.
    ///
    /// # Errors
    /// `connection.unknown`, `connection.no_queue`, and whatever opening it meets.
    pub async fn queue(&self, name: &str) -> Result<Arc<dyn Queue>, Failure> {
        let connection = self.open(name).await?;
        match connection.opened.get() {
            Some(Opened::Queue(queue)) => {
                let door = connection.gate.door(&self.slot);
                Ok(Arc::new(GatedQueue::new(Arc::clone(queue), door)))
            }
            _ => Err(self.wrong_kind(name, "connection.no_queue", "takes no messages")),
        }
    }

    /// Where passes for a connection are had.
    ///
    /// # Errors
    /// `connection.unknown`
    pub fn door(&self, name: &str) -> Result<Door, Failure> {
        Ok(self.find(name)?.gate.door(&self.slot))
    }

    /// What has been throttled, and how far. The stage is for the caller to say.
    pub fn throttles(&self) -> Vec<Throttle> {
        self.all
            .values()
            .filter_map(|connection| connection.gate.throttle())
            .collect()
    }

    /// Takes notice of a failure that used up its attempts. The name of the connection when this shows that it is gone: nothing is begun
    /// with it any more until [`Connections::reopen`].
    pub fn exhausted(&self, failure: &Failure) -> Option<String> {
        if !failure.code.ends_with(".connection") {
            return None;
        }
        let connection = self.all.get(failure.connection.as_deref()?)?;
        connection.gate.exhausted().then(|| connection.config.name.clone())
    }

    /// Lets work go on with a connection that answers again.
    pub fn reopen(&self, name: &str) {
        if let Some(connection) = self.all.get(name) {
            connection.gate.reopen();
        }
    }

    /// A connection whose tables can be read and written. Calls take no pass: who moves rows holds one of its door meanwhile.
    ///
    /// # Errors
    /// `connection.unknown`, `connection.no_tables`, and whatever opening it meets.
    pub async fn tables(&self, name: &str) -> Result<Arc<dyn TableStore>, Failure> {
        let connection = self.open(name).await?;
        match connection.opened.get() {
            Some(Opened::Tables(database)) => {
                let door = connection.gate.door(&self.slot);
                let timeout = connection.config.timeout;
                Ok(Arc::new(GatedTables::new(Arc::clone(database), door, timeout)))
            }
            _ => Err(self.wrong_kind(name, "connection.no_tables", "holds no tables")),
        }
    }

    /// The files of a connection that holds objects, as tables. For callers that hold a pass of its door, as with [`Connections::tables`].
    ///
    /// # Errors
    /// As for [`Connections::store`].
    pub async fn file_tables(&self, name: &str, role: FileRole) -> Result<Arc<dyn TableStore>, Failure> {
        let store = self.store_inside(name).await?;
        Ok(Arc::new(FileTables::new(store, role)))
    }

    /// Opens a connection and makes one cheap call that proves address and credentials.
    pub async fn probe(&self, name: &str) -> Result<(), Failure> {
        let answer = match self.open(name).await?.opened.get() {
            Some(Opened::Store(store)) => store.probe().await,
            Some(Opened::Database(database)) => database.probe().await,
            Some(Opened::Queue(queue)) => queue.probe().await,
            Some(Opened::Tables(database)) => database.probe().await,
            None => Ok(()),
        };
        answer.map_err(|failure| failure.context(format_args!("connection `{name}`")))
    }

    async fn open_store(&self, name: &str) -> Result<(Arc<dyn Store>, Door), Failure> {
        let connection = self.open(name).await?;
        match connection.opened.get() {
            Some(Opened::Store(store)) => Ok((Arc::clone(store), connection.gate.door(&self.slot))),
            _ => Err(self.wrong_kind(name, "connection.no_store", "holds no objects")),
        }
    }

    async fn open(&self, name: &str) -> Result<&Connection, Failure> {
        let connection = self.find(name)?;
        connection
            .opened
            .get_or_try_init(|| {
                let gate = Arc::clone(&connection.gate);
                registry::open(&connection.config, Arc::new(move |failure| gate.repeated(failure)))
            })
            .await
            .map_err(|failure| failure.context(format_args!("connection `{name}`")))?;
        Ok(connection)
    }

    fn find(&self, name: &str) -> Result<&Connection, Failure> {
        self.all.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.names().collect();
            Failure::permanent(
                "connection.unknown",
                format!("no connection is called `{name}`; there are: {}", known.join(", ")),
            )
        })
    }

    fn wrong_kind(&self, name: &str, code: &'static str, lack: &str) -> Failure {
        let kind = self.all.get(name).map_or("unknown", |known| known.config.kind.name());
        Failure::permanent(code, format!("connection `{name}` is of kind `{kind}`, which {lack}"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::StreamExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::model::{AzureCredentials, Ceilings, ConnectionKind, FailureClass, SecretReference};

    fn connections(kind: ConnectionKind) -> Connections {
        let config = ConnectionConfig {
            name: "results".to_owned(),
            kind,
            timeout: Duration::from_secs(5),
            ceilings: Ceilings::default(),
            retry: None,
        };
        Connections::new(BTreeMap::from([("results".to_owned(), config)]))
    }

    #[tokio::test]
    async fn a_connection_is_opened_once() {
        let connections = connections(ConnectionKind::Memory);
        let (first, _) = connections.open_store("results").await.unwrap();
        let (second, _) = connections.for_slot().open_store("results").await.unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        connections.probe("results").await.unwrap();
    }

    /// A page that is repeated within its listing never reaches the engine as a failure.
    #[tokio::test]
    async fn a_page_that_is_throttled_lowers_the_connection() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/account", server.local_addr().unwrap());
        let answers = tokio::spawn(async move {
            let page = "<?xml version=\"1.0\"?><EnumerationResults><Blobs></Blobs><NextMarker/></EnumerationResults>";
            for (status, body) in [("503 Server Busy", ""), ("200 OK", page)] {
                let (mut stream, _) = server.accept().await.unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(stream.read_u8().await.unwrap());
                }
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let connections = connections(ConnectionKind::Azblob {
            container: "c".to_owned(),
            endpoint,
            credentials: AzureCredentials::Anonymous,
            root: None,
        });
        let store = connections.store("results").await.unwrap();
        let listed: Vec<_> = store.list("", None).await.unwrap().collect().await;
        assert!(listed.is_empty(), "{listed:?}");
        answers.await.unwrap();
        let [throttle] = connections.throttles().try_into().unwrap();
        assert_eq!(
            (throttle.connection.as_str(), throttle.answer.as_str()),
            ("results", "503")
        );
        assert_eq!((throttle.cuts, throttle.lowest), (1, throttle.ceiling / 2));
    }

    #[tokio::test]
    async fn an_unknown_name_and_a_wrong_kind_are_told_apart() {
        let connections = connections(ConnectionKind::Memory);
        let unknown = connections.store("result").await.err().unwrap();
        assert_eq!(unknown.code, "connection.unknown");
        assert!(unknown.message.contains("`result`") && unknown.message.contains("results"));
        let wrong = connections.database("results").await.err().unwrap();
        assert_eq!(wrong.code, "connection.no_database");
        let wrong = connections.queue("results").await.err().unwrap();
        assert_eq!(wrong.code, "connection.no_queue");
    }

    #[tokio::test]
    async fn a_missing_secret_names_its_variable() {
        let connections = connections(ConnectionKind::Azblob {
            container: "c".to_owned(),
            endpoint: "http://127.0.0.1:1/account".to_owned(),
            credentials: AzureCredentials::AccountKey {
                account: "account".to_owned(),
                key: SecretReference::Environment("PIPELINE_TEST_UNSET_VARIABLE".to_owned()),
            },
            root: None,
        });
        let missing = connections.store("results").await.err().unwrap();
        assert_eq!(missing.code, "connection.secret_missing");
        assert_eq!(missing.class, FailureClass::Denied);
        assert!(missing.message.contains("PIPELINE_TEST_UNSET_VARIABLE"), "{missing}");
    }
}
