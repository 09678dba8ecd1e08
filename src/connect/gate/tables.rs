use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::stream::{named, noted};
use super::watch::Watch;
use super::{Door, Paces};
use crate::connect::tables::{RawRows, committed};
use crate::connect::{
    BatchStream, KeyAround, RawStream, ReadRequest, RowStream, RowsFrom, RowsRequest, Snapshot, TableStore, TableWriter,
};
use crate::model::{Column, Engine, Failure, RowRange, Table, TableName, Value};

/// A database of tables whose callers hold a pass: its gate learns how every call, every stream and every writer ends.
pub(in crate::connect) struct GatedTables {
    inner: Arc<dyn TableStore>,
    door: Door,
    watch: Watch,
}

impl GatedTables {
    /// `timeout`: how long the database may say nothing before it is asked whether it is still there.
    pub fn new(inner: Arc<dyn TableStore>, door: Door, timeout: Duration) -> Self {
        let watch = Watch::new(Arc::clone(&inner), timeout);
        Self { inner, door, watch }
    }

    /// The answer to a call, of which the gate takes notice.
    fn told<'a, T: 'a>(&'a self, answer: BoxFuture<'a, Result<T, Failure>>) -> BoxFuture<'a, Result<T, Failure>> {
        Box::pin(async { self.door.note(self.watch.over(answer).await) })
    }

    /// The same for a call that some engines answer by themselves: it proves nothing that it succeeds.
    fn told_failures<'a, T: 'a>(
        &'a self,
        answer: BoxFuture<'a, Result<T, Failure>>,
    ) -> BoxFuture<'a, Result<T, Failure>> {
        Box::pin(async { named(self.watch.over(answer).await, &self.door) })
    }
}

impl TableStore for GatedTables {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }

    fn default_schema(&self) -> &str {
        self.inner.default_schema()
    }

    fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>> {
        self.told(self.inner.tables())
    }

    fn count<'a>(&'a self, from: &'a RowsFrom, range: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>> {
        self.told(self.inner.count(from, range))
    }

    fn key_bounds<'a>(
        &'a self,
        from: &'a RowsFrom,
        column: &'a str,
        rows: u64,
    ) -> BoxFuture<'a, Result<Vec<Value>, Failure>> {
        self.told(self.inner.key_bounds(from, column, rows))
    }

    fn blocks<'a>(&'a self, table: &'a TableName) -> BoxFuture<'a, Result<Option<u64>, Failure>> {
        self.told_failures(self.inner.blocks(table))
    }

    fn describe<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<Vec<Column>, Failure>> {
        self.told(self.inner.describe(text, parameters))
    }

    fn rows<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<RowStream, Failure>> {
        Box::pin(async move {
            let rows = self
                .door
                .note(self.watch.over(self.inner.rows(text, parameters)).await)?;
            Ok(noted(self.watch.over_all(rows), self.door.clone()))
        })
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Option<Snapshot>, Failure>> {
        self.told_failures(self.inner.snapshot())
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>> {
        Box::pin(async move {
            let batches = self.door.note(self.watch.over(self.inner.read(request)).await)?;
            let noted = noted(self.watch.over_all(batches), self.door.clone());
            Ok(at_bandwidth(noted, self.door.bandwidth().clone(), batch_bytes))
        })
    }

    fn read_raw<'a>(&'a self, request: &'a ReadRequest) -> BoxFuture<'a, Result<Option<RawStream>, Failure>> {
        Box::pin(async move {
            let rows = named(self.watch.over(self.inner.read_raw(request)).await, &self.door)?;
            let noted = rows.map(|rows| noted(self.watch.over_all(rows), self.door.clone()));
            let paces = self.door.bandwidth();
            Ok(noted.map(|rows| at_bandwidth(rows, paces.clone(), |rows| rows.bytes.len() as u64)))
        })
    }

    fn begin<'a>(&'a self, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        self.told_failures(self.inner.begin(target))
    }

    fn execute<'a>(&'a self, statements: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        self.told(self.inner.execute(statements))
    }

    fn keys_around<'a>(&'a self, target: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>> {
        self.told_failures(self.inner.keys_around(target))
    }

    fn swap<'a>(&'a self, staging: &'a TableName, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        self.told(self.inner.swap(staging, target))
    }

    fn write(&self, request: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>> {
        Box::pin(async move {
            let inner = self.door.note(self.watch.over(self.inner.write(request)).await)?;
            let (door, watch) = (self.door.clone(), self.watch.clone());
            Ok(Box::new(GatedTableWriter { inner, door, watch }) as Box<dyn TableWriter>)
        })
    }

    fn identity(&self) -> BoxFuture<'_, Result<Option<String>, Failure>> {
        self.told_failures(self.inner.identity())
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.inner.probe()
    }
}

/// Bytes of a batch's own rows in memory, which it may share with the batch that it is a piece of.
fn batch_bytes(batch: &RecordBatch) -> u64 {
    let columns = batch.columns().iter();
    let bytes = columns.map(|values| values.to_data().get_slice_memory_size().unwrap_or_default());
    bytes.sum::<usize>() as u64
}

/// Hands pieces on no faster than their bandwidth.
fn at_bandwidth<T: Send + 'static>(
    stream: BoxStream<'static, Result<T, Failure>>,
    paces: Paces,
    bytes: impl Fn(&T) -> u64 + Send + 'static,
) -> BoxStream<'static, Result<T, Failure>> {
    if paces.is_empty() {
        return stream;
    }
    let paid = stream.and_then(move |piece| {
        let (paces, bytes) = (paces.clone(), bytes(&piece));
        async move {
            paces.take(bytes).await;
            Ok(piece)
        }
    });
    paid.boxed()
}

/// Of a batch only its failure is told: what is written may still be on its way, and the transaction as a whole is noted when it ends.
struct GatedTableWriter {
    inner: Box<dyn TableWriter>,
    door: Door,
    watch: Watch,
}

impl GatedTableWriter {
    /// Waits until so many bytes may go.
    async fn pay(&mut self, bytes: impl FnOnce() -> u64) {
        let paces = self.door.bandwidth();
        if !paces.is_empty() {
            paces.take(bytes()).await;
        }
    }
}

impl TableWriter for GatedTableWriter {
    fn write(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            self.pay(|| batch_bytes(&batch)).await;
            named(self.watch.over(self.inner.write(batch)).await, &self.door)
        })
    }

    fn write_apart(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            self.pay(|| batch_bytes(&batch)).await;
            named(self.watch.over(self.inner.write_apart(batch)).await, &self.door)
        })
    }

    fn write_raw(&mut self, rows: RawRows) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            self.pay(|| rows.bytes.len() as u64).await;
            named(self.watch.over(self.inner.write_raw(rows)).await, &self.door)
        })
    }

    fn finish(self: Box<Self>, last: Option<String>) -> BoxFuture<'static, Result<u64, Failure>> {
        let Self { inner, door, watch } = *self;
        Box::pin(async move {
            // What is given up here may have been committed all the same.
            let finished = committed(watch.over(async { Ok(inner.finish(last).await) }).await);
            door.note(finished.and_then(|finished| finished))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::future::ready;
    use tokio_util::sync::CancellationToken;

    use super::super::Gate;
    use super::*;
    use crate::model::{Ceilings, FailureClass};

    /// A database that answers calls and breaks streams and writers.
    struct Breaking;

    fn broken<T>() -> Result<T, Failure> {
        Err(Failure::new(
            FailureClass::Throttled,
            "database.connections",
            "too many",
        ))
    }

    impl TableWriter for Breaking {
        fn write(&mut self, _: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
            Box::pin(ready(broken()))
        }

        fn write_apart(&mut self, _: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
            Box::pin(ready(broken()))
        }

        fn write_raw(&mut self, _: RawRows) -> BoxFuture<'_, Result<(), Failure>> {
            Box::pin(ready(broken()))
        }

        fn finish(self: Box<Self>, _: Option<String>) -> BoxFuture<'static, Result<u64, Failure>> {
            Box::pin(ready(broken()))
        }
    }

    impl TableStore for Breaking {
        fn engine(&self) -> Engine {
            Engine::Postgres
        }

        fn default_schema(&self) -> &str {
            "public"
        }

        fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>> {
            Box::pin(ready(broken()))
        }

        fn count<'a>(&'a self, _: &'a RowsFrom, _: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>> {
            Box::pin(ready(broken()))
        }

        fn key_bounds<'a>(&'a self, _: &'a RowsFrom, _: &'a str, _: u64) -> BoxFuture<'a, Result<Vec<Value>, Failure>> {
            Box::pin(ready(broken()))
        }

        fn blocks<'a>(&'a self, _: &'a TableName) -> BoxFuture<'a, Result<Option<u64>, Failure>> {
            Box::pin(ready(broken()))
        }

        fn describe<'a>(&'a self, _: &'a str, _: &'a [(String, Value)]) -> BoxFuture<'a, Result<Vec<Column>, Failure>> {
            Box::pin(ready(broken()))
        }

        fn rows<'a>(&'a self, _: &'a str, _: &'a [(String, Value)]) -> BoxFuture<'a, Result<RowStream, Failure>> {
            Box::pin(ready(Ok(futures::stream::iter([broken()]).boxed())))
        }

        fn snapshot(&self) -> BoxFuture<'_, Result<Option<Snapshot>, Failure>> {
            Box::pin(ready(broken()))
        }

        fn read(&self, _: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>> {
            Box::pin(ready(Ok(futures::stream::iter([broken()]).boxed())))
        }

        fn read_raw<'a>(&'a self, _: &'a ReadRequest) -> BoxFuture<'a, Result<Option<RawStream>, Failure>> {
            Box::pin(ready(Ok(Some(futures::stream::iter([broken()]).boxed()))))
        }

        fn begin<'a>(&'a self, _: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
            Box::pin(ready(broken()))
        }

        fn execute<'a>(&'a self, _: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
            Box::pin(ready(broken()))
        }

        fn keys_around<'a>(&'a self, _: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>> {
            Box::pin(ready(broken()))
        }

        fn swap<'a>(&'a self, _: &'a TableName, _: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
            Box::pin(ready(broken()))
        }

        fn write(&self, _: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>> {
            Box::pin(ready(Ok(Box::new(Breaking) as Box<dyn TableWriter>)))
        }

        fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
            Box::pin(ready(Ok(())))
        }
    }

    #[tokio::test]
    async fn every_call_stream_and_writer_names_the_connection() {
        let gate = Gate::new("crm", &Ceilings::default(), 64, CancellationToken::new());
        let tables = GatedTables::new(Arc::new(Breaking), gate.door(&BTreeMap::new()), Duration::from_secs(1));
        let name = TableName {
            schema: String::new(),
            name: "t".to_owned(),
        };
        let from = RowsFrom::Table(name.clone());
        let read = ReadRequest {
            from: from.clone(),
            columns: Vec::new(),
            range: RowRange::Whole,
            snapshot: None,
            unread: None,
        };
        let write = || {
            tables.write(RowsRequest {
                table: name.clone(),
                columns: Vec::new(),
                upsert_key: Vec::new(),
                part: 1,
            })
        };
        let batch = || RecordBatch::new_empty(Arc::new(arrow_schema::Schema::empty()));
        let raw = RawRows {
            bytes: bytes::Bytes::new(),
            rows: 0,
        };
        let failures = [
            tables.tables().await.err(),
            tables.count(&from, &RowRange::Whole).await.err(),
            tables.key_bounds(&from, "id", 1).await.err(),
            tables.blocks(&name).await.err(),
            tables.describe("", &[]).await.err(),
            tables.rows("", &[]).await.unwrap().try_next().await.err(),
            tables.snapshot().await.err(),
            tables.read(read.clone()).await.unwrap().try_next().await.err(),
            tables.read_raw(&read).await.unwrap().unwrap().try_next().await.err(),
            tables.begin(&name).await.err(),
            tables.execute(&[]).await.err(),
            tables.keys_around(&name).await.err(),
            tables.swap(&name, &name).await.err(),
            write().await.unwrap().write(batch()).await.err(),
            write().await.unwrap().write_apart(batch()).await.err(),
            write().await.unwrap().write_raw(raw).await.err(),
            write().await.unwrap().finish(None).await.err(),
        ];
        for (number, failure) in failures.into_iter().enumerate() {
            assert_eq!(failure.unwrap().connection.as_deref(), Some("crm"), "{number}");
        }
        assert!(gate.throttle().is_some(), "what asks for less lowers the connection");
    }
}
