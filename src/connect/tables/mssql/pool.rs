use std::time::Duration;

use mssql_tds::connection::client_context::ClientContext;
use mssql_tds::connection::tds_client::{ResultSet, StatementResult, TdsClient};
use mssql_tds::connection_provider::tds_connection_provider::TdsConnectionProvider;
use mssql_tds::core::{EncryptionOptions, EncryptionSetting, TdsResult};
use mssql_tds::datatypes::column_values::ColumnValues;
use mssql_tds::message::parameters::rpc_parameters::RpcParameter;

use super::error::failure;
use crate::connect::tables::session::{Idle, within};
use crate::model::{DatabaseAddress, Failure};

/// What every session begins with. The server keeps no time zone for a session; the words and the order of dates are pinned, texts of any
/// length come whole, an error in one statement leaves the transaction to us, and nobody waits for a lock for ever.
const SESSION: &str = "set language us_english; set dateformat ymd; set datefirst 7; set textsize 2147483647; \
    set ansi_nulls, ansi_padding, ansi_warnings, arithabort, concat_null_yields_null, quoted_identifier on; \
    set numeric_roundabort off; set implicit_transactions off; set xact_abort off; set nocount off; \
    set lock_timeout 600000; set transaction isolation level read committed";

/// Connections to one database.
pub(super) struct Pool {
    address: DatabaseAddress,
    timeout: Duration,
    idle: Idle<TdsClient>,
}

impl Pool {
    pub(super) fn new(address: DatabaseAddress, timeout: Duration) -> Self {
        Self {
            address,
            timeout,
            idle: Idle::default(),
        }
    }

    /// An idle connection that still answers, or a new one.
    pub(super) async fn take(&self) -> Result<Lease, Failure> {
        while let Some(client) = self.idle.take() {
            let mut lease = self.lease(client);
            // A server that went away shows only when it is asked.
            let answer = tokio::time::timeout(self.timeout, lease.run("select 1")).await;
            if matches!(answer, Ok(Ok(()))) {
                return Ok(lease);
            }
        }
        let client = self.connect().await?;
        let mut lease = self.lease(client);
        lease.run(SESSION).await?;
        Ok(lease)
    }

    fn lease(&self, client: TdsClient) -> Lease {
        Lease {
            client: Some(client),
            idle: self.idle.clone(),
        }
    }

    async fn connect(&self) -> Result<TdsClient, Failure> {
        let DatabaseAddress {
            host,
            port,
            database,
            user,
            password,
            is_encrypted,
        } = &self.address;
        let password = crate::connect::secrets::read_optional(password.as_ref()).await?;
        let mut context = ClientContext::default();
        context.application_name = "pipeline".to_owned();
        context.database.clone_from(database);
        context.user_name.clone_from(user);
        context.password = password.map_or_else(String::new, |password| password.reveal().to_owned());
        // A session that is lost in the middle of its work must be seen to be: whoever uses it begins anew.
        context.connect_retry_count = 0;
        let seconds = u32::try_from(self.timeout.as_secs().max(1)).unwrap_or(u32::MAX);
        context.connect_timeout = seconds;
        context.encryption_options = encryption(*is_encrypted);
        let place = format!("tcp:{host},{port}");
        let provider = TdsConnectionProvider::new();
        let connecting = provider.create_client(context, &place, None);
        let client = within(self.timeout, host, *port, connecting).await?;
        client.map_err(|error| failure(&error))
    }
}

/// With encryption the certificate is checked against those that the machine trusts. Without it the server may still insist on it for the
/// login, and then any certificate is as good as none.
fn encryption(is_encrypted: bool) -> EncryptionOptions {
    let mut options = EncryptionOptions::new();
    if is_encrypted {
        options.mode = EncryptionSetting::Required;
    } else {
        options.mode = EncryptionSetting::PreferOff;
        options.trust_server_certificate = true;
    }
    options
}

/// A connection in use. Dropped without being given back, it is closed: whatever it was in the middle of is undone by the server.
pub(super) struct Lease {
    client: Option<TdsClient>,
    idle: Idle<TdsClient>,
}

impl Lease {
    /// # Errors
    /// `database.connection`: it was given back, which is a defect of the caller.
    pub(super) fn client(&mut self) -> Result<&mut TdsClient, Failure> {
        let lost = || Failure::transient("database.connection", "SQL Server: the connection has been given back");
        self.client.as_mut().ok_or_else(lost)
    }

    /// Runs a batch to its end, whatever it answers.
    pub(super) async fn run(&mut self, text: &str) -> Result<(), Failure> {
        let client = self.client()?;
        let ran = drain(client, text).await;
        ran.map_err(|error| failure(&error))
    }

    /// Begins a query; its rows are the next thing to be read.
    pub(super) async fn query(&mut self, text: &str, parameters: Vec<RpcParameter>) -> Result<(), Failure> {
        let client = self.client()?;
        let begun = begin(client, text, parameters).await;
        begun.map_err(|error| failure(&error))
    }

    /// The rows of a query that gives few.
    pub(super) async fn rows(
        &mut self,
        text: &str,
        parameters: Vec<RpcParameter>,
    ) -> Result<Vec<Vec<ColumnValues>>, Failure> {
        self.query(text, parameters).await?;
        let client = self.client()?;
        let collected = collect(client).await;
        collected.map_err(|error| failure(&error))
    }

    pub(super) fn give_back(mut self) {
        if let Some(client) = self.client.take() {
            self.idle.keep(client);
        }
    }
}

async fn drain(client: &mut TdsClient, text: &str) -> TdsResult<()> {
    let mut result = client.execute(text.to_owned(), ()).await?;
    while !matches!(result, StatementResult::End) {
        result = client.advance().await?;
    }
    client.close_query().await
}

async fn begin(client: &mut TdsClient, text: &str, parameters: Vec<RpcParameter>) -> TdsResult<()> {
    let mut result = if parameters.is_empty() {
        client.execute(text.to_owned(), ()).await?
    } else {
        client.execute_sp_executesql(text.to_owned(), parameters, ()).await?
    };
    while matches!(result, StatementResult::NoRows { .. }) {
        result = client.advance().await?;
    }
    Ok(())
}

async fn collect(client: &mut TdsClient) -> TdsResult<Vec<Vec<ColumnValues>>> {
    let mut rows = Vec::new();
    if client.on_rows() {
        while let Some(row) = client.next_row().await? {
            rows.push(row);
        }
    }
    client.close_query().await?;
    Ok(rows)
}
