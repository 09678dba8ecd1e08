use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::model::{
    Ceilings, ConnectionConfig, ConnectionKind, CsvTable, MessageEncoding, RetryPolicy, SecretReference, redact,
};
use crate::spec::{
    AzblobSpec, AzureQueueSpec, CommonSpec, ConnectionSpec, CsvSqliteSpec, Environment, MessageEncodingSpec, Problem,
    S3Spec, missing_environment,
};

use super::findings::Findings;

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
        let at = |kind: &str| format!("{pointer}/{kind}");
        if let Some(fs) = &spec.fs {
            let kind = ConnectionKind::Fs {
                root: absolute(self.folder, &fs.root),
            };
            return Some(self.config(&at("fs"), name, kind, fs.common()));
        }
        if let Some(memory) = &spec.memory {
            return Some(self.config(&at("memory"), name, ConnectionKind::Memory, memory.common()));
        }
        if let Some(azblob) = &spec.azblob {
            let kind = self.azblob(&at("azblob"), azblob)?;
            return Some(self.config(&at("azblob"), name, kind, azblob.common()));
        }
        if let Some(s3) = &spec.s3 {
            let kind = self.s3(&at("s3"), s3);
            return Some(self.config(&at("s3"), name, kind, s3.common()));
        }
        if let Some(sample) = &spec.sample {
            let pointer = at("sample");
            let kind = ConnectionKind::Sample {
                seed: sample.seed.unwrap_or(0),
                size_max: self.findings.size(
                    &format!("{pointer}/size_max"),
                    sample.size_max.as_ref(),
                    SAMPLE_SIZE_MAX,
                ),
            };
            return Some(self.config(&pointer, name, kind, sample.common()));
        }
        if let Some(null) = &spec.null {
            return Some(self.config(&at("null"), name, ConnectionKind::Null, null.common()));
        }
        if let Some(queue) = &spec.azqueue {
            let kind = self.azure_queue(&at("azqueue"), queue)?;
            return Some(self.config(&at("azqueue"), name, kind, queue.common()));
        }
        if let Some(queue) = &spec.jsonl_queue {
            let path = absolute(self.folder, &queue.path);
            return Some(self.config(
                &at("jsonl-queue"),
                name,
                ConnectionKind::JsonlQueue { path },
                queue.common(),
            ));
        }
        let sqlite = spec.csv_sqlite.as_ref()?;
        let kind = self.csv_sqlite(sqlite);
        Some(self.config(&at("csv-sqlite"), name, kind, sqlite.common()))
    }

    /// What every kind has: time-out, ceilings and retry policy.
    fn config(&mut self, pointer: &str, name: &str, kind: ConnectionKind, spec: CommonSpec<'_>) -> ConnectionConfig {
        let timeout_pointer = format!("{pointer}/timeout");
        let timeout = self.findings.duration(&timeout_pointer, spec.timeout, TIMEOUT);
        if timeout.is_zero() {
            let problem = Problem::new("`timeout` is zero: no call could end in time");
            self.findings
                .add(&timeout_pointer, problem.help("write `60s`, or leave it out"));
        }
        let retry = spec
            .retry
            .map(|retry| self.findings.retry(&format!("{pointer}/retry"), retry, self.retry));
        let count = |limit: u32| usize::try_from(limit).ok();
        ConnectionConfig {
            name: name.to_owned(),
            kind,
            timeout,
            ceilings: Ceilings {
                limit: spec.limit.and_then(count),
                per_slot: spec.per_slot.and_then(|per_slot| count(per_slot.limit)),
                speed: self.findings.speed(pointer, spec.rate, spec.bandwidth),
            },
            retry,
        }
    }

    fn azblob(&mut self, pointer: &str, spec: &AzblobSpec) -> Option<ConnectionKind> {
        let account_key = self.secret(pointer, "account_key", spec.account_key.as_ref());
        let sas_token = self.secret(pointer, "sas_token", spec.sas_token.as_ref());
        let account = spec.account.as_ref();
        let endpoint = self.azure_endpoint(pointer, "blob", account, spec.endpoint.as_ref())?;
        self.check_key_has_account(pointer, spec.account_key.as_ref(), account);
        Some(ConnectionKind::Azblob {
            container: spec.container.clone(),
            endpoint,
            account: spec.account.clone(),
            account_key,
            sas_token,
            root: spec.root.clone(),
        })
    }

    fn azure_queue(&mut self, pointer: &str, spec: &AzureQueueSpec) -> Option<ConnectionKind> {
        let account_key = self.secret(pointer, "account_key", spec.account_key.as_ref());
        let sas_token = self.secret(pointer, "sas_token", spec.sas_token.as_ref());
        let account = spec.account.as_ref();
        let endpoint = self.azure_endpoint(pointer, "queue", account, spec.endpoint.as_ref())?;
        self.check_key_has_account(pointer, spec.account_key.as_ref(), account);
        if spec.account_key.is_some() == spec.sas_token.is_some() {
            let (found, help) = if spec.account_key.is_some() {
                ("both `account_key` and `sas_token` are given", "keep one of them")
            } else {
                ("neither `account_key` nor `sas_token` is given", "add one of them")
            };
            self.findings.add(pointer, Problem::new(found).help(help));
        }
        Some(ConnectionKind::AzureQueue {
            queue: spec.queue.clone(),
            endpoint,
            account: spec.account.clone(),
            account_key,
            sas_token,
            encoding: match spec.encoding {
                None => MessageEncoding::default(),
                Some(MessageEncodingSpec::Base64) => MessageEncoding::Base64,
                Some(MessageEncodingSpec::Text) => MessageEncoding::Text,
            },
        })
    }

    /// The address of one of an account's services.
    fn azure_endpoint(
        &mut self,
        pointer: &str,
        service: &str,
        account: Option<&String>,
        endpoint: Option<&String>,
    ) -> Option<String> {
        match (endpoint, account) {
            (Some(endpoint), _) => {
                self.check_address(&format!("{pointer}/endpoint"), endpoint);
                Some(endpoint.trim_end_matches('/').to_owned())
            }
            (None, Some(account)) => Some(format!("https://{account}.{service}.core.windows.net")),
            (None, None) => {
                let problem = Problem::new("neither `account` nor `endpoint` is given");
                self.findings
                    .add(pointer, problem.help("add `account: NAME`, the storage account's name"));
                None
            }
        }
    }

    fn check_key_has_account(&mut self, pointer: &str, account_key: Option<&String>, account: Option<&String>) {
        if account_key.is_some() && account.is_none() {
            let problem = Problem::new("`account_key` needs the `account` that it belongs to");
            let pointer = format!("{pointer}/account_key");
            self.findings.add(
                &pointer,
                problem.help("add `account: NAME`, the storage account's name"),
            );
        }
    }

    fn s3(&mut self, pointer: &str, spec: &S3Spec) -> ConnectionKind {
        if let Some(endpoint) = &spec.endpoint {
            self.check_address(&format!("{pointer}/endpoint"), endpoint);
        }
        if spec.access_key_id.is_some() != spec.secret_access_key.is_some() {
            let problem =
                Problem::new("`access_key_id` and `secret_access_key` go together, and one of them is missing");
            self.findings.add(
                pointer,
                problem.help("add the other one, or leave both out to use the machine's own credentials"),
            );
        }
        ConnectionKind::S3 {
            bucket: spec.bucket.clone(),
            region: spec.region.clone(),
            endpoint: spec.endpoint.clone(),
            access_key_id: self.secret(pointer, "access_key_id", spec.access_key_id.as_ref()),
            secret_access_key: self.secret(pointer, "secret_access_key", spec.secret_access_key.as_ref()),
            session_token: self.secret(pointer, "session_token", spec.session_token.as_ref()),
            root: spec.root.clone(),
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

    fn check_address(&mut self, pointer: &str, address: &str) {
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
    fn secret(&mut self, pointer: &str, field: &str, text: Option<&String>) -> Option<SecretReference> {
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
