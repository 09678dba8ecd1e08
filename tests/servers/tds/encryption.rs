use std::path::Path;
use std::process::Command;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub const CERTIFICATE: &str = "certificate.pem";

/// Encryption as SQL Server has it where its own protocol begins first: no newer than TLS 1.2. The certificate is made here, for `localhost`,
/// and nobody trusts it yet.
pub fn config(folder: &Path) -> ServerConfig {
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("`openssl` starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let provider = rustls::crypto::ring::default_provider();
    let certificates = CertificateDer::pem_file_iter(&certificate).expect("the certificate is there");
    let certificates: Result<Vec<_>, _> = certificates.collect();
    let key = PrivateKeyDer::from_pem_file(&key).expect("the key is there");
    ServerConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("the version is known")
        .with_no_client_auth()
        .with_single_cert(certificates.expect("the certificate is one"), key)
        .expect("the key is the certificate's")
}
