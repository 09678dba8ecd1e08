use std::sync::Once;

use rustls_platform_verifier::ConfigVerifierExt;

use crate::model::Failure;

/// Makes rustls use ring, once in this process. Every HTTP client is built after this: without a provider building one panics.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails only when a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Encryption for a connection that is no HTTP: certificates are checked as the machine does it.
///
/// # Errors
/// `connection.tls`: the machine's certificates cannot be used.
pub(super) fn client_config() -> Result<rustls::ClientConfig, Failure> {
    install();
    rustls::ClientConfig::with_platform_verifier()
        .map_err(|error| Failure::permanent("connection.tls", format!("no encryption can be had: {error}")))
}

/// Whether a connection was lost because its two ends do not agree on encryption, which no repetition cures.
pub(super) fn is_refusal(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}
