use std::sync::Once;
use std::time::Duration;

use opendal::layers::{RetryEvent, RetryLayer, TimeoutLayer};
use opendal::services::{Azblob, Memory, S3};
use opendal::{Builder, HttpTransporter, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;

use super::super::name::NameRules;
use super::error;
use super::store::{ObjectStore, Traits};
use crate::connect::{secrets, tls};
use crate::model::{ConnectionConfig, ConnectionKind, Failure};

/// Repetitions of a call that the engine cannot repeat by itself: a page of a listing, a part.
const RETRIES_MAX: usize = 2;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(250);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);

/// Objects in the memory of this process.
pub(in crate::connect) fn memory(config: &ConnectionConfig) -> Result<ObjectStore, Failure> {
    let traits = Traits {
        rules: NameRules::MEMORY,
        parts_max: usize::MAX,
        reads_metadata: false,
        user_metadata_keys_are_identifiers: false,
    };
    build(Memory::default(), config, traits)
}

/// A container of an Azure Blob Storage account.
pub(in crate::connect) async fn azblob(config: &ConnectionConfig) -> Result<ObjectStore, Failure> {
    let ConnectionKind::Azblob {
        container,
        endpoint,
        account,
        account_key,
        sas_token,
        root,
    } = &config.kind
    else {
        return Err(wrong_kind(config));
    };
    let root = root.as_deref().unwrap_or_default();
    let mut builder = Azblob::default().container(container).endpoint(endpoint).root(root);
    if let Some(account) = account {
        builder = builder.account_name(account);
    }
    if let Some(key) = secrets::read_optional(account_key.as_ref()).await? {
        builder = builder.account_key(key.reveal());
    }
    if let Some(token) = secrets::read_optional(sas_token.as_ref()).await? {
        builder = builder.sas_token(token.reveal().trim_start_matches('?'));
    }
    let traits = Traits {
        rules: NameRules::AZBLOB.with_root(root),
        parts_max: 50_000,
        reads_metadata: false,
        user_metadata_keys_are_identifiers: true,
    };
    build(builder, config, traits)
}

/// A bucket of Amazon S3 or a compatible store.
pub(in crate::connect) async fn s3(config: &ConnectionConfig) -> Result<ObjectStore, Failure> {
    let ConnectionKind::S3 {
        bucket,
        region,
        endpoint,
        access_key_id,
        secret_access_key,
        session_token,
        root,
    } = &config.kind
    else {
        return Err(wrong_kind(config));
    };
    let root = root.as_deref().unwrap_or_default();
    let mut builder = S3::default().bucket(bucket).root(root);
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint(endpoint);
    }
    // Compatible stores take any region; Amazon's own needs the right one, and says so.
    if let Some(region) = region.as_deref().or(endpoint.as_ref().map(|_| "us-east-1")) {
        builder = builder.region(region);
    }
    if let Some(key) = secrets::read_optional(access_key_id.as_ref()).await? {
        // A connection that names its credentials must not fall back to others found on the machine.
        builder = builder
            .access_key_id(key.reveal())
            .disable_config_load()
            .disable_ec2_metadata();
    }
    if let Some(key) = secrets::read_optional(secret_access_key.as_ref()).await? {
        builder = builder.secret_access_key(key.reveal());
    }
    if let Some(token) = secrets::read_optional(session_token.as_ref()).await? {
        builder = builder.session_token(token.reveal());
    }
    let traits = Traits {
        rules: NameRules::S3.with_root(root),
        parts_max: 10_000,
        reads_metadata: true,
        user_metadata_keys_are_identifiers: false,
    };
    build(builder, config, traits)
}

fn build(builder: impl Builder, config: &ConnectionConfig, traits: Traits) -> Result<ObjectStore, Failure> {
    install_transport();
    let timeout = TimeoutLayer::new()
        .with_timeout(config.timeout)
        .with_io_timeout(config.timeout);
    let once = Operator::new(builder)
        .map_err(|error| error::configuration(&error))?
        .layer(timeout);
    // Outside the time-out, so that each try has the whole of it.
    let retry = RetryLayer::new()
        .with_max_times(RETRIES_MAX)
        .with_min_delay(RETRY_DELAY_MIN)
        .with_max_delay(RETRY_DELAY_MAX)
        .with_jitter()
        .with_notify(|_: RetryEvent<'_>| {});
    let patient = once.clone().layer(retry);
    Ok(ObjectStore::new(once, patient, traits))
}

/// Makes OpenDAL use reqwest, once in this process.
fn install_transport() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        tls::install();
        HttpTransporter::install_default(ReqwestTransport::default());
    });
}

fn wrong_kind(config: &ConnectionConfig) -> Failure {
    Failure::permanent(
        "connection.wrong_kind",
        format!("`{}` is of kind `{}`", config.name, config.kind.name()),
    )
}
