use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::common::{connection_spec, local_connection_spec};
use super::store::{
    AzblobSpec, AzdlsSpec, FsSpec, GcsSpec, HttpSpec, MemorySpec, NullSpec, S3Spec, SampleSpec, SftpSpec, WebdavSpec,
};
use super::{NAME_PATTERN, QUEUE_PATTERN};

/// Connections by profile and by name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ConnectionsSpec(pub BTreeMap<String, BTreeMap<String, ConnectionSpec>>);

/// A connection: one key, its kind, and under it the kind's options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [
    {"required": ["fs"]}, {"required": ["memory"]}, {"required": ["azblob"]}, {"required": ["azdls"]}, {"required": ["s3"]},
    {"required": ["gcs"]}, {"required": ["http"]}, {"required": ["webdav"]}, {"required": ["sftp"]}, {"required": ["sample"]},
    {"required": ["null"]}, {"required": ["csv-sqlite"]}, {"required": ["azqueue"]}, {"required": ["jsonl-queue"]},
    {"required": ["sqlite"]}, {"required": ["postgres"]}, {"required": ["mysql"]}, {"required": ["mssql"]}
]))]
pub struct ConnectionSpec {
    /// A folder.
    pub fs: Option<FsSpec>,
    /// Objects in the memory of the process, for trials.
    pub memory: Option<MemorySpec>,
    /// A container of an Azure Blob Storage account.
    pub azblob: Option<AzblobSpec>,
    /// A file system of an Azure Data Lake Storage account.
    pub azdls: Option<AzdlsSpec>,
    /// A bucket of Amazon S3 or of a compatible store.
    pub s3: Option<S3Spec>,
    /// A bucket of Google Cloud Storage.
    pub gcs: Option<GcsSpec>,
    /// Objects of a web server, which can only be read, by their paths.
    pub http: Option<HttpSpec>,
    /// A folder of a WebDAV server.
    pub webdav: Option<WebdavSpec>,
    /// A folder of an SFTP server.
    pub sftp: Option<SftpSpec>,
    /// Generated objects: any path can be read, and gives the same bytes every time.
    pub sample: Option<SampleSpec>,
    /// Takes every object and keeps none: for measuring a source, or this program alone.
    pub null: Option<NullSpec>,
    /// CSV files queried with SQL, through an in-memory SQLite database.
    pub csv_sqlite: Option<CsvSqliteSpec>,
    /// A SQLite file with tables.
    pub sqlite: Option<SqliteSpec>,
    /// A PostgreSQL database.
    pub postgres: Option<DatabaseSpec>,
    /// A MySQL or MariaDB database.
    pub mysql: Option<DatabaseSpec>,
    /// A SQL Server database.
    pub mssql: Option<DatabaseSpec>,
    /// A queue of an Azure Storage account.
    pub azqueue: Option<AzureQueueSpec>,
    /// A file to which messages are appended, one JSON object to a line.
    pub jsonl_queue: Option<JsonlQueueSpec>,
}

local_connection_spec! {
    /// CSV files as tables.
    pub struct CsvSqliteSpec {
        /// Tables by name, each a CSV file, its path relative to the file in which this stands.
        #[schemars(extend("minProperties" = 1, "propertyNames" = {"pattern": NAME_PATTERN}))]
        pub tables: BTreeMap<String, String>,
    }
}

connection_spec! {
    /// A queue of an Azure Storage account.
    pub struct AzureQueueSpec {
        /// The storage account's name.
        pub account: Option<String>,
        /// The queue.
        #[schemars(regex(pattern = QUEUE_PATTERN), length(max = 63))]
        pub queue: String,
        /// The address of the queue service. Default `https://{account}.queue.core.windows.net`.
        pub endpoint: Option<String>,
        /// The account's key: a secret, given as `${env:NAME}` or `${file:PATH}`. Without it and without `sas_token`: what the environment has.
        pub account_key: Option<String>,
        /// A shared access signature: a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub sas_token: Option<String>,
        /// How a message's text travels: `base64` (default), which most consumers expect and which carries every character, or `text`.
        pub encoding: Option<MessageEncodingSpec>,
    }

    /// A SQLite file with tables.
    pub struct SqliteSpec {
        /// The file, relative to the file in which this stands. A sink that is not there is made.
        #[schemars(length(min = 1))]
        pub path: String,
        /// A file of SQL that makes the database where there is none: for samples and trials.
        pub script: Option<String>,
    }

    /// A database of a server.
    pub struct DatabaseSpec {
        /// The server's name or address. Default `localhost`.
        pub host: Option<String>,
        /// Its port. Default: the engine's own.
        #[schemars(range(min = 1, max = 65_535))]
        pub port: Option<u16>,
        /// The database.
        #[schemars(length(min = 1))]
        pub database: String,
        /// The user.
        #[schemars(length(min = 1))]
        pub user: String,
        /// The password: a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub password: Option<String>,
        /// Whether the connection is encrypted: `verify` (default, except to this machine itself) insists on it and checks the server's
        /// certificate and name, `none` goes without.
        pub tls: Option<EncryptionSpec>,
    }

    /// A file to which messages are appended, one JSON object to a line: `{"id": …, "body": …}`.
    pub struct JsonlQueueSpec {
        /// The file, relative to the file in which this stands. It is created with its folder when the first message comes.
        #[schemars(length(min = 1))]
        pub path: String,
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum MessageEncodingSpec {
    Base64,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum EncryptionSpec {
    Verify,
    None,
}
