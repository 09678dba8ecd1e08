//! PostgreSQL: rows come and go by COPY, in its binary form wherever every column has one.

mod catalogue;
mod decode;
mod dependents;
mod encode;
mod error;
mod pool;
mod raw;
mod read;
mod swap;
mod write;

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::runtime::Handle;

use super::{
    BatchStream, KeyAround, RawStream, ReadRequest, RowsFrom, RowsRequest, Snapshot, TableStore, TableWriter, rows,
};
use crate::connect::RowStream;
use crate::model::{Column, DatabaseAddress, Engine, Failure, RowRange, Table, TableName, Value};

use error::failure;
use pool::{Lease, Pool};

pub struct PostgresDatabase {
    pool: Pool,
}

/// The session whose transaction a snapshot is of. A table that has been loaded lets go of its own, and the next one takes it over: a
/// session for each would cost more than a small table.
struct Holder(Option<Lease>);

impl Drop for Holder {
    fn drop(&mut self) {
        if let (Some(lease), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                // Dropped, it closes its connection, which ends the transaction as well.
                if lease.run("commit").await.is_ok() {
                    lease.give_back();
                }
            });
        }
    }
}

impl PostgresDatabase {
    pub fn new(address: DatabaseAddress, timeout: Duration) -> Self {
        Self {
            pool: Pool::new(address, timeout),
        }
    }

    async fn execute_all(&self, statements: &[String]) -> Result<(), Failure> {
        let lease = self.pool.take().await?;
        lease.run_in_transaction(statements).await?;
        lease.give_back();
        Ok(())
    }

    async fn block_count(&self, table: &TableName) -> Result<Option<u64>, Failure> {
        let lease = self.pool.take().await?;
        let name = super::ddl::Ddl::new(Engine::Postgres).table(table);
        let rows = lease
            .query_often(
                "select pg_relation_size($1::text::regclass) / current_setting('block_size')::int, relkind::text from pg_class where oid = $1::text::regclass",
                &[&name],
            )
            .await
            .map_err(|error| failure(&error))?;
        let blocks = rows.first().and_then(|row| {
            let (blocks, kind): (i64, String) = (row.get(0), row.get(1));
            // A partitioned table and a view have no blocks of their own.
            (kind == "r").then(|| u64::try_from(blocks).unwrap_or_default())
        });
        lease.give_back();
        Ok(blocks)
    }
}

impl TableStore for PostgresDatabase {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn default_schema(&self) -> &str {
        "public"
    }

    fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>> {
        Box::pin(async {
            let lease = self.pool.take().await?;
            let tables = catalogue::tables(lease.client())
                .await
                .map_err(|error| failure(&error))?;
            lease.give_back();
            Ok(tables)
        })
    }

    fn count<'a>(&'a self, from: &'a RowsFrom, range: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            let lease = self.pool.take().await?;
            let counted = read::count(lease.client(), from, range).await?;
            lease.give_back();
            Ok(counted)
        })
    }

    fn key_bounds<'a>(
        &'a self,
        from: &'a RowsFrom,
        column: &'a str,
        rows: u64,
    ) -> BoxFuture<'a, Result<Vec<Value>, Failure>> {
        Box::pin(async move {
            let lease = self.pool.take().await?;
            let bounds = read::key_bounds(lease.client(), from, column, rows).await?;
            lease.give_back();
            Ok(bounds)
        })
    }

    fn blocks<'a>(&'a self, table: &'a TableName) -> BoxFuture<'a, Result<Option<u64>, Failure>> {
        Box::pin(self.block_count(table))
    }

    fn describe<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<Vec<Column>, Failure>> {
        Box::pin(async move {
            let lease = self.pool.take().await?;
            let columns = catalogue::describe(lease.client(), text, parameters).await?;
            lease.give_back();
            Ok(columns)
        })
    }

    fn rows<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<RowStream, Failure>> {
        Box::pin(rows::rows(self, text, parameters))
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Option<Snapshot>, Failure>> {
        Box::pin(async {
            let lease = self.pool.take().await?;
            lease.run("begin isolation level repeatable read read only").await?;
            let row = lease.client().query_one("select pg_export_snapshot()", &[]).await;
            let name = row.map_err(|error| failure(&error))?.get(0);
            Ok(Some(Snapshot {
                name,
                _holder: Box::new(Holder(Some(lease))),
            }))
        })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>> {
        Box::pin(async { read::read(self.pool.take().await?, request).await })
    }

    fn read_raw<'a>(&'a self, request: &'a ReadRequest) -> BoxFuture<'a, Result<Option<RawStream>, Failure>> {
        Box::pin(async move {
            if !raw::is_taken_as_it_is(request) {
                return Ok(None);
            }
            raw::read(self.pool.take().await?, request).await.map(Some)
        })
    }

    fn execute<'a>(&'a self, statements: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.execute_all(statements))
    }

    fn keys_around<'a>(&'a self, target: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>> {
        Box::pin(async move {
            let lease = self.pool.take().await?;
            let keys = swap::keys_around(&lease, target).await;
            let keys = keys.map_err(|error| failure(&error))?;
            lease.give_back();
            Ok(keys)
        })
    }

    fn swap<'a>(&'a self, staging: &'a TableName, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let lease = self.pool.take().await?;
            swap::swap(&lease, staging, target).await?;
            lease.give_back();
            Ok(())
        })
    }

    fn write(&self, request: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>> {
        Box::pin(async {
            let writer = write::PostgresWriter::begin(self.pool.take().await?, request).await?;
            Ok(Box::new(writer) as Box<dyn TableWriter>)
        })
    }

    fn identity(&self) -> BoxFuture<'_, Result<Option<String>, Failure>> {
        Box::pin(async {
            let lease = self.pool.take().await?;
            let asked = "select pg_postmaster_start_time()::text || ' ' || current_database()";
            let row = lease
                .client()
                .query_one(asked, &[])
                .await
                .map_err(|error| failure(&error))?;
            lease.give_back();
            Ok(Some(row.get(0)))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async {
            let lease = self.pool.take().await?;
            lease.run("select 1").await?;
            lease.give_back();
            Ok(())
        })
    }
}
