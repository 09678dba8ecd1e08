use std::collections::HashMap;
use std::iter;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::failure;
use crate::connect::tables::session::{Idle, within};
use crate::connect::tls;
use crate::model::{DatabaseAddress, Failure, Secret};

/// What parts statements that are sent together.
const BETWEEN: &str = ";\n";

/// What every session begins with: times are UTC, and a backslash in a text is one, on which the quoting of values relies.
const SESSION: &str = "set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'iso_8601'; set bytea_output = 'hex'; \
                       set extra_float_digits = 3; set standard_conforming_strings = on; set application_name = 'pipeline'";

/// A connection, and the statements that its server has been made ready for.
struct Session {
    client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
}

/// Connections to one database.
pub(super) struct Pool {
    address: DatabaseAddress,
    timeout: Duration,
    idle: Idle<Session>,
}

impl Pool {
    pub(super) fn new(address: DatabaseAddress, timeout: Duration) -> Self {
        Self {
            address,
            timeout,
            idle: Idle::default(),
        }
    }

    /// An idle connection, or a new one.
    pub(super) async fn take(&self) -> Result<Lease, Failure> {
        while let Some(session) = self.idle.take() {
            if !session.client.is_closed() {
                return Ok(self.lease(session));
            }
        }
        let session = Session {
            client: self.connect().await?,
            prepared: Mutex::default(),
        };
        Ok(self.lease(session))
    }

    fn lease(&self, session: Session) -> Lease {
        Lease {
            session,
            idle: self.idle.clone(),
        }
    }

    async fn connect(&self) -> Result<Client, Failure> {
        let DatabaseAddress {
            host,
            port,
            database,
            user,
            password,
            is_encrypted,
        } = &self.address;
        let password: Option<Secret> = crate::connect::secrets::read_optional(password.as_ref()).await?;
        let mut config = Config::new();
        config
            .host(host)
            .port(*port)
            .dbname(database)
            .user(user)
            .connect_timeout(self.timeout);
        // A server that is gone without a word is missed within a minute.
        config.keepalives_idle(Duration::from_secs(30));
        config
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3);
        // Left to itself, it would go on in the clear where the server has no encryption.
        config.ssl_mode(if *is_encrypted {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        if let Some(password) = &password {
            config.password(password.reveal());
        }
        let connecting = async {
            if *is_encrypted {
                let (client, connection) = config
                    .connect(MakeRustlsConnect::new(tls::client_config()?))
                    .await
                    .map_err(|error| failure(&error))?;
                tokio::spawn(connection);
                Ok(client)
            } else {
                let (client, connection) = config.connect(NoTls).await.map_err(|error| failure(&error))?;
                tokio::spawn(connection);
                Ok::<_, Failure>(client)
            }
        };
        let client = within(self.timeout, host, *port, connecting).await??;
        client.batch_execute(SESSION).await.map_err(|error| failure(&error))?;
        Ok(client)
    }
}

/// A connection in use. Dropped without being given back, it is closed: whatever it was in the middle of is undone by the server.
pub(super) struct Lease {
    session: Session,
    idle: Idle<Session>,
}

impl Lease {
    pub(super) fn client(&self) -> &Client {
        &self.session.client
    }

    /// The rows of a query that is asked for each table anew: the server reads and plans it once for a connection.
    pub(super) async fn query_often(
        &self,
        text: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let Session { client, prepared } = &self.session;
        let known = prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(text)
            .cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = client.prepare(text).await?;
                let mut prepared = prepared.lock().unwrap_or_else(PoisonError::into_inner);
                prepared.insert(text, statement.clone());
                statement
            }
        };
        client.query(&statement, parameters).await
    }

    pub(super) async fn run(&self, text: &str) -> Result<(), Failure> {
        self.client().batch_execute(text).await.map_err(|error| failure(&error))
    }

    /// Runs statements in a transaction of their own.
    ///
    /// # Errors
    /// Of the first statement that failed, which it names; nothing of them is there then.
    pub(super) async fn run_in_transaction(&self, statements: &[String]) -> Result<(), Failure> {
        let texts = iter::once("begin").chain(statements.iter().map(String::as_str));
        self.run_together(texts.chain(iter::once("commit"))).await
    }

    /// Runs statements in the transaction that is open, and commits it.
    ///
    /// # Errors
    /// Of the first statement that failed, which it names; nothing of the transaction is there then.
    pub(super) async fn finish_transaction(&self, statements: &[String]) -> Result<(), Failure> {
        let texts = statements.iter().map(String::as_str);
        self.run_together(texts.chain(iter::once("commit"))).await
    }

    /// Sends statements as one message: to wake up for each would cost more than most of them do. The server goes no further than the first that
    /// fails, so that a commit behind it is none.
    async fn run_together(&self, texts: impl Iterator<Item = &str>) -> Result<(), Failure> {
        let texts: Vec<&str> = texts.collect();
        let answers = self.client().simple_query_raw(&texts.join(BETWEEN)).await;
        let mut answers = pin!(answers.map_err(|error| failure(&error))?);
        let mut done = 0;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(SimpleQueryMessage::CommandComplete(_)) => done += 1,
                Ok(_) => {}
                Err(error) => {
                    let failed = at_fault(&texts, done, &error).unwrap_or_default();
                    return Err(failure(&error).context(format_args!("`{failed}`")));
                }
            }
        }
        Ok(())
    }

    pub(super) fn give_back(self) {
        self.idle.keep(self.session);
    }
}

/// The statement of those sent together that an error is of: the one that it points into, else the first that was not done. A server that cannot read
/// one of them does none.
fn at_fault<'a>(texts: &[&'a str], done: usize, error: &Error) -> Option<&'a str> {
    let pointed = match error.as_db_error().and_then(|told| told.position()) {
        Some(ErrorPosition::Original(character)) => statement_at(texts, *character as usize),
        _ => None,
    };
    pointed.or_else(|| texts.get(done).copied())
}

/// The statement that a character stands in, counted from 1 over all of them and what parts them.
fn statement_at<'a>(texts: &[&'a str], character: usize) -> Option<&'a str> {
    let mut end = 0;
    let mut texts = texts.iter().copied();
    texts.find(|text| {
        end += text.chars().count() + BETWEEN.len();
        character <= end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_of_the_statement_that_it_points_into() {
        let texts = ["begin", "drop tabel \"ä\"", "commit"];
        let sent = texts.join(BETWEEN);
        let of = |word: &str| {
            let before = sent.split(word).next().unwrap();
            statement_at(&texts, before.chars().count() + 1)
        };
        for (word, text) in [("begin", texts[0]), ("tabel", texts[1]), ("commit", texts[2])] {
            assert_eq!(of(word), Some(text));
        }
        assert_eq!(statement_at(&texts, 1_000), None);
    }
}
