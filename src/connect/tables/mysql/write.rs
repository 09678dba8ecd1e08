use arrow_array::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use mysql_async::prelude::Queryable;

use super::Lease;
use super::encode::{insert_row, load_columns, load_row};
use super::error::{failure, of_number};
use crate::connect::tables::commit::committed;
use crate::connect::tables::ddl::Ddl;
use crate::connect::tables::{RowsRequest, TableWriter};
use crate::model::{Engine, Failure, FailureClass};

/// Bytes that go up in one message of a `load data`.
const MESSAGE_BYTES: usize = 128 << 10;

/// Bytes after which an `insert` is sent: far below what any server takes at once.
const INSERT_BYTES: usize = 512 << 10;

/// The table in which rows wait that replace others by their key; it lives as long as its session.
const WAITING: &str = "`pipeline_rows`";

/// Rows on their way into one table, in one transaction. Dropped, it closes its connection, and the server undoes everything.
pub(super) struct MySqlWriter {
    lease: Lease,
    request: RowsRequest,
    /// Where rows go first: the table itself, or the one in which they wait.
    into: String,
    /// Whether the server takes `load data local`.
    is_loading: bool,
    rows: u64,
}

impl MySqlWriter {
    pub(super) async fn begin(mut lease: Lease, request: RowsRequest) -> Result<Self, Failure> {
        let is_allowed: Option<bool> = lease
            .connection()?
            .query_first("select @@local_infile")
            .await
            .map_err(|error| failure(&error))?;
        let table = Ddl::new(Engine::MySql).table(&request.table);
        let mut into = table.clone();
        if !request.upsert_key.is_empty() {
            let names = Engine::MySql.quote_all(request.columns.iter().map(|column| &column.target));
            lease.run(&format!("drop temporary table if exists {WAITING}")).await?;
            lease
                .run(&format!(
                    "create temporary table {WAITING} as select {names} from {table} limit 0"
                ))
                .await?;
            WAITING.clone_into(&mut into);
        }
        lease.run("start transaction").await?;
        Ok(Self {
            lease,
            request,
            into,
            is_loading: is_allowed.unwrap_or_default(),
            rows: 0,
        })
    }

    async fn send(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        if self.is_loading {
            self.load(batch).await?;
        } else {
            self.insert(batch).await?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    async fn load(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let mut lines = Vec::with_capacity(batch.get_array_memory_size());
        for row in 0..batch.num_rows() {
            load_row(&self.request.columns, batch, row, &mut lines)?;
        }
        let text = format!(
            "load data local infile 'pipeline' into table {} character set utf8mb4 fields terminated by '\\t' escaped by '\\\\' \
             lines terminated by '\\n' {}",
            self.into,
            load_columns(&self.request.columns)
        );
        let connection = self.lease.connection()?;
        let mut lines = Bytes::from(lines);
        connection.set_infile_handler(async move {
            let messages = std::iter::from_fn(move || {
                let length = lines.len().min(MESSAGE_BYTES);
                (length > 0).then(|| Ok(lines.split_to(length)))
            });
            Ok(futures::stream::iter(messages).boxed())
        });
        connection.query_drop(text).await.map_err(|error| failure(&error))?;
        if connection.get_warnings() == 0 {
            return Ok(());
        }
        // A file of the client's own is loaded to its end whatever is wrong with it: what would have been an error is a warning, and the row
        // is left out or changed.
        let warnings: Vec<(String, u16, String)> = connection
            .query("show warnings")
            .await
            .map_err(|error| failure(&error))?;
        match warnings.first() {
            Some((_, number, message)) => Err(refused(*number, message)),
            None => Err(Failure::data(
                "database.value",
                "MySQL: the server warned about rows, and does not say of what",
            )),
        }
    }

    async fn insert(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let names = Engine::MySql.quote_all(self.request.columns.iter().map(|column| &column.target));
        let beginning = format!("insert into {} ({names}) values ", self.into);
        let mut text = beginning.clone();
        for row in 0..batch.num_rows() {
            if text.len() > beginning.len() {
                text.push(',');
            }
            insert_row(&self.request.columns, batch, row, &mut text)?;
            if text.len() >= INSERT_BYTES {
                self.lease.run(&text).await?;
                text.clone_from(&beginning);
            }
        }
        if text.len() > beginning.len() {
            self.lease.run(&text).await?;
        }
        Ok(())
    }

    async fn send_apart(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.lease.run("savepoint pipeline").await?;
        let sent = self.send_whole(batch).await;
        if sent.is_err() {
            self.lease.run("rollback to savepoint pipeline").await?;
        }
        self.lease.run("release savepoint pipeline").await?;
        sent
    }

    /// A batch to its end: what its rows violate shows here, and not with those of others.
    async fn send_whole(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.send(batch).await?;
        if !self.request.upsert_key.is_empty() {
            self.lease.run(&upsert_text(&self.request)).await?;
            self.lease.run(&format!("delete from {WAITING}")).await?;
        }
        Ok(())
    }

    async fn commit(mut self, last: Option<String>) -> Result<u64, Failure> {
        if !self.request.upsert_key.is_empty() {
            self.lease.run(&upsert_text(&self.request)).await?;
        }
        if let Some(last) = last {
            self.lease.run(&last).await?;
        }
        committed(self.lease.run("commit").await)?;
        if !self.request.upsert_key.is_empty() {
            self.lease.run(&format!("drop temporary table {WAITING}")).await?;
        }
        self.lease.give_back();
        Ok(self.rows)
    }
}

/// A warning about a row of a load, as the error that it would be elsewhere: always the data's fault.
fn refused(number: u16, message: &str) -> Failure {
    let told = of_number(number, "", message);
    if told.class == FailureClass::Data {
        return told;
    }
    Failure::data("database.value", told.message)
}

fn upsert_text(request: &RowsRequest) -> String {
    let quote = |name: &String| Engine::MySql.quote(name);
    let table = Ddl::new(Engine::MySql).table(&request.table);
    let names = Engine::MySql.quote_all(request.columns.iter().map(|column| &column.target));
    let others = request
        .columns
        .iter()
        .map(|column| &column.target)
        .filter(|name| !request.upsert_key.contains(name));
    let mut changes: Vec<String> = others.map(|name| format!("{0} = values({0})", quote(name))).collect();
    if changes.is_empty() {
        // A row that has nothing but its key is there already.
        changes.extend(
            request
                .upsert_key
                .iter()
                .map(|name| format!("{0} = values({0})", quote(name))),
        );
    }
    format!(
        "insert into {table} ({names}) select {names} from {WAITING} on duplicate key update {}",
        changes.join(", ")
    )
}

impl TableWriter for MySqlWriter {
    fn write(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.send(&batch).await })
    }

    fn write_apart(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.send_apart(&batch).await })
    }

    fn finish(self: Box<Self>, last: Option<String>) -> BoxFuture<'static, Result<u64, Failure>> {
        Box::pin(self.commit(last))
    }
}
