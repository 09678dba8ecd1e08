use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::model::{
    Ceilings, ConnectionConfig, ConnectionKind, CsvTable, DatabaseAddress, RetryPolicy, SecretReference, redact,
};
use crate::spec::{
    Common, CommonSpec, ConnectionSpec, CsvSqliteSpec, DatabaseSpec, EncryptionSpec, Environment, Problem,
    missing_environment,
};

use super::findings::Findings;

/// The port that a PostgreSQL server listens at.
const POSTGRES_PORT: u16 = 5432;
/// The port that a MySQL or MariaDB server listens at.
const MYSQL_PORT: u16 = 3306;
/// The port that a SQL Server listens at.
const SQL_SERVER_PORT: u16 = 1433;
/// The longest that a call may take unless a connection says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The bound of generated sizes unless the connection says otherwise.
const SAMPLE_SIZE_MAX: u64 = 64 << 10;

/// Turns the connections of one file into configurations.
pub(super) struct ConnectionReader<'a, 'd> {
    pub findings: &'a mut Findings<'d>,
    pub environment: &'a Environment<'a>,
    /// The folder of the file, which its paths are relative to.
    pub folder: &'a Path,
    /// What a connection's own retry policy leaves out.
    pub retry: &'a RetryPolicy,
}

impl ConnectionReader<'_, '_> {
    /// `pointer` is that of the map of connections. Those with problems are left out.
    pub fn read(
        &mut self,
        pointer: &str,
        specs: &BTreeMap<String, ConnectionSpec>,
    ) -> BTreeMap<String, ConnectionConfig> {
        let read = specs.iter().filter_map(|(name, spec)| {
            let config = self.connection(&format!("{pointer}/{}", escape(name)), name, spec)?;
            Some((name.clone(), config))
        });
        read.collect()
    }

    fn connection(&mut self, pointer: &str, name: &str, spec: &ConnectionSpec) -> Option<ConnectionConfig> {
        let (kind_name, common) = common(spec)?;
        let pointer = format!("{pointer}/{kind_name}");
        let kind = self.kind(&pointer, spec)?;
        Some(self.config(&pointer, name, kind, common))
    }

    /// `pointer` is that of the kind's options.
    fn kind(&mut self, pointer: &str, spec: &ConnectionSpec) -> Option<ConnectionKind> {
        if let Some(fs) = &spec.fs {
            let root = absolute(self.folder, &fs.root);
            return Some(ConnectionKind::Fs { root });
        }
        if spec.memory.is_some() {
            return Some(ConnectionKind::Memory);
        }
        if let Some(azblob) = &spec.azblob {
            return self.azblob(pointer, azblob);
        }
        if let Some(azdls) = &spec.azdls {
            return self.azdls(pointer, azdls);
        }
        if let Some(s3) = &spec.s3 {
            return Some(self.s3(pointer, s3));
        }
        if let Some(gcs) = &spec.gcs {
            return Some(self.gcs(pointer, gcs));
        }
        if let Some(http) = &spec.http {
            return self.http(pointer, http);
        }
        if let Some(webdav) = &spec.webdav {
            return self.webdav(pointer, webdav);
        }
        if let Some(sftp) = &spec.sftp {
            return self.sftp(pointer, sftp);
        }
        if let Some(sample) = &spec.sample {
            let pointer = format!("{pointer}/size_max");
            return Some(ConnectionKind::Sample {
                seed: sample.seed.unwrap_or(0),
                size_max: self.findings.size(&pointer, sample.size_max.as_ref(), SAMPLE_SIZE_MAX),
            });
        }
        if spec.null.is_some() {
            return Some(ConnectionKind::Null);
        }
        if let Some(queue) = &spec.azqueue {
            return self.azure_queue(pointer, queue);
        }
        if let Some(queue) = &spec.jsonl_queue {
            let path = absolute(self.folder, &queue.path);
            return Some(ConnectionKind::JsonlQueue { path });
        }
        if let Some(sqlite) = &spec.sqlite {
            let path = absolute(self.folder, &sqlite.path);
            let script = sqlite.script.as_ref().map(|script| absolute(self.folder, script));
            return Some(ConnectionKind::Sqlite { path, script });
        }
        if let Some(postgres) = &spec.postgres {
            return Some(ConnectionKind::Postgres(self.database(
                pointer,
                postgres,
                POSTGRES_PORT,
            )));
        }
        if let Some(mysql) = &spec.mysql {
            return Some(ConnectionKind::MySql(self.database(pointer, mysql, MYSQL_PORT)));
        }
        if let Some(mssql) = &spec.mssql {
            return Some(ConnectionKind::SqlServer(self.database(
                pointer,
                mssql,
                SQL_SERVER_PORT,
            )));
        }
        spec.csv_sqlite.as_ref().map(|sqlite| self.csv_sqlite(sqlite))
    }

    fn database(&mut self, pointer: &str, spec: &DatabaseSpec, port: u16) -> DatabaseAddress {
        let host = spec.host.clone().unwrap_or_else(|| "localhost".to_owned());
        let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        DatabaseAddress {
            port: spec.port.unwrap_or(port),
            database: spec.database.clone(),
            user: spec.user.clone(),
            password: self.secret(pointer, "password", spec.password.as_ref()),
            is_encrypted: match spec.tls {
                Some(EncryptionSpec::Verify) => true,
                Some(EncryptionSpec::None) => false,
                // Nobody can listen on the way to this machine itself.
                None => !is_here,
            },
            host,
        }
    }

    /// What every kind has: time-out, ceilings and retry policy.
    fn config(&mut self, pointer: &str, name: &str, kind: ConnectionKind, common: CommonSpec<'_>) -> ConnectionConfig {
        let timeout_pointer = format!("{pointer}/timeout");
        let timeout = self.findings.duration(&timeout_pointer, common.timeout, TIMEOUT);
        if timeout.is_zero() {
            let problem = Problem::new("`timeout` is zero: no call could end in time");
            self.findings
                .add(&timeout_pointer, problem.help("write `60s`, or leave it out"));
        }
        let retry = common
            .retry
            .map(|retry| self.findings.retry(&format!("{pointer}/retry"), retry, self.retry));
        let count = |limit: u32| usize::try_from(limit).ok();
        ConnectionConfig {
            name: name.to_owned(),
            kind,
            timeout,
            ceilings: Ceilings {
                limit: common.limit.and_then(count),
                per_slot: common.per_slot.and_then(|per_slot| count(per_slot.limit)),
                speed: self.findings.speed(pointer, common.rate, common.bandwidth),
            },
            retry,
        }
    }

    fn csv_sqlite(&mut self, spec: &CsvSqliteSpec) -> ConnectionKind {
        let table = |(name, path): (&String, &String)| CsvTable {
            name: name.clone(),
            path: absolute(self.folder, path),
        };
        ConnectionKind::CsvSqlite {
            tables: spec.tables.iter().map(table).collect(),
        }
    }

    pub(super) fn check_address(&mut self, pointer: &str, address: &str) {
        let host = address
            .strip_prefix("https://")
            .or_else(|| address.strip_prefix("http://"));
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
            let problem = Problem::new(format!("`{}` is not an address", redact(address)));
            self.findings.add(
                pointer,
                problem.help("write it with its scheme and host: `https://host`"),
            );
        }
    }

    /// Where a secret is to be found. It is not read here, only looked for; plain text was reported when the text was read.
    pub(super) fn secret(&mut self, pointer: &str, field: &str, text: Option<&String>) -> Option<SecretReference> {
        let inner = text?.strip_prefix("${")?.strip_suffix('}')?;
        let pointer = format!("{pointer}/{field}");
        if let Some(name) = inner.strip_prefix("env:") {
            if (self.environment)(name).is_none_or(|value| value.is_empty()) {
                self.findings.add(&pointer, missing_environment(name));
            }
            return Some(SecretReference::Environment(name.to_owned()));
        }
        let path = absolute(self.folder, inner.strip_prefix("file:")?);
        if !path.is_file() {
            let problem = Problem::new(format!("there is no file `{}`", path.display()));
            self.findings.add(
                &pointer,
                problem
                    .label("needed here")
                    .help("write the secret into it, with nothing else"),
            );
        }
        Some(SecretReference::File(path))
    }
}

/// The kind's name, which is the key that its options stand under, and what every kind has.
fn common(spec: &ConnectionSpec) -> Option<(&'static str, CommonSpec<'_>)> {
    fn entry<'a, T: Common>(name: &'static str, options: &'a Option<T>) -> Option<(&'static str, CommonSpec<'a>)> {
        options.as_ref().map(|options| (name, options.common()))
    }

    entry("fs", &spec.fs)
        .or_else(|| entry("memory", &spec.memory))
        .or_else(|| entry("azblob", &spec.azblob))
        .or_else(|| entry("azdls", &spec.azdls))
        .or_else(|| entry("s3", &spec.s3))
        .or_else(|| entry("gcs", &spec.gcs))
        .or_else(|| entry("http", &spec.http))
        .or_else(|| entry("webdav", &spec.webdav))
        .or_else(|| entry("sftp", &spec.sftp))
        .or_else(|| entry("sample", &spec.sample))
        .or_else(|| entry("null", &spec.null))
        .or_else(|| entry("azqueue", &spec.azqueue))
        .or_else(|| entry("jsonl-queue", &spec.jsonl_queue))
        .or_else(|| entry("csv-sqlite", &spec.csv_sqlite))
        .or_else(|| entry("sqlite", &spec.sqlite))
        .or_else(|| entry("postgres", &spec.postgres))
        .or_else(|| entry("mysql", &spec.mysql))
        .or_else(|| entry("mssql", &spec.mssql))
}

/// A path of a file, made absolute from the file's folder, `..` taken out: it is part of what decides which data is reached.
pub(super) fn absolute(folder: &Path, path: &str) -> PathBuf {
    let joined = folder.join(path);
    let full = std::path::absolute(&joined).unwrap_or(joined);
    let mut out = PathBuf::new();
    for component in full.components() {
        match component {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            component => out.push(component),
        }
    }
    out
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
