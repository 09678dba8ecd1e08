use std::path::PathBuf;

use crate::model::{
    ConnectionKind, GcsCredentials, HostKeys, S3Credentials, SecretReference, SftpCredentials, WebCredentials,
};
use crate::spec::{GcsSpec, HostKeyCheckSpec, HttpSpec, Problem, S3Spec, SftpSpec, WebdavSpec};

use super::connections::{ConnectionReader, absolute};

const SFTP_PORT: u16 = 22;

/// Connections to stores outside Azure.
impl ConnectionReader<'_, '_> {
    pub(super) fn s3(&mut self, pointer: &str, spec: &S3Spec) -> ConnectionKind {
        if let Some(endpoint) = &spec.endpoint {
            self.check_address(&format!("{pointer}/endpoint"), endpoint);
        }
        ConnectionKind::S3 {
            bucket: spec.bucket.clone(),
            region: spec.region.clone(),
            endpoint: spec.endpoint.clone(),
            credentials: self.s3_credentials(pointer, spec),
            root: spec.root.clone(),
        }
    }

    /// What has problems counts as the environment's: the problems stop the job.
    fn s3_credentials(&mut self, pointer: &str, spec: &S3Spec) -> S3Credentials {
        let access_key_id = self.secret(pointer, "access_key_id", spec.access_key_id.as_ref());
        let secret_access_key = self.secret(pointer, "secret_access_key", spec.secret_access_key.as_ref());
        let session_token = self.secret(pointer, "session_token", spec.session_token.as_ref());
        if spec.access_key_id.is_some() != spec.secret_access_key.is_some() {
            let problem =
                Problem::new("`access_key_id` and `secret_access_key` go together, and one of them is missing");
            let help = "add the other one, or leave both out to use the machine's own credentials";
            self.findings.add(pointer, problem.help(help));
        } else if spec.session_token.is_some() && spec.access_key_id.is_none() {
            let problem = Problem::new("`session_token` needs the keys that it belongs to");
            let help = "add `access_key_id` and `secret_access_key`, or leave it out";
            self.findings
                .add(&format!("{pointer}/session_token"), problem.help(help));
        }
        let anonymous = spec.anonymous == Some(true);
        let given = [
            ("access_key_id", spec.access_key_id.is_some()),
            ("profile", spec.profile.is_some()),
            ("anonymous", anonymous),
        ];
        self.check_at_most_one(pointer, &given);
        match (access_key_id, secret_access_key, &spec.profile) {
            (Some(access_key_id), Some(secret_access_key), _) => S3Credentials::Keys {
                access_key_id,
                secret_access_key,
                session_token,
            },
            (_, _, Some(profile)) => S3Credentials::Profile(profile.clone()),
            _ if anonymous => S3Credentials::Anonymous,
            _ => S3Credentials::Environment,
        }
    }

    pub(super) fn gcs(&mut self, pointer: &str, spec: &GcsSpec) -> ConnectionKind {
        if let Some(endpoint) = &spec.endpoint {
            self.check_address(&format!("{pointer}/endpoint"), endpoint);
        }
        let key = self.secret(pointer, "service_account_key", spec.service_account_key.as_ref());
        let anonymous = spec.anonymous == Some(true);
        let given = [
            ("service_account_key", spec.service_account_key.is_some()),
            ("anonymous", anonymous),
        ];
        self.check_at_most_one(pointer, &given);
        let credentials = match key {
            Some(key) => GcsCredentials::ServiceAccountKey(key),
            None if anonymous => GcsCredentials::Anonymous,
            None => GcsCredentials::Environment,
        };
        ConnectionKind::Gcs {
            bucket: spec.bucket.clone(),
            endpoint: spec
                .endpoint
                .as_ref()
                .map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
            credentials,
            root: spec.root.clone(),
        }
    }

    pub(super) fn http(&mut self, pointer: &str, spec: &HttpSpec) -> Option<ConnectionKind> {
        let password = self.secret(pointer, "password", spec.password.as_ref());
        let token = self.secret(pointer, "bearer_token", spec.bearer_token.as_ref());
        Some(ConnectionKind::Http {
            credentials: self.web_credentials(pointer, spec.user.as_ref(), password, token)?,
            endpoint: self.web_address(pointer, &spec.endpoint)?,
        })
    }

    pub(super) fn webdav(&mut self, pointer: &str, spec: &WebdavSpec) -> Option<ConnectionKind> {
        let password = self.secret(pointer, "password", spec.password.as_ref());
        let token = self.secret(pointer, "bearer_token", spec.bearer_token.as_ref());
        Some(ConnectionKind::Webdav {
            credentials: self.web_credentials(pointer, spec.user.as_ref(), password, token)?,
            endpoint: self.web_address(pointer, &spec.endpoint)?,
        })
    }

    fn web_address(&mut self, pointer: &str, address: &str) -> Option<String> {
        let pointer = format!("{pointer}/endpoint");
        self.check_address(&pointer, address);
        if address.contains(['?', '#']) {
            let problem =
                Problem::new("the address has a query or a fragment, which would stand in the middle of every other");
            self.findings.add(
                &pointer,
                problem.help("write scheme, host and folder alone: `https://host/folder`"),
            );
            return None;
        }
        Some(address.trim_end_matches('/').to_owned())
    }

    fn web_credentials(
        &mut self,
        pointer: &str,
        user: Option<&String>,
        password: Option<SecretReference>,
        token: Option<SecretReference>,
    ) -> Option<WebCredentials> {
        self.check_at_most_one(pointer, &[("user", user.is_some()), ("bearer_token", token.is_some())]);
        match (user, password, token) {
            (None, None, None) => Some(WebCredentials::None),
            (Some(user), Some(password), _) => Some(WebCredentials::Basic {
                user: user.clone(),
                password,
            }),
            (None, None, Some(token)) => Some(WebCredentials::Bearer(token)),
            _ => {
                let problem = Problem::new("`user` and `password` go together, and one of them is missing");
                self.findings
                    .add(pointer, problem.help("add the other one, or leave both out"));
                None
            }
        }
    }

    pub(super) fn sftp(&mut self, pointer: &str, spec: &SftpSpec) -> Option<ConnectionKind> {
        let key = self.secret(pointer, "private_key", spec.private_key.as_ref());
        let passphrase = self.secret(pointer, "passphrase", spec.passphrase.as_ref());
        let password = self.secret(pointer, "password", spec.password.as_ref());
        let given = [
            ("private_key", spec.private_key.is_some()),
            ("password", spec.password.is_some()),
        ];
        self.check_at_most_one(pointer, &given);
        let credentials = match (key, password) {
            (Some(key), _) => SftpCredentials::PrivateKey { key, passphrase },
            (None, Some(password)) => SftpCredentials::Password(password),
            (None, None) => {
                let problem = Problem::new("neither `private_key` nor `password` is given");
                let help = "add `private_key: ${file:PATH}` with the path of the key, or `password: ${env:NAME}`";
                self.findings.add(pointer, problem.help(help));
                return None;
            }
        };
        Some(ConnectionKind::Sftp {
            host: spec.host.clone(),
            port: spec.port.unwrap_or(SFTP_PORT),
            user: spec.user.clone(),
            root: spec.root.clone().unwrap_or_default(),
            credentials,
            host_keys: self.host_keys(pointer, spec)?,
        })
    }

    fn host_keys(&mut self, pointer: &str, spec: &SftpSpec) -> Option<HostKeys> {
        if matches!(spec.host_key_check, Some(HostKeyCheckSpec::None)) {
            return Some(HostKeys::Unchecked);
        }
        if let Some(path) = &spec.known_hosts {
            return Some(HostKeys::Known(absolute(self.folder, path)));
        }
        let home = (self.environment)("HOME").filter(|home| !home.is_empty());
        let Some(home) = home.map(PathBuf::from).or_else(std::env::home_dir) else {
            let problem = Problem::new("there is no home folder in which `.ssh/known_hosts` could be");
            self.findings.add(
                pointer,
                problem.help("add `known_hosts: PATH`, the file with the server's key"),
            );
            return None;
        };
        Some(HostKeys::Known(home.join(".ssh/known_hosts")))
    }

    /// Ways to prove who asks, of which one at most can be meant.
    pub(super) fn check_at_most_one(&mut self, pointer: &str, ways: &[(&str, bool)]) -> bool {
        let given: Vec<&str> = ways.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        if given.len() < 2 {
            return true;
        }
        let found = match given.as_slice() {
            [one, other] => format!("both `{one}` and `{other}` are given"),
            all => format!("`{}` are all given", all.join("`, `")),
        };
        self.findings.add(pointer, Problem::new(found).help("keep one of them"));
        false
    }
}
