//! SQL Server: rows come as the server streams them and go up by bulk copy, as `bcp` does it.

mod catalogue;
mod decode;
mod encode;
mod error;
mod fields;
mod pool;
mod read;
mod swap;
mod ticks;
mod write;

use std::time::Duration;

use futures::future::BoxFuture;

use super::keys::keys_around;
use super::{BatchStream, KeyAround, ReadRequest, RowsFrom, RowsRequest, Snapshot, TableStore, TableWriter, rows};
use crate::connect::RowStream;
use crate::model::{Column, DatabaseAddress, Engine, Failure, RowRange, Table, TableName, Value};

use pool::{Lease, Pool};

pub struct SqlServerDatabase {
    pool: Pool,
}

impl SqlServerDatabase {
    pub fn new(address: DatabaseAddress, timeout: Duration) -> Self {
        Self {
            pool: Pool::new(address, timeout),
        }
    }

    async fn execute_all(&self, statements: &[String]) -> Result<(), Failure> {
        let mut lease = self.pool.take().await?;
        lease.run("begin transaction").await?;
        for statement in statements {
            // A lease that is not given back closes its connection, and with it the transaction.
            let ran = lease.run(statement).await;
            ran.map_err(|failure| failure.context(format_args!("`{statement}`")))?;
        }
        lease.run("commit transaction").await?;
        lease.give_back();
        Ok(())
    }
}

impl TableStore for SqlServerDatabase {
    fn engine(&self) -> Engine {
        Engine::SqlServer
    }

    fn default_schema(&self) -> &str {
        "dbo"
    }

    fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>> {
        Box::pin(async {
            let mut lease = self.pool.take().await?;
            let tables = catalogue::tables_with_extras(&mut lease).await?;
            lease.give_back();
            Ok(tables)
        })
    }

    fn count<'a>(&'a self, from: &'a RowsFrom, range: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            let mut lease = self.pool.take().await?;
            let counted = read::count(&mut lease, from, range).await?;
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
            let mut lease = self.pool.take().await?;
            let bounds = read::key_bounds(&mut lease, from, column, rows).await?;
            lease.give_back();
            Ok(bounds)
        })
    }

    fn blocks<'a>(&'a self, _: &'a TableName) -> BoxFuture<'a, Result<Option<u64>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn describe<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<Vec<Column>, Failure>> {
        Box::pin(async move {
            let mut lease = self.pool.take().await?;
            let columns = catalogue::describe(&mut lease, text, parameters).await?;
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

    /// The server shares a view of its data between no two sessions.
    fn snapshot(&self) -> BoxFuture<'_, Result<Option<Snapshot>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>> {
        Box::pin(async { read::read(self.pool.take().await?, request).await })
    }

    fn execute<'a>(&'a self, statements: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.execute_all(statements))
    }

    fn keys_around<'a>(&'a self, target: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>> {
        Box::pin(async move {
            let mut lease = self.pool.take().await?;
            let tables = catalogue::tables(&mut lease).await?;
            lease.give_back();
            Ok(keys_around(Engine::SqlServer, &tables, target))
        })
    }

    fn swap<'a>(&'a self, staging: &'a TableName, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let mut lease = self.pool.take().await?;
            swap::swap(&mut lease, staging, target).await?;
            lease.give_back();
            Ok(())
        })
    }

    fn write(&self, request: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>> {
        Box::pin(async {
            let writer = write::SqlServerWriter::begin(self.pool.take().await?, request).await?;
            Ok(Box::new(writer) as Box<dyn TableWriter>)
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async {
            let mut lease = self.pool.take().await?;
            lease.run("select 1").await?;
            lease.give_back();
            Ok(())
        })
    }
}
