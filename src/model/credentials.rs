use std::path::PathBuf;

use super::SecretReference;

/// What an Azure Storage account is shown: the same for its blobs, file systems and queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureCredentials {
    AccountKey {
        account: String,
        key: SecretReference,
    },
    SasToken(SecretReference),
    /// Whatever the environment has: a key or an Entra identity.
    Environment,
    /// Nothing, which only public containers take.
    Anonymous,
}

/// What an S3 store is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum S3Credentials {
    Keys {
        access_key_id: SecretReference,
        secret_access_key: SecretReference,
        session_token: Option<SecretReference>,
    },
    /// A profile of the files below `~/.aws`.
    Profile(String),
    /// Whatever the environment has: variables, the default profile, the machine's role.
    Environment,
    /// Nothing, which only public buckets take.
    Anonymous,
}

/// What Google Cloud Storage is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GcsCredentials {
    /// The JSON text of a service account's key.
    ServiceAccountKey(SecretReference),
    /// Whatever the environment has: a file that a variable names, gcloud's own, the machine's identity.
    Environment,
    /// Nothing, which only public buckets take.
    Anonymous,
}

/// What a web server is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebCredentials {
    None,
    Basic { user: String, password: SecretReference },
    Bearer(SecretReference),
}

/// How a user proves who he is to an SFTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SftpCredentials {
    Password(SecretReference),
    PrivateKey {
        key: SecretReference,
        passphrase: Option<SecretReference>,
    },
}

/// How an SFTP server proves which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// By a key that stands beside its name in this file.
    Known(PathBuf),
    /// Not at all.
    Unchecked,
}
