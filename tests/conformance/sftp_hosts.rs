//! Which servers an SFTP connection believes to be the one that is meant.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::connect::Connections;
use pipeline::model::{Ceilings, ConnectionConfig, ConnectionKind, Failure, FailureClass, HostKeys};

use super::kinds::{Kind, Secrets, next_name, runtime, sshd};

fn probe(host_keys: HostKeys) -> Result<(), Failure> {
    let name = next_name();
    sshd().make_folder(&name);
    let secrets = Secrets::good(Kind::Sftp);
    let mut kind = Kind::Sftp.connection(&name, &secrets);
    if let ConnectionKind::Sftp { host_keys: keys, .. } = &mut kind {
        *keys = host_keys;
    }
    let config = ConnectionConfig {
        name: "subject".to_owned(),
        kind,
        timeout: Duration::from_secs(30),
        ceilings: Ceilings::default(),
        retry: None,
    };
    let connections = Connections::new(BTreeMap::from([("subject".to_owned(), config)]));
    runtime().block_on(connections.probe("subject"))
}

#[test]
fn only_a_server_that_is_known_is_let_near_the_credentials() {
    probe(HostKeys::Known(sshd().known_hosts())).unwrap();
    probe(HostKeys::Unchecked).unwrap();
    let absent = sshd().files().join("no-such-file");
    for (file, code) in [
        (sshd().changed_hosts(), "connection.host_changed"),
        (absent, "connection.host_unknown"),
    ] {
        let failure = probe(HostKeys::Known(file)).unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Denied, code),
            "{failure}"
        );
        assert!(failure.message.contains("SHA256:"), "{failure}");
    }
}
