use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::model::{ConnectionConfig, Failure};

use super::registry::{self, Opened};
use super::{Database, Queue, Store};

/// The connections of a run, each opened on first use and once.
///
/// A failed opening is not remembered: the next caller tries again, because a secret may have been put right meanwhile.
pub struct Connections {
    slots: BTreeMap<String, Slot>,
}

struct Slot {
    config: ConnectionConfig,
    opened: OnceCell<Opened>,
}

impl Connections {
    /// Opens nothing yet.
    pub fn new(configs: BTreeMap<String, ConnectionConfig>) -> Self {
        let slots = configs
            .into_iter()
            .map(|(name, config)| {
                let opened = OnceCell::new();
                (name, Slot { config, opened })
            })
            .collect();
        Self { slots }
    }

    /// The names of all connections, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.slots.keys().map(String::as_str)
    }

    /// A connection that holds objects.
    ///
    /// # Errors
    /// `connection.unknown`, `connection.no_store`, and whatever opening it meets.
    pub async fn store(&self, name: &str) -> Result<Arc<dyn Store>, Failure> {
        match self.open(name).await? {
            Opened::Store(store) => Ok(Arc::clone(store)),
            Opened::Database(_) | Opened::Queue(_) => {
                Err(self.wrong_kind(name, "connection.no_store", "holds no objects"))
            }
        }
    }

    /// A connection that answers queries.
    ///
    /// # Errors
    /// `connection.unknown`, `connection.no_database`, and whatever opening it meets.
    pub async fn database(&self, name: &str) -> Result<Arc<dyn Database>, Failure> {
        match self.open(name).await? {
            Opened::Database(database) => Ok(Arc::clone(database)),
            Opened::Store(_) | Opened::Queue(_) => {
                Err(self.wrong_kind(name, "connection.no_database", "answers no queries"))
            }
        }
    }

    /// A connection that takes messages.
    ///
    /// # Errors
    /// `connection.unknown`, `connection.no_queue`, and whatever opening it meets.
    pub async fn queue(&self, name: &str) -> Result<Arc<dyn Queue>, Failure> {
        match self.open(name).await? {
            Opened::Queue(queue) => Ok(Arc::clone(queue)),
            Opened::Store(_) | Opened::Database(_) => {
                Err(self.wrong_kind(name, "connection.no_queue", "takes no messages"))
            }
        }
    }

    /// Opens a connection and makes one cheap call that proves address and credentials.
    pub async fn probe(&self, name: &str) -> Result<(), Failure> {
        let answer = match self.open(name).await? {
            Opened::Store(store) => store.probe().await,
            Opened::Database(database) => database.probe().await,
            Opened::Queue(queue) => queue.probe().await,
        };
        answer.map_err(|failure| failure.context(format_args!("connection `{name}`")))
    }

    async fn open(&self, name: &str) -> Result<&Opened, Failure> {
        let slot = self.slots.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.names().collect();
            Failure::permanent(
                "connection.unknown",
                format!("no connection is called `{name}`; there are: {}", known.join(", ")),
            )
        })?;
        slot.opened
            .get_or_try_init(|| registry::open(&slot.config))
            .await
            .map_err(|failure| failure.context(format_args!("connection `{name}`")))
    }

    fn wrong_kind(&self, name: &str, code: &'static str, lack: &str) -> Failure {
        let kind = self.slots.get(name).map_or("unknown", |slot| slot.config.kind.name());
        Failure::permanent(code, format!("connection `{name}` is of kind `{kind}`, which {lack}"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{AzureCredentials, ConnectionKind, FailureClass, SecretReference};

    fn connections(kind: ConnectionKind) -> Connections {
        let config = ConnectionConfig {
            name: "results".to_owned(),
            kind,
            timeout: Duration::from_secs(5),
            limit: None,
            retry: None,
        };
        Connections::new(BTreeMap::from([("results".to_owned(), config)]))
    }

    #[tokio::test]
    async fn a_connection_is_opened_once() {
        let connections = connections(ConnectionKind::Memory);
        let first = connections.store("results").await.unwrap();
        let second = connections.store("results").await.unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        connections.probe("results").await.unwrap();
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
