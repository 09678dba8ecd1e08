//! MySQL and MariaDB: rows come in the binary form of prepared statements and go by `LOAD DATA LOCAL`, or by `insert` where the server
//! does not allow that.
//!
//! A database of theirs is what other engines call a schema: a connection names one, and its tables have its name as their schema.

mod catalogue;
mod decode;
mod encode;
mod error;
mod pool;
mod read;
mod write;

use std::time::Duration;

use futures::future::BoxFuture;
use mysql_async::prelude::Queryable;

use super::ddl::Ddl;
use super::keys::keys_around;
use super::{BatchStream, KeyAround, ReadRequest, RowsFrom, RowsRequest, Snapshot, TableStore, TableWriter, rows};
use crate::connect::RowStream;
use crate::model::{Column, DatabaseAddress, Engine, Failure, RowRange, Table, TableName, Value};

use pool::{Lease, Pool};

pub struct MySqlDatabase {
    pool: Pool,
}

impl MySqlDatabase {
    pub fn new(address: DatabaseAddress, timeout: Duration) -> Self {
        Self {
            pool: Pool::new(address, timeout),
        }
    }

    /// What a change of tables has to know of them.
    async fn plain_tables(&self) -> Result<Vec<Table>, Failure> {
        let mut lease = self.pool.take().await?;
        let tables = catalogue::tables(lease.connection()?, self.pool.database()).await?;
        lease.give_back();
        Ok(tables)
    }

    async fn execute_all(&self, statements: &[String]) -> Result<(), Failure> {
        let mut lease = self.pool.take().await?;
        lease.run("start transaction").await?;
        for statement in statements {
            // A lease that is not given back closes its connection, and with it what is left of the transaction.
            let ran = lease.run(statement).await;
            ran.map_err(|failure| failure.context(format_args!("`{statement}`")))?;
        }
        lease.run("commit").await?;
        lease.give_back();
        Ok(())
    }
}

impl TableStore for MySqlDatabase {
    fn engine(&self) -> Engine {
        Engine::MySql
    }

    fn default_schema(&self) -> &str {
        self.pool.database()
    }

    fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>> {
        Box::pin(async {
            let mut lease = self.pool.take().await?;
            let mut tables = catalogue::tables(lease.connection()?, self.pool.database()).await?;
            catalogue::read_triggers(lease.connection()?, self.pool.database(), &mut tables).await?;
            lease.give_back();
            Ok(tables)
        })
    }

    fn count<'a>(&'a self, from: &'a RowsFrom, range: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            let mut lease = self.pool.take().await?;
            let counted = read::count(lease.connection()?, from, range).await?;
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
            let bounds = read::key_bounds(lease.connection()?, from, column, rows).await?;
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
            let columns = catalogue::describe(lease.connection()?, text, parameters).await?;
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
        Box::pin(std::future::ready(Ok(None)))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>> {
        Box::pin(async { read::read(self.pool.take().await?, request).await })
    }

    fn execute<'a>(&'a self, statements: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.execute_all(statements))
    }

    fn keys_around<'a>(&'a self, target: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>> {
        Box::pin(async move { Ok(keys_around(Engine::MySql, &self.plain_tables().await?, target)) })
    }

    /// Views and grants name tables, so that they stay. One statement gives both tables their new names: there is a table of the target's name at
    /// every moment.
    fn swap<'a>(&'a self, staging: &'a TableName, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let ddl = Ddl::new(Engine::MySql);
            let tables = self.plain_tables().await?;
            let stands = |name: &TableName| tables.iter().any(|table| table.name == *name);
            for key in keys_around(Engine::MySql, &tables, target)
                .into_iter()
                .filter(|key| !key.is_own)
            {
                match self.execute_all(&[key.take]).await {
                    // The swap of the other table has taken it.
                    Err(failure) if failure.code == "database.object_not_found" => {}
                    taken => taken?,
                }
            }
            // The name that the table has between its replacement and its end.
            let replaced = staging.name.replacen("staging", "replaced", 1);
            let replaced = TableName::new(staging.schema.clone(), Engine::MySql.cut(&replaced));
            if !stands(staging) && stands(&replaced) {
                // The answer to the renaming was lost.
                return self.execute_all(&[ddl.drop_table(&replaced)]).await;
            }
            let renamed = match stands(target) {
                true => format!(
                    "rename table {0} to {2}, {1} to {0}",
                    ddl.table(target),
                    ddl.table(staging),
                    ddl.table(&replaced)
                ),
                false => ddl.rename(staging, target),
            };
            // What a killed run has put aside must not be in the way.
            let statements = [ddl.drop_table(&replaced), renamed, ddl.drop_table(&replaced)];
            self.execute_all(&statements).await
        })
    }

    fn write(&self, request: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>> {
        Box::pin(async {
            let writer = write::MySqlWriter::begin(self.pool.take().await?, request).await?;
            Ok(Box::new(writer) as Box<dyn TableWriter>)
        })
    }

    fn identity(&self) -> BoxFuture<'_, Result<Option<String>, Failure>> {
        Box::pin(async {
            let mut lease = self.pool.take().await?;
            let asked = "select concat_ws(' ', @@hostname, @@port, @@datadir, database())";
            let answer = lease.connection()?.query_first(asked).await;
            let identity = answer.map_err(|error| error::failure(&error))?;
            lease.give_back();
            Ok(identity)
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
