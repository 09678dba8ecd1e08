use std::sync::Once;

/// Makes rustls use ring, once in this process. Every HTTP client is built after this: without a provider building one panics.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails only when a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
