use std::time::Duration;

use futures::FutureExt;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, SslOpts};

use super::error::failure;
use crate::connect::tables::session::{Idle, within};
use crate::connect::tls;
use crate::model::{DatabaseAddress, Failure};

/// What every session begins with. Times are UTC; a value that a column cannot hold is an error, but a zero date is none and a 0 in a
/// numbered column stays 0; notes are no warnings; and a reader that waits for its sink is not thrown out.
const SESSION: &[&str] = &[
    "set names utf8mb4",
    "set session time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', \
     sql_notes = 0, net_write_timeout = 3600, net_read_timeout = 3600",
];

/// Connections to one database.
pub(super) struct Pool {
    address: DatabaseAddress,
    timeout: Duration,
    idle: Idle<Conn>,
}

impl Pool {
    pub(super) fn new(address: DatabaseAddress, timeout: Duration) -> Self {
        Self {
            address,
            timeout,
            idle: Idle::default(),
        }
    }

    pub(super) fn database(&self) -> &str {
        &self.address.database
    }

    /// An idle connection that still answers, or a new one.
    pub(super) async fn take(&self) -> Result<Lease, Failure> {
        while let Some(connection) = self.idle.take() {
            let mut lease = self.lease(connection);
            // A server that went away shows only when it is asked.
            let answer = tokio::time::timeout(self.timeout, lease.connection()?.ping()).await;
            if matches!(answer, Ok(Ok(()))) {
                return Ok(lease);
            }
        }
        let connection = self.connect().await?;
        Ok(self.lease(connection))
    }

    fn lease(&self, connection: Conn) -> Lease {
        Lease {
            connection: Some(connection),
            idle: self.idle.clone(),
        }
    }

    async fn connect(&self) -> Result<Conn, Failure> {
        let DatabaseAddress {
            host,
            port,
            database,
            user,
            password,
            is_encrypted,
        } = &self.address;
        let password = crate::connect::secrets::read_optional(password.as_ref()).await?;
        let mut options = OptsBuilder::default()
            .ip_or_hostname(host.clone())
            .tcp_port(*port)
            .db_name(Some(database.clone()))
            .user(Some(user.clone()))
            .pass(password.map(|password| password.reveal().to_owned()))
            .tcp_keepalive(Some(Duration::from_secs(30)))
            // It would leave the host that the connection names for a socket of this machine.
            .prefer_socket(false)
            .init(SESSION.to_vec());
        if *is_encrypted {
            options = options.ssl_opts(Some(encryption()));
        }
        let connection = within(self.timeout, host, *port, Conn::new(options)).await?;
        connection.map_err(|error| failure(&error))
    }
}

/// Certificates are checked against those that the machine trusts, and against no list of the library's own.
fn encryption() -> SslOpts {
    tls::install();
    let trusted = rustls_native_certs::load_native_certs().certs;
    let roots = trusted.into_iter().map(|certificate| certificate.to_vec().into());
    SslOpts::default()
        .with_disable_built_in_roots(true)
        .with_root_certs(roots.collect())
}

/// A connection in use. Dropped without being given back, it is closed: whatever it was in the middle of is undone by the server.
pub(super) struct Lease {
    connection: Option<Conn>,
    idle: Idle<Conn>,
}

impl Lease {
    /// # Errors
    /// `database.connection`: it was given back, which is a defect of the caller.
    pub(super) fn connection(&mut self) -> Result<&mut Conn, Failure> {
        let lost = || Failure::transient("database.connection", "MySQL: the connection has been given back");
        self.connection.as_mut().ok_or_else(lost)
    }

    pub(super) async fn run(&mut self, text: &str) -> Result<(), Failure> {
        let ran = self.connection()?.query_drop(text).await;
        ran.map_err(|error| failure(&error))
    }

    pub(super) fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.keep(connection);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Left to itself, it would first read all that the server still has to send. Polled once and let go, it just closes.
            let _ = connection.disconnect().now_or_never();
        }
    }
}
