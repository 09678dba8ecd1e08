use std::pin::Pin;

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{SinkExt, join};
use tokio_postgres::CopyInSink;

use super::Lease;
use super::encode::Form;
use super::error::failure;
use crate::connect::tables::commit::committed;
use crate::connect::tables::ddl::Ddl;
use crate::connect::tables::{RawRows, RowsRequest, TableWriter};
use crate::model::{Engine, Failure};

/// Bytes that go up in one message: smaller ones cost more than their content.
pub(super) const MESSAGE_BYTES: usize = 128 << 10;

/// Room for a message and the row that goes beyond it.
pub(super) const FULL_BYTES: usize = MESSAGE_BYTES + MESSAGE_BYTES / 8;

/// The table in which rows wait that replace others by their key; it lives as long as its transaction.
const WAITING: &str = "pg_temp.pipeline_rows";

/// Rows on their way into one table, in one transaction. Dropped, it closes its connection, and the server undoes everything.
pub(super) struct PostgresWriter {
    lease: Lease,
    request: RowsRequest,
    form: Form,
    /// Its transaction is open.
    has_begun: bool,
    copying: Option<Pin<Box<CopyInSink<Bytes>>>>,
    /// What is copied has its own header and trailer.
    is_raw: bool,
    buffer: Vec<u8>,
    rows: u64,
}

impl PostgresWriter {
    pub(super) async fn begin(lease: Lease, request: RowsRequest) -> Result<Self, Failure> {
        let has_begun = !request.upsert_key.is_empty();
        if has_begun {
            lease.run("begin").await?;
            let table = Ddl::new(Engine::Postgres).table(&request.table);
            let names = Engine::Postgres.quote_all(request.columns.iter().map(|column| &column.target));
            lease
                .run(&format!(
                    "create temp table pipeline_rows on commit drop as select {names} from {table} with no data"
                ))
                .await?;
        }
        Ok(Self {
            lease,
            form: Form::of(&request.columns),
            request,
            has_begun,
            copying: None,
            is_raw: false,
            buffer: Vec::new(),
            rows: 0,
        })
    }

    async fn begin_copy(&mut self, form: Form) -> Result<(), Failure> {
        let table = if self.request.upsert_key.is_empty() {
            Ddl::new(Engine::Postgres).table(&self.request.table)
        } else {
            WAITING.to_owned()
        };
        let names = Engine::Postgres.quote_all(self.request.columns.iter().map(|column| &column.target));
        let text = format!("copy {table} ({names}) from stdin (format {})", form.name());
        // The transaction is not waited for: should it fail to begin, the COPY is never finished.
        let (begun, sink) = join!(self.begun(), self.lease.client().copy_in(&text));
        begun?;
        let sink = sink.map_err(|error| failure(&error))?;
        self.has_begun = true;
        self.copying = Some(Box::pin(sink));
        Ok(())
    }

    async fn begun(&self) -> Result<(), Failure> {
        match self.has_begun {
            true => Ok(()),
            false => self.lease.run("begin").await,
        }
    }

    async fn copy(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        if self.copying.is_none() {
            self.begin_copy(self.form).await?;
            self.buffer = Vec::with_capacity(FULL_BYTES);
            self.buffer.extend(self.form.header());
        }
        for row in 0..batch.num_rows() {
            self.form.row(&self.request.columns, batch, row, &mut self.buffer)?;
            if self.buffer.len() >= MESSAGE_BYTES {
                self.send().await?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    async fn copy_raw(&mut self, rows: RawRows) -> Result<(), Failure> {
        if self.copying.is_none() {
            self.is_raw = true;
            self.begin_copy(Form::Binary).await?;
        }
        self.rows += rows.rows;
        self.send_message(rows.bytes).await
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(FULL_BYTES));
        self.send_message(Bytes::from(full)).await
    }

    async fn send_message(&mut self, message: Bytes) -> Result<(), Failure> {
        match &mut self.copying {
            None => Ok(()),
            Some(sink) => sink.send(message).await.map_err(|error| failure(&error)),
        }
    }

    async fn end_copy(&mut self) -> Result<(), Failure> {
        if self.copying.is_none() {
            return Ok(());
        }
        if !self.is_raw {
            self.buffer.extend(self.form.trailer());
            let last = std::mem::take(&mut self.buffer);
            self.send_message(Bytes::from(last)).await?;
        }
        let Some(mut sink) = self.copying.take() else {
            return Ok(());
        };
        let taken = sink.as_mut().finish().await.map_err(|error| failure(&error))?;
        // Nobody has looked into these rows, so that both ends have to agree on their number.
        if self.is_raw && taken != self.rows {
            let message = format!("PostgreSQL: {} rows were sent, and the sink took {taken}", self.rows);
            return Err(Failure::transient("database.rows_differ", message));
        }
        Ok(())
    }

    async fn copy_apart(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.end_copy().await?;
        let before = self.rows;
        self.begun().await?;
        self.has_begun = true;
        self.lease.run("savepoint pipeline").await?;
        let copied = self.copy_whole(batch).await;
        if copied.is_err() {
            self.rows = before;
            // An unfinished COPY is given up when its sink is dropped.
            self.copying = None;
            self.lease.run("rollback to pipeline").await?;
        }
        self.lease.run("release pipeline").await?;
        copied
    }

    /// A batch to its end: what its rows violate shows here, and not with those of others.
    async fn copy_whole(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.copy(batch).await?;
        self.end_copy().await?;
        if !self.request.upsert_key.is_empty() {
            self.lease.run(&upsert_text(&self.request)).await?;
            self.lease.run(&format!("delete from {WAITING}")).await?;
        }
        Ok(())
    }

    async fn commit(mut self, last: Option<String>) -> Result<u64, Failure> {
        self.end_copy().await?;
        let upsert = (!self.request.upsert_key.is_empty()).then(|| upsert_text(&self.request));
        let statements: Vec<String> = upsert.into_iter().chain(last).collect();
        if self.has_begun {
            committed(self.lease.finish_transaction(&statements).await)?;
        } else if !statements.is_empty() {
            committed(self.lease.run_in_transaction(&statements).await)?;
        }
        self.lease.give_back();
        Ok(self.rows)
    }
}

fn upsert_text(request: &RowsRequest) -> String {
    let quote = |name: &String| Engine::Postgres.quote(name);
    let table = Ddl::new(Engine::Postgres).table(&request.table);
    let names = Engine::Postgres.quote_all(request.columns.iter().map(|column| &column.target));
    let key = Engine::Postgres.quote_all(&request.upsert_key);
    let others: Vec<String> = request
        .columns
        .iter()
        .map(|column| &column.target)
        .filter(|name| !request.upsert_key.contains(name))
        .map(|name| format!("{0} = excluded.{0}", quote(name)))
        .collect();
    let action = if others.is_empty() {
        "nothing".to_owned()
    } else {
        format!("update set {}", others.join(", "))
    };
    format!("insert into {table} ({names}) select {names} from {WAITING} on conflict ({key}) do {action}")
}

impl TableWriter for PostgresWriter {
    fn write(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.copy(&batch).await })
    }

    fn write_apart(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.copy_apart(&batch).await })
    }

    fn write_raw(&mut self, rows: RawRows) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.copy_raw(rows).await })
    }

    fn finish(self: Box<Self>, last: Option<String>) -> BoxFuture<'static, Result<u64, Failure>> {
        Box::pin(self.commit(last))
    }
}
