use std::sync::{Arc, Once};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use opendal::layers::{RetryEvent, RetryLayer, TimeoutLayer};
use opendal::services::{Azblob, Azdls, Gcs, Memory, S3};
use opendal::{Builder, HttpTransporter, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;

use super::super::meaning::Action;
use super::super::name::NameRules;
use super::error;
use super::store::{ObjectStore, Operators, Traits};
use crate::connect::credentials::{self, AzureChain};
use crate::connect::{secrets, tls};
use crate::model::{ConnectionConfig, ConnectionKind, Failure, FailureClass, GcsCredentials, S3Credentials};

/// Hears of a failure after which OpenDAL repeats a page or a part by itself.
pub(in crate::connect) type OnRepeat = Arc<dyn Fn(&Failure) + Send + Sync>;

/// Repetitions of a call that the engine cannot repeat by itself: a page of a listing, a part.
const RETRIES_MAX: usize = 2;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(250);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);

/// Objects in the memory of this process.
pub(in crate::connect) fn memory(config: &ConnectionConfig, repeated: OnRepeat) -> Result<ObjectStore, Failure> {
    let traits = Traits {
        rules: NameRules::MEMORY,
        parts_max: usize::MAX,
        reads_metadata: false,
        user_metadata_keys_are_identifiers: false,
    };
    build(Memory::default(), config, repeated, traits)
}

/// A container of an Azure Blob Storage account.
pub(in crate::connect) async fn azblob(config: &ConnectionConfig, repeated: OnRepeat) -> Result<ObjectStore, Failure> {
    let ConnectionKind::Azblob {
        container,
        endpoint,
        credentials,
        root,
    } = &config.kind
    else {
        return Err(wrong_kind(config));
    };
    let root = root.as_deref().unwrap_or_default();
    let chain = credentials::azure_chain(credentials).await?;
    let builder = azblob_builder(container, endpoint, root, chain);
    build(builder, config, repeated, azure_traits(root))
}

/// A file system of an Azure Data Lake Storage account.
///
/// Objects are written through the account's blob service. That of file systems makes an empty file first and appends to it under its
/// final name, and OpenDAL goes on with a file that it should have refused; the blob service puts a whole block list in place of nothing.
pub(in crate::connect) async fn azdls(config: &ConnectionConfig, repeated: OnRepeat) -> Result<ObjectStore, Failure> {
    let ConnectionKind::Azdls {
        filesystem,
        endpoint,
        blob_endpoint,
        credentials,
        root,
    } = &config.kind
    else {
        return Err(wrong_kind(config));
    };
    let root = root.as_deref().unwrap_or_default();
    let mut builder = Azdls::default().filesystem(filesystem).endpoint(endpoint).root(root);
    let chain = credentials::azure_chain(credentials).await?;
    if let Some(chain) = chain {
        builder = builder.credential_provider_chain(chain);
    }
    let chain = credentials::azure_chain(credentials).await?;
    let blobs = azblob_builder(filesystem, blob_endpoint, root, chain);
    let blobs = operators(blobs, config, Arc::clone(&repeated))?;
    Ok(build(builder, config, repeated, azure_traits(root))?.written_through(blobs))
}

fn azblob_builder(container: &str, endpoint: &str, root: &str, chain: Option<AzureChain>) -> Azblob {
    let builder = Azblob::default().container(container).endpoint(endpoint).root(root);
    match chain {
        Some(chain) => builder.credential_provider_chain(chain),
        None => builder.skip_signature(),
    }
}

fn azure_traits(root: &str) -> Traits {
    Traits {
        rules: NameRules::AZBLOB.with_root(root),
        parts_max: 50_000,
        reads_metadata: false,
        user_metadata_keys_are_identifiers: true,
    }
}

/// A bucket of Amazon S3 or a compatible store.
pub(in crate::connect) async fn s3(config: &ConnectionConfig, repeated: OnRepeat) -> Result<ObjectStore, Failure> {
    let ConnectionKind::S3 {
        bucket,
        region,
        endpoint,
        credentials,
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
    builder = match credentials {
        S3Credentials::Keys {
            access_key_id,
            secret_access_key,
            session_token,
        } => {
            // A connection that names its credentials must not fall back to others found on the machine.
            builder = builder
                .access_key_id(secrets::read(access_key_id).await?.reveal())
                .secret_access_key(secrets::read(secret_access_key).await?.reveal())
                .disable_config_load()
                .disable_ec2_metadata();
            match secrets::read_optional(session_token.as_ref()).await? {
                Some(token) => builder.session_token(token.reveal()),
                None => builder,
            }
        }
        S3Credentials::Profile(profile) => {
            builder.credential_provider_chain(credentials::aws_chain(Some(profile)).await?)
        }
        S3Credentials::Environment => builder.credential_provider_chain(credentials::aws_chain(None).await?),
        S3Credentials::Anonymous => builder.skip_signature(),
    };
    let traits = Traits {
        rules: NameRules::S3.with_root(root),
        parts_max: 10_000,
        reads_metadata: true,
        user_metadata_keys_are_identifiers: false,
    };
    build(builder, config, repeated, traits)
}

/// A bucket of Google Cloud Storage.
pub(in crate::connect) async fn gcs(config: &ConnectionConfig, repeated: OnRepeat) -> Result<ObjectStore, Failure> {
    let ConnectionKind::Gcs {
        bucket,
        endpoint,
        credentials,
        root,
    } = &config.kind
    else {
        return Err(wrong_kind(config));
    };
    let root = root.as_deref().unwrap_or_default();
    let mut builder = Gcs::default().bucket(bucket).root(root);
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint(endpoint);
    }
    builder = match credentials {
        GcsCredentials::ServiceAccountKey(key) => {
            let key = secrets::read(key).await?;
            if serde_json::from_str::<serde_json::Value>(key.reveal()).is_err() {
                let message = "`service_account_key` is not the JSON text of a key; give the file that Google made";
                return Err(Failure::new(FailureClass::Denied, "connection.no_credentials", message));
            }
            builder
                .credential(&BASE64_STANDARD.encode(key.reveal()))
                .disable_config_load()
                .disable_vm_metadata()
        }
        GcsCredentials::Environment => builder.credential_provider_chain(credentials::google_chain().await?),
        GcsCredentials::Anonymous => builder.skip_signature(),
    };
    let traits = Traits {
        rules: NameRules::S3.with_root(root),
        parts_max: 10_000,
        reads_metadata: false,
        user_metadata_keys_are_identifiers: false,
    };
    build(builder, config, repeated, traits)
}

fn build(
    builder: impl Builder,
    config: &ConnectionConfig,
    repeated: OnRepeat,
    traits: Traits,
) -> Result<ObjectStore, Failure> {
    Ok(ObjectStore::new(operators(builder, config, repeated)?, traits))
}

fn operators(builder: impl Builder, config: &ConnectionConfig, repeated: OnRepeat) -> Result<Operators, Failure> {
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
        .with_notify(move |event: RetryEvent<'_>| repeated(&error::failure(Action::Write, "", event.err)));
    let patient = once.clone().layer(retry);
    Ok(Operators { once, patient })
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

#[cfg(test)]
mod tests {
    use super::super::super::Store;
    use super::*;
    use crate::model::{AzureCredentials, Ceilings, SecretReference};

    fn config(kind: ConnectionKind) -> ConnectionConfig {
        ConnectionConfig {
            name: "subject".to_owned(),
            kind,
            timeout: Duration::from_secs(5),
            ceilings: Ceilings::default(),
            retry: None,
        }
    }

    fn unheard() -> OnRepeat {
        Arc::new(|_| ())
    }

    fn secret(folder: &tempfile::TempDir, text: &str) -> SecretReference {
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        SecretReference::File(path)
    }

    #[tokio::test]
    async fn a_data_lake_opens_and_writes_under_a_condition() {
        let folder = tempfile::tempdir().unwrap();
        let azdls_of = |key: &str| {
            config(ConnectionKind::Azdls {
                filesystem: "f".to_owned(),
                endpoint: "https://lake.dfs.core.windows.net".to_owned(),
                blob_endpoint: "https://lake.blob.core.windows.net".to_owned(),
                credentials: AzureCredentials::AccountKey {
                    account: "lake".to_owned(),
                    key: secret(&folder, key),
                },
                root: None,
            })
        };
        assert!(
            azdls(&azdls_of("a2V5"), unheard())
                .await
                .unwrap()
                .writes_conditionally()
        );
        let failure = azdls(&azdls_of("no base 64"), unheard()).await.err().unwrap();
        assert_eq!(failure.code, "connection.account_key");
        assert!(!failure.message.contains("no base 64"), "{failure}");
    }

    #[tokio::test]
    async fn a_google_key_that_is_none_is_told_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let gcs_of = |key: &str| {
            config(ConnectionKind::Gcs {
                bucket: "b".to_owned(),
                endpoint: None,
                credentials: GcsCredentials::ServiceAccountKey(secret(&folder, key)),
                root: None,
            })
        };
        let good = r#"{"type":"service_account","client_email":"a@b","private_key":"k"}"#;
        assert!(gcs(&gcs_of(good), unheard()).await.unwrap().writes_conditionally());
        let failure = gcs(&gcs_of("planted"), unheard()).await.err().unwrap();
        assert_eq!(failure.code, "connection.no_credentials");
        assert!(!failure.message.contains("planted"), "{failure}");
    }
}
