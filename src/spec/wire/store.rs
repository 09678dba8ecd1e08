use schemars::JsonSchema;
use serde::Deserialize;

use super::SIZE_PATTERN;
use super::common::{connection_spec, local_connection_spec};

local_connection_spec! {
    /// A folder.
    pub struct FsSpec {
        /// The folder, relative to the file in which this stands.
        #[schemars(length(min = 1))]
        pub root: String,
    }

    /// Objects in the memory of the process.
    pub struct MemorySpec {}

    /// Generated objects. A part of the file's name that is a size (`big.64MiB.bin`, `none.empty.bin`) is its size; others get one from the seed.
    pub struct SampleSpec {
        /// Another seed gives other bytes and sizes. Default 0.
        #[schemars(range(min = 0, max = 9_223_372_036_854_775_807_i64))]
        pub seed: Option<u64>,
        /// The bound of sizes that no name tells. Default `64KiB`.
        #[schemars(regex(pattern = SIZE_PATTERN))]
        pub size_max: Option<String>,
    }

    /// Takes every object and keeps none.
    pub struct NullSpec {}
}

connection_spec! {
    /// A container of an Azure Blob Storage account.
    pub struct AzblobSpec {
        /// The storage account's name.
        pub account: Option<String>,
        /// The container.
        #[schemars(length(min = 1))]
        pub container: String,
        /// The address of the blob service. Default `https://{account}.blob.core.windows.net`.
        pub endpoint: Option<String>,
        /// The account's key: a secret, given as `${env:NAME}` or `${file:PATH}`. Without it and without `sas_token`: what the environment has.
        pub account_key: Option<String>,
        /// A shared access signature: a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub sas_token: Option<String>,
        /// No credentials are sent: for containers that everybody may read.
        pub anonymous: Option<bool>,
        /// A prefix of all names.
        pub root: Option<String>,
    }

    /// A file system of an Azure Data Lake Storage account (hierarchical namespace).
    pub struct AzdlsSpec {
        /// The storage account's name.
        pub account: Option<String>,
        /// The file system, which the blob service calls a container.
        #[schemars(length(min = 1))]
        pub filesystem: String,
        /// The address of the data lake service. Default `https://{account}.dfs.core.windows.net`.
        pub endpoint: Option<String>,
        /// The address of the account's blob service, through which objects are written. Default: `endpoint` with `.blob.` for `.dfs.`.
        pub blob_endpoint: Option<String>,
        /// The account's key: a secret, given as `${env:NAME}` or `${file:PATH}`. Without it and without `sas_token`: what the environment has.
        pub account_key: Option<String>,
        /// A shared access signature: a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub sas_token: Option<String>,
        /// A folder that all names are in.
        pub root: Option<String>,
    }

    /// A bucket of Amazon S3 or of a compatible store.
    pub struct S3Spec {
        /// The bucket.
        #[schemars(length(min = 1))]
        pub bucket: String,
        /// The region, as in `eu-central-1`.
        pub region: Option<String>,
        /// The address of a compatible store. Default: Amazon's own.
        pub endpoint: Option<String>,
        /// A secret, given as `${env:NAME}` or `${file:PATH}`. Without it and without `profile`: what the environment has.
        pub access_key_id: Option<String>,
        /// A secret, given as `${env:NAME}` or `${file:PATH}`.
        pub secret_access_key: Option<String>,
        /// A secret, given as `${env:NAME}` or `${file:PATH}`.
        pub session_token: Option<String>,
        /// A profile of `~/.aws/config` and `~/.aws/credentials`.
        #[schemars(length(min = 1))]
        pub profile: Option<String>,
        /// No credentials are sent: for buckets that everybody may read.
        pub anonymous: Option<bool>,
        /// A prefix of all names.
        pub root: Option<String>,
    }

    /// A bucket of Google Cloud Storage.
    pub struct GcsSpec {
        /// The bucket.
        #[schemars(length(min = 1))]
        pub bucket: String,
        /// The address of a compatible store. Default: Google's own.
        pub endpoint: Option<String>,
        /// A service account's key (the JSON text): a secret, given as `${env:NAME}` or `${file:PATH}`. Without it: what the environment has.
        pub service_account_key: Option<String>,
        /// No credentials are sent: for buckets that everybody may read.
        pub anonymous: Option<bool>,
        /// A prefix of all names.
        pub root: Option<String>,
    }

    /// Objects of a web server, by their paths; they can be read, neither listed nor written.
    pub struct HttpSpec {
        /// The address that all paths are below: `https://host/folder`.
        pub endpoint: String,
        /// Who asks; goes with `password`.
        #[schemars(length(min = 1))]
        pub user: Option<String>,
        /// A secret, given as `${env:NAME}` or `${file:PATH}`.
        pub password: Option<String>,
        /// A token sent as `Authorization: Bearer …`: a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub bearer_token: Option<String>,
    }

    /// A folder of a WebDAV server.
    pub struct WebdavSpec {
        /// The address of the folder: `https://host/remote.php/dav/files/me/folder`. It must be there.
        pub endpoint: String,
        /// Who asks; goes with `password`.
        #[schemars(length(min = 1))]
        pub user: Option<String>,
        /// A secret, given as `${env:NAME}` or `${file:PATH}`.
        pub password: Option<String>,
        /// A token sent as `Authorization: Bearer …`: a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub bearer_token: Option<String>,
    }

    /// A folder of an SFTP server.
    pub struct SftpSpec {
        /// The server's name or address.
        #[schemars(length(min = 1))]
        pub host: String,
        /// Default 22.
        #[schemars(range(min = 1, max = 65_535))]
        pub port: Option<u16>,
        /// The user to log in as.
        #[schemars(length(min = 1))]
        pub user: String,
        /// The folder; relative to the one the server begins in, unless it starts with `/`. Default: that one.
        pub root: Option<String>,
        /// A private key (the text of OpenSSH's, PEM's or PuTTY's file): a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub private_key: Option<String>,
        /// What `private_key` is encrypted with: a secret, given as `${env:NAME}` or `${file:PATH}`.
        pub passphrase: Option<String>,
        /// A secret, given as `${env:NAME}` or `${file:PATH}`.
        pub password: Option<String>,
        /// The file with the keys of known servers, relative to the file in which this stands. Default `~/.ssh/known_hosts`.
        #[schemars(length(min = 1))]
        pub known_hosts: Option<String>,
        /// `strict` (default): a server whose key is not in `known_hosts` is refused. `none`: any server is believed.
        pub host_key_check: Option<HostKeyCheckSpec>,
    }
}

/// What is asked of a server's key.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum HostKeyCheckSpec {
    Strict,
    None,
}
