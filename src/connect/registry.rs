use std::sync::Arc;

use crate::model::{ConnectionConfig, ConnectionKind, Failure};

use super::csv_sqlite::CsvSqlite;
use super::queue::{AzureQueue, JsonlQueue};
use super::store::{FsStore, HttpStore, NullStore, OnRepeat, SampleStore, SftpStore, WebdavStore, object};
use super::tables::{MySqlDatabase, PostgresDatabase, SqlServerDatabase, SqliteDatabase, TableStore};
use super::{Database, Queue, Store};

/// An open connection: what can be asked of it.
pub(super) enum Opened {
    Store(Arc<dyn Store>),
    Database(Arc<dyn Database>),
    Queue(Arc<dyn Queue>),
    Tables(Arc<dyn TableStore>),
}

/// Opens a connection of any kind: the one list of what this build can talk to. `repeated` hears of what is repeated within a call.
pub(super) async fn open(config: &ConnectionConfig, repeated: OnRepeat) -> Result<Opened, Failure> {
    let opened = match &config.kind {
        ConnectionKind::Fs { root } => Opened::Store(Arc::new(FsStore::new(root.clone()))),
        ConnectionKind::Memory => Opened::Store(Arc::new(object::memory(config, repeated)?)),
        ConnectionKind::Azblob { .. } => Opened::Store(Arc::new(object::azblob(config, repeated).await?)),
        ConnectionKind::Azdls { .. } => Opened::Store(Arc::new(object::azdls(config, repeated).await?)),
        ConnectionKind::Gcs { .. } => Opened::Store(Arc::new(object::gcs(config, repeated).await?)),
        ConnectionKind::Http { endpoint, credentials } => {
            Opened::Store(Arc::new(HttpStore::open(config, endpoint, credentials).await?))
        }
        ConnectionKind::Webdav { endpoint, credentials } => {
            Opened::Store(Arc::new(WebdavStore::open(config, endpoint, credentials).await?))
        }
        ConnectionKind::Sftp { .. } => Opened::Store(Arc::new(SftpStore::open(config).await?)),
        ConnectionKind::S3 { .. } => Opened::Store(Arc::new(object::s3(config, repeated).await?)),
        ConnectionKind::Sample { seed, size_max } => Opened::Store(Arc::new(SampleStore::new(*seed, *size_max))),
        ConnectionKind::Null => Opened::Store(Arc::new(NullStore)),
        ConnectionKind::CsvSqlite { tables } => Opened::Database(Arc::new(CsvSqlite::new(tables.clone()))),
        ConnectionKind::Sqlite { path, script } => {
            let database = SqliteDatabase::open(path.clone(), script.clone(), config.timeout).await?;
            Opened::Tables(Arc::new(database))
        }
        ConnectionKind::Postgres(address) => {
            Opened::Tables(Arc::new(PostgresDatabase::new(address.clone(), config.timeout)))
        }
        ConnectionKind::MySql(address) => Opened::Tables(Arc::new(MySqlDatabase::new(address.clone(), config.timeout))),
        ConnectionKind::SqlServer(address) => {
            Opened::Tables(Arc::new(SqlServerDatabase::new(address.clone(), config.timeout)))
        }
        ConnectionKind::AzureQueue { .. } => Opened::Queue(Arc::new(AzureQueue::open(config).await?)),
        ConnectionKind::JsonlQueue { path } => Opened::Queue(Arc::new(JsonlQueue::open(path.clone(), config.timeout)?)),
    };
    Ok(opened)
}
