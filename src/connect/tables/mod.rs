//! What holds tables, databases and the files of stores: their catalogues, the rows of a table or query as Arrow batches, and the way back in.
//!
//! Each engine is one folder with a catalogue reader, a streaming reader, a writer and an error table. What becomes of a column between
//! two engines stands in `types/`, one file for each pair.

mod batch;
mod cell;
mod civil;
mod commit;
mod ddl;
mod decimal;
mod files;
mod keys;
mod mapping;
mod mssql;
mod mysql;
mod names;
mod parameters;
mod postgres;
mod queries;
mod rows;
mod select;
mod session;
mod sqlite;
mod streamed;
mod types;
mod unread;
mod uuid;

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures::future::{BoxFuture, ready};
use futures::stream::BoxStream;

use crate::model::{ColumnMapping, Engine, Failure, RowRange, Table, TableName, Value};

pub use cell::cell_text;
pub use commit::OUTCOME_UNKNOWN;
pub(super) use commit::committed;
pub use ddl::{Ddl, Statement};
pub use files::FileRole;
pub(super) use files::FileTables;
pub use mapping::{Mapper, MappingProblem, TableMapping, map_table, same_identifier};
pub(super) use mssql::SqlServerDatabase;
pub(super) use mysql::MySqlDatabase;
pub use names::keep_apart;
pub(super) use postgres::PostgresDatabase;
pub(super) use queries::Queries;
pub(super) use sqlite::SqliteDatabase;
pub use types::{TypeTable, type_table};
pub use unread::UnreadRows;

/// Batches of rows as they arrive; the first error ends the stream. Each holds at most 8,192 rows and about 1 MiB, so
/// that no table is ever in memory as a whole.
pub type BatchStream = BoxStream<'static, Result<RecordBatch, Failure>>;

/// Rows in the form in which a database of the same engine takes them, undecoded; the first error ends the stream.
pub type RawStream = BoxStream<'static, Result<RawRows, Failure>>;

/// A piece of a [`RawStream`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRows {
    /// Need not end where a row does.
    pub bytes: Bytes,
    /// Rows that end in this piece.
    pub rows: u64,
}

/// Where rows are read from.
#[derive(Clone, Debug, PartialEq)]
pub enum RowsFrom {
    Table(TableName),
    /// Parameters are `:name` in the text and are bound, never pasted in.
    Query {
        text: String,
        parameters: Vec<(String, Value)>,
    },
}

/// What is read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    pub from: RowsFrom,
    /// Their `source` names are selected, each in the form that its `carry` asks for.
    pub columns: Vec<ColumnMapping>,
    pub range: RowRange,
    /// A view of the source that several readers share, as [`TableStore::snapshot`] names it.
    pub snapshot: Option<String>,
    /// Where rows go that have a value which cannot be carried; absent, the first of them ends the stream.
    pub unread: Option<UnreadRows>,
}

/// Where rows go, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsRequest {
    pub table: TableName,
    /// Their `target` names are written.
    pub columns: Vec<ColumnMapping>,
    /// The columns by which a row that is there already is recognised and replaced; empty: rows are only added.
    pub upsert_key: Vec<String>,
    /// Which part of the table these rows are, from 1: where a table is a folder of files, each chunk is one.
    pub part: u64,
}

/// A foreign key between a table and others: the statements that take it away and give it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAround {
    /// It is a key of the table itself, not one of another table into it.
    pub is_own: bool,
    /// Fails with `database.object_not_found` when another has taken it.
    pub take: String,
    pub give_back: String,
}

/// The code of a view that is gone: the session that held it has ended.
pub const SNAPSHOT_LOST: &str = "database.snapshot_lost";

/// A consistent view of a database that readers share by its name.
pub struct Snapshot {
    pub name: String,
    /// Holds the view open.
    pub(super) _holder: Box<dyn Send + Sync>,
}

/// A database whose tables can be read and written, or the files of a store as one.
pub trait TableStore: Send + Sync {
    fn engine(&self) -> Engine;

    /// The schema that a table without one is in; empty where the engine has no schemas.
    fn default_schema(&self) -> &str;

    /// All tables of the database but the engine's own, in the order of their names, with columns, keys and indexes.
    fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>>;

    /// How many rows there are, counted.
    fn count<'a>(&'a self, from: &'a RowsFrom, range: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>>;

    /// The values of `column` at which every `rows`-th row begins, without the first: the bounds between chunks.
    fn key_bounds<'a>(
        &'a self,
        from: &'a RowsFrom,
        column: &'a str,
        rows: u64,
    ) -> BoxFuture<'a, Result<Vec<Value>, Failure>>;

    /// Physical blocks that the table has, where the engine reads by block.
    fn blocks<'a>(&'a self, table: &'a TableName) -> BoxFuture<'a, Result<Option<u64>, Failure>>;

    /// The columns that a query gives.
    fn describe<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<Vec<crate::model::Column>, Failure>>;

    /// The rows of a query one by one, for lists: few columns, and rarely many rows.
    fn rows<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<super::RowStream, Failure>>;

    /// A view of the data as it is now, which lasts until it is dropped; `None` where the engine cannot share one between readers.
    fn snapshot(&self) -> BoxFuture<'_, Result<Option<Snapshot>, Failure>>;

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>>;

    /// The same rows for [`TableWriter::write_raw`] of a database of the same engine; `None` where the engine has no such form, or where
    /// a column is to become something else on its way.
    fn read_raw<'a>(&'a self, _request: &'a ReadRequest) -> BoxFuture<'a, Result<Option<RawStream>, Failure>> {
        Box::pin(ready(Ok(None)))
    }

    /// Makes ready for the rows of a table to come anew, where that takes more than statements.
    fn begin<'a>(&'a self, _target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(ready(Ok(())))
    }

    /// Runs statements in one transaction; where the engine ends transactions at DDL, one after the other.
    fn execute<'a>(&'a self, statements: &'a [String]) -> BoxFuture<'a, Result<(), Failure>>;

    /// The foreign keys of a table and into it; none where the engine does not insist on them while rows are written.
    fn keys_around<'a>(&'a self, target: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>>;

    /// Puts a table into the place of another, which is dropped where it is there. Views over it and grants on it are kept; foreign keys
    /// into it are taken away, for the caller to give back. Where both are the same, a table that was loaded where it stands is declared
    /// complete.
    fn swap<'a>(&'a self, staging: &'a TableName, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>>;

    /// Begins a transaction that rows are written in.
    fn write(&self, request: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>>;

    /// Which database it is, whatever a connection calls its server: two that answer the same are one. `None` where that cannot be told.
    fn identity(&self) -> BoxFuture<'_, Result<Option<String>, Failure>> {
        Box::pin(ready(Ok(None)))
    }

    /// One cheap call that proves the connection, for `validate --connect`.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>>;
}

/// Rows on their way into one table, in one transaction. Dropped before [`finish`](TableWriter::finish), it leaves nothing.
pub trait TableWriter: Send {
    /// Writes a batch whose columns are those of the request, in their order.
    fn write(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>>;

    /// Writes a batch so that a failure of class `data` or `conflict` leaves the transaction usable, without the batch.
    fn write_apart(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>>;

    /// Writes rows that [`TableStore::read_raw`] gave, all of them in their order and nothing beside them.
    fn write_raw(&mut self, _rows: RawRows) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(ready(Err(Failure::permanent(
            "database.raw",
            "the sink takes no rows in another database's form",
        ))))
    }

    /// Runs a last statement in the same transaction, where there is one, and commits. Gives the number of rows written.
    fn finish(self: Box<Self>, last: Option<String>) -> BoxFuture<'static, Result<u64, Failure>>;
}
