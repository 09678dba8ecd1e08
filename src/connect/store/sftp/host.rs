use std::path::Path;

use russh::client;
use russh::keys::known_hosts::known_host_keys_path;
use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};

use crate::model::{Failure, FailureClass, HostKeys};

/// Decides whether a server is the one that is meant.
pub(super) struct HostCheck {
    pub host: String,
    pub port: u16,
    pub host_keys: HostKeys,
}

/// Why no connection came about.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// The server's key is not one that is known of it.
    Host(Failure),
    Ssh(russh::Error),
}

impl From<russh::Error> for ConnectError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl HostCheck {
    /// The kinds of key that are known of this server: it has others too, and must show one of these.
    pub fn known_algorithms(&self) -> Result<Vec<Algorithm>, Failure> {
        Ok(self.known()?.iter().map(PublicKey::algorithm).collect())
    }

    /// The keys that the file has of this server.
    fn known(&self) -> Result<Vec<PublicKey>, Failure> {
        let HostKeys::Known(path) = &self.host_keys else {
            return Ok(Vec::new());
        };
        match known_host_keys_path(&self.host, self.port, path) {
            // The numbers of the lines leave out comments, so that nobody could be sent to one.
            Ok(keys) => Ok(keys.into_iter().map(|(_, key)| key).collect()),
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", path.display());
                Err(Failure::permanent("connection.known_hosts", message))
            }
        }
    }

    fn check(&self, shown: &PublicKey) -> Result<(), Failure> {
        let HostKeys::Known(path) = &self.host_keys else {
            return Ok(());
        };
        let known = self.known()?;
        if known.iter().any(|key| key.key_data() == shown.key_data()) {
            return Ok(());
        }
        Err(self.unknown(path, !known.is_empty(), shown))
    }

    fn unknown(&self, path: &Path, is_known: bool, shown: &PublicKey) -> Failure {
        let (host, port, path) = (&self.host, self.port, path.display());
        let fingerprint = shown.fingerprint(HashAlg::Sha256);
        let entry = if port == 22 {
            host.clone()
        } else {
            format!("[{host}]:{port}")
        };
        let (code, message) = if is_known {
            (
                "connection.host_changed",
                format!(
                    "`{host}` port {port} shows another key ({fingerprint}) than `{path}` has of it: somebody may stand in between; ask who \
                     keeps the server, and only then take the old key out with `ssh-keygen -R '{entry}' -f {path}`"
                ),
            )
        } else {
            (
                "connection.host_unknown",
                format!(
                    "`{host}` port {port} is not in `{path}`; its key is {fingerprint}: compare that with what its keeper tells, then \
                     `ssh-keyscan -p {port} {host} >> {path}`"
                ),
            )
        };
        Failure::new(FailureClass::Denied, code, message)
    }
}

impl client::Handler for HostCheck {
    type Error = ConnectError;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, ConnectError> {
        let checked = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.check(key),
            PublicKeyOrCertificate::Certificate(certificate) => {
                self.check(&PublicKey::from(certificate.public_key().clone()))
            }
        };
        checked.map(|()| true).map_err(ConnectError::Host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    #[test]
    fn only_a_key_of_the_file_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(
            &path,
            format!("# of the office\n[host]:2222 {ONE} comment\nother {OTHER}\n"),
        )
        .unwrap();
        let check = |host: &str, port, key: &str| {
            let check = HostCheck {
                host: host.to_owned(),
                port,
                host_keys: HostKeys::Known(path.clone()),
            };
            check.check(&PublicKey::from_openssh(key).unwrap())
        };
        assert_eq!(check("host", 2222, ONE), Ok(()));
        assert_eq!(check("other", 22, OTHER), Ok(()));
        let changed = check("host", 2222, OTHER).unwrap_err();
        assert_eq!(
            (changed.class, &*changed.code),
            (FailureClass::Denied, "connection.host_changed")
        );
        assert!(
            changed.message.contains("ssh-keygen -R") && changed.message.contains("SHA256:"),
            "{changed}"
        );
        for (host, port) in [("host", 22), ("hos", 2222)] {
            let unknown = check(host, port, ONE).unwrap_err();
            assert_eq!(unknown.code, "connection.host_unknown");
            assert!(
                unknown.message.contains(&format!("ssh-keyscan -p {port} {host}")),
                "{unknown}"
            );
        }
    }
}
