use std::path::PathBuf;
use std::time::Duration;

use super::{
    AzureCredentials, Ceilings, GcsCredentials, HostKeys, RetryPolicy, S3Credentials, SecretReference, SftpCredentials,
    WebCredentials,
};

/// A named outside system as the profile in use defines it; secrets are still references.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionConfig {
    pub name: String,
    pub kind: ConnectionKind,
    /// The longest that one call may take.
    pub timeout: Duration,
    /// How much the run may ask of it.
    pub ceilings: Ceilings,
    /// Replaces the job's policy for what this connection does.
    pub retry: Option<RetryPolicy>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionKind {
    /// A folder.
    Fs { root: PathBuf },
    /// Objects in the memory of this process, for trials and tests.
    Memory,
    /// A container of an Azure Blob Storage account.
    Azblob {
        container: String,
        /// `https://ACCOUNT.blob.core.windows.net`, or an emulator's address with the account in its path.
        endpoint: String,
        credentials: AzureCredentials,
        root: Option<String>,
    },
    /// A file system of an Azure Data Lake Storage account.
    Azdls {
        filesystem: String,
        /// `https://ACCOUNT.dfs.core.windows.net`
        endpoint: String,
        /// The same account's blob service, where objects are written.
        blob_endpoint: String,
        credentials: AzureCredentials,
        root: Option<String>,
    },
    /// A bucket of Amazon S3 or a compatible store.
    S3 {
        bucket: String,
        region: Option<String>,
        endpoint: Option<String>,
        credentials: S3Credentials,
        root: Option<String>,
    },
    /// A bucket of Google Cloud Storage.
    Gcs {
        bucket: String,
        endpoint: Option<String>,
        credentials: GcsCredentials,
        root: Option<String>,
    },
    /// What a web server has below an address.
    Http {
        endpoint: String,
        credentials: WebCredentials,
    },
    /// A folder of a WebDAV server.
    Webdav {
        endpoint: String,
        credentials: WebCredentials,
    },
    /// A folder of an SFTP server.
    Sftp {
        host: String,
        port: u16,
        user: String,
        /// Empty: the folder that the server begins in.
        root: String,
        credentials: SftpCredentials,
        host_keys: HostKeys,
    },
    /// Generated objects: every path can be read, its size and bytes follow from the path and the seed alone.
    Sample { seed: u64, size_max: u64 },
    /// Takes every object and keeps none, for measuring.
    Null,
    /// CSV files as tables of an in-memory SQLite database.
    CsvSqlite { tables: Vec<CsvTable> },
    /// A queue of an Azure Storage account.
    AzureQueue {
        queue: String,
        /// `https://ACCOUNT.queue.core.windows.net`, or an emulator's address with the account in its path.
        endpoint: String,
        credentials: AzureCredentials,
        encoding: MessageEncoding,
    },
    /// A file to which messages are appended, one JSON object to a line.
    JsonlQueue { path: PathBuf },
    /// A SQLite file.
    Sqlite {
        path: PathBuf,
        /// SQL that makes the database where there is none.
        script: Option<PathBuf>,
    },
    /// A database of a PostgreSQL server.
    Postgres(DatabaseAddress),
    /// A database of a MySQL or MariaDB server.
    MySql(DatabaseAddress),
    /// A database of a SQL Server.
    SqlServer(DatabaseAddress),
}

/// How a database server is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseAddress {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub password: Option<SecretReference>,
    /// Whether the connection is encrypted and the server's certificate checked.
    pub is_encrypted: bool,
}

impl DatabaseAddress {
    fn identity(&self) -> String {
        format!("{}:{}/{}", self.host, self.port, self.database)
    }
}

/// How a message's text travels to a queue that carries XML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageEncoding {
    /// What most client libraries expect to find, and the only form that carries every character.
    #[default]
    Base64,
    /// The text itself.
    Text,
}

/// One table of a `csv-sqlite` connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvTable {
    pub name: String,
    pub path: PathBuf,
}

/// The query language a connection answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sql,
    Kql,
}

impl ConnectionKind {
    /// The kind's name in `connections.toml`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fs { .. } => "fs",
            Self::Memory => "memory",
            Self::Azblob { .. } => "azblob",
            Self::Azdls { .. } => "azdls",
            Self::S3 { .. } => "s3",
            Self::Gcs { .. } => "gcs",
            Self::Http { .. } => "http",
            Self::Webdav { .. } => "webdav",
            Self::Sftp { .. } => "sftp",
            Self::Sample { .. } => "sample",
            Self::Null => "null",
            Self::CsvSqlite { .. } => "csv-sqlite",
            Self::AzureQueue { .. } => "azqueue",
            Self::JsonlQueue { .. } => "jsonl-queue",
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::MySql(_) => "mysql",
            Self::SqlServer(_) => "mssql",
        }
    }

    /// Whether it holds objects (and so can be read from by path, listed, and written to unless generated).
    pub fn is_store(&self) -> bool {
        match self {
            Self::Fs { .. }
            | Self::Memory
            | Self::Azblob { .. }
            | Self::Azdls { .. }
            | Self::S3 { .. }
            | Self::Gcs { .. }
            | Self::Http { .. }
            | Self::Webdav { .. }
            | Self::Sftp { .. }
            | Self::Sample { .. }
            | Self::Null => true,
            Self::CsvSqlite { .. }
            | Self::AzureQueue { .. }
            | Self::JsonlQueue { .. }
            | Self::Sqlite { .. }
            | Self::Postgres(_)
            | Self::MySql(_)
            | Self::SqlServer(_) => false,
        }
    }

    /// Whether it takes messages.
    pub fn is_queue(&self) -> bool {
        matches!(self, Self::AzureQueue { .. } | Self::JsonlQueue { .. })
    }

    /// Whether it is a database with a catalogue of tables.
    pub fn holds_tables(&self) -> bool {
        matches!(
            self,
            Self::Sqlite { .. } | Self::Postgres(_) | Self::MySql(_) | Self::SqlServer(_)
        )
    }

    /// Whether objects that were written to it can be read from it again, and listed.
    pub fn keeps_objects(&self) -> bool {
        self.is_writable() && *self != Self::Null
    }

    /// Whether objects can be written to it.
    pub fn is_writable(&self) -> bool {
        self.is_store() && !matches!(self, Self::Sample { .. } | Self::Http { .. })
    }

    /// Whether a killed run may leave unfinished files there that nothing but a cleanup removes.
    pub fn keeps_partials(&self) -> bool {
        matches!(self, Self::Webdav { .. } | Self::Sftp { .. })
    }

    /// The dialect of its queries; `None` where it answers none.
    pub fn dialect(&self) -> Option<Dialect> {
        match self {
            Self::CsvSqlite { .. } | Self::Sqlite { .. } | Self::Postgres(_) | Self::MySql(_) | Self::SqlServer(_) => {
                Some(Dialect::Sql)
            }
            _ => None,
        }
    }

    /// What decides which data it reaches, without credentials: the part of a fingerprint that is the connection's.
    pub fn identity(&self) -> String {
        match self {
            Self::Fs { root } => format!("fs:{}", root.display()),
            Self::Memory => "memory".to_owned(),
            Self::Azblob {
                container,
                endpoint,
                root,
                ..
            } => {
                format!("azblob:{endpoint}/{container}/{}", root.as_deref().unwrap_or_default())
            }
            Self::S3 {
                bucket,
                region,
                endpoint,
                root,
                ..
            } => format!(
                "s3:{}/{}/{bucket}/{}",
                endpoint.as_deref().unwrap_or("aws"),
                region.as_deref().unwrap_or_default(),
                root.as_deref().unwrap_or_default()
            ),
            Self::Azdls {
                filesystem,
                endpoint,
                root,
                ..
            } => format!("azdls:{endpoint}/{filesystem}/{}", root.as_deref().unwrap_or_default()),
            Self::Gcs {
                bucket, endpoint, root, ..
            } => format!(
                "gcs:{}/{bucket}/{}",
                endpoint.as_deref().unwrap_or("google"),
                root.as_deref().unwrap_or_default()
            ),
            Self::Http { endpoint, .. } => format!("http:{endpoint}"),
            Self::Webdav { endpoint, .. } => format!("webdav:{endpoint}"),
            Self::Sftp {
                host, port, user, root, ..
            } => format!("sftp:{user}@{host}:{port}/{root}"),
            Self::Null => "null".to_owned(),
            Self::Sample { seed, size_max } => format!("sample:{seed}:{size_max}"),
            Self::CsvSqlite { tables } => {
                let tables: Vec<String> = tables
                    .iter()
                    .map(|table| format!("{}={}", table.name, table.path.display()))
                    .collect();
                format!("csv-sqlite:{}", tables.join(","))
            }
            Self::AzureQueue { queue, endpoint, .. } => format!("azqueue:{endpoint}/{queue}"),
            Self::JsonlQueue { path } => format!("jsonl-queue:{}", path.display()),
            Self::Sqlite { path, .. } => format!("sqlite:{}", path.display()),
            Self::Postgres(address) => format!("postgres:{}", address.identity()),
            Self::MySql(address) => format!("mysql:{}", address.identity()),
            Self::SqlServer(address) => format!("mssql:{}", address.identity()),
        }
    }

    /// Host and port that a full URI to one of its objects has; `None` where objects have no URI, or one that says nothing about them.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Azblob { endpoint, .. }
            | Self::Azdls { endpoint, .. }
            | Self::Http { endpoint, .. }
            | Self::Webdav { endpoint, .. }
            | Self::Gcs {
                endpoint: Some(endpoint),
                ..
            }
            | Self::S3 {
                endpoint: Some(endpoint),
                ..
            } => Some(split_endpoint(endpoint).0.to_owned()),
            Self::S3 {
                endpoint: None,
                bucket,
                region,
                ..
            } => {
                let region = region.as_deref().unwrap_or("us-east-1");
                Some(format!("{bucket}.s3.{region}.amazonaws.com"))
            }
            Self::Gcs { endpoint: None, .. } => Some(GOOGLE_HOST.to_owned()),
            Self::Fs { .. }
            | Self::Memory
            | Self::Sftp { .. }
            | Self::Sample { .. }
            | Self::Null
            | Self::CsvSqlite { .. }
            | Self::AzureQueue { .. }
            | Self::JsonlQueue { .. }
            | Self::Sqlite { .. }
            | Self::Postgres(_)
            | Self::MySql(_)
            | Self::SqlServer(_) => None,
        }
    }

    /// What the path of a full URI to one of its objects begins with, before the object's name; ends with `/`.
    pub fn uri_prefix(&self) -> Option<String> {
        let (endpoint, folder) = match self {
            Self::Azblob {
                endpoint, container, ..
            } => (endpoint.as_str(), container.as_str()),
            Self::Azdls {
                endpoint, filesystem, ..
            } => (endpoint.as_str(), filesystem.as_str()),
            Self::S3 {
                endpoint: Some(endpoint),
                bucket,
                ..
            } => (endpoint.as_str(), bucket.as_str()),
            Self::Gcs { endpoint, bucket, .. } => (endpoint.as_deref().unwrap_or(GOOGLE_HOST), bucket.as_str()),
            Self::Http { endpoint, .. } | Self::Webdav { endpoint, .. } => (endpoint.as_str(), ""),
            _ => return None,
        };
        let path = split_endpoint(endpoint).1.trim_matches('/');
        let segments = [path, folder].into_iter().filter(|segment| !segment.is_empty());
        Some(segments.map(|segment| format!("{segment}/")).collect())
    }
}

/// Where Google Cloud Storage is.
const GOOGLE_HOST: &str = "storage.googleapis.com";

/// An endpoint's host and port, and its path.
fn split_endpoint(endpoint: &str) -> (&str, &str) {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    rest.split_once('/').unwrap_or((rest, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uris_of_a_container_have_its_host_and_begin_with_its_name() {
        let azblob = |endpoint: &str| ConnectionKind::Azblob {
            container: "results".to_owned(),
            endpoint: endpoint.to_owned(),
            credentials: AzureCredentials::Environment,
            root: None,
        };
        let cloud = azblob("https://acc.blob.example");
        assert_eq!(cloud.host().as_deref(), Some("acc.blob.example"));
        assert_eq!(cloud.uri_prefix().as_deref(), Some("results/"));
        let emulator = azblob("http://127.0.0.1:10000/devstoreaccount1/");
        assert_eq!(emulator.host().as_deref(), Some("127.0.0.1:10000"));
        assert_eq!(emulator.uri_prefix().as_deref(), Some("devstoreaccount1/results/"));
        let http = |endpoint: &str| ConnectionKind::Http {
            endpoint: endpoint.to_owned(),
            credentials: WebCredentials::None,
        };
        assert_eq!(http("https://host/a/b").uri_prefix().as_deref(), Some("a/b/"));
        assert_eq!(http("https://host").uri_prefix().as_deref(), Some(""));
    }
}
