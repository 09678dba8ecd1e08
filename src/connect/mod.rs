//! Outside systems behind four traits: [`Store`] (objects by name), [`Database`] (rows by query), [`TableStore`] (tables, those that are files of a store among them) and [`Queue`] (messages).
//!
//! One folder or file per system, each with its own error table that turns the system's answers into failure classes. A new
//! system is one place here, a row in the registry and a line in the conformance suite. This floor knows nothing of specs, plans or state.

mod connections;
mod credentials;
mod csv_sqlite;
mod database;
mod gate;
mod queue;
mod registry;
mod secrets;
mod store;
mod tables;
mod tls;

pub use connections::Connections;
pub use database::{Database, RowStream};
pub use gate::{Door, Paces, Pass, further_parts, paced};
pub use queue::{Message, Queue};
pub use store::{
    ByteStream, ObjectInfo, ObjectMetadata, ObjectStream, ObjectWriter, PartialOwner, Precondition, Store, WriteRequest,
};
pub use tables::{
    BatchStream, Ddl, FileRole, KeyAround, Mapper, MappingProblem, OUTCOME_UNKNOWN, RawStream, ReadRequest, RowsFrom,
    RowsRequest, SNAPSHOT_LOST, Snapshot, Statement, TableMapping, TableStore, TableWriter, TypeTable, UnreadRows,
    cell_text, keep_apart, map_table, same_identifier, type_table,
};
