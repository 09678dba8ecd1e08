use crate::model::{AzureCredentials, ConnectionKind, MessageEncoding};
use crate::spec::{AzblobSpec, AzdlsSpec, AzureQueueSpec, MessageEncodingSpec, Problem};

use super::connections::ConnectionReader;

/// What the connections to all services of an Azure Storage account say of it.
struct Account<'a> {
    account: Option<&'a String>,
    endpoint: Option<&'a String>,
    account_key: Option<&'a String>,
    sas_token: Option<&'a String>,
    anonymous: bool,
}

/// Connections to Azure Storage.
impl ConnectionReader<'_, '_> {
    pub(super) fn azblob(&mut self, pointer: &str, spec: &AzblobSpec) -> Option<ConnectionKind> {
        let account = Account {
            account: spec.account.as_ref(),
            endpoint: spec.endpoint.as_ref(),
            account_key: spec.account_key.as_ref(),
            sas_token: spec.sas_token.as_ref(),
            anonymous: spec.anonymous == Some(true),
        };
        let (endpoint, credentials) = self.azure_account(pointer, "blob", &account)?;
        Some(ConnectionKind::Azblob {
            container: spec.container.clone(),
            endpoint,
            credentials,
            root: spec.root.clone(),
        })
    }

    pub(super) fn azdls(&mut self, pointer: &str, spec: &AzdlsSpec) -> Option<ConnectionKind> {
        let account = Account {
            account: spec.account.as_ref(),
            endpoint: spec.endpoint.as_ref(),
            account_key: spec.account_key.as_ref(),
            sas_token: spec.sas_token.as_ref(),
            anonymous: false,
        };
        let (endpoint, credentials) = self.azure_account(pointer, "dfs", &account)?;
        let blob_endpoint = match &spec.blob_endpoint {
            Some(address) => {
                self.check_address(&format!("{pointer}/blob_endpoint"), address);
                address.trim_end_matches('/').to_owned()
            }
            None if endpoint.contains(".dfs.") => endpoint.replacen(".dfs.", ".blob.", 1),
            None => {
                let problem = Problem::new("`endpoint` does not tell where the account's blob service is");
                let help = "add `blob_endpoint: https://host`: objects are written through the blob service, which alone makes them visible whole";
                self.findings.add(&format!("{pointer}/endpoint"), problem.help(help));
                return None;
            }
        };
        Some(ConnectionKind::Azdls {
            filesystem: spec.filesystem.clone(),
            endpoint,
            blob_endpoint,
            credentials,
            root: spec.root.clone(),
        })
    }

    pub(super) fn azure_queue(&mut self, pointer: &str, spec: &AzureQueueSpec) -> Option<ConnectionKind> {
        let account = Account {
            account: spec.account.as_ref(),
            endpoint: spec.endpoint.as_ref(),
            account_key: spec.account_key.as_ref(),
            sas_token: spec.sas_token.as_ref(),
            anonymous: false,
        };
        let (endpoint, credentials) = self.azure_account(pointer, "queue", &account)?;
        Some(ConnectionKind::AzureQueue {
            queue: spec.queue.clone(),
            endpoint,
            credentials,
            encoding: match spec.encoding {
                None => MessageEncoding::default(),
                Some(MessageEncodingSpec::Base64) => MessageEncoding::Base64,
                Some(MessageEncodingSpec::Text) => MessageEncoding::Text,
            },
        })
    }

    /// The address of one of an account's services, and what it is shown.
    fn azure_account(
        &mut self,
        pointer: &str,
        service: &str,
        account: &Account<'_>,
    ) -> Option<(String, AzureCredentials)> {
        // Both are looked at before either is missed, so that all problems come at once.
        let credentials = self.azure_credentials(pointer, account);
        let endpoint = self.azure_endpoint(pointer, service, account);
        Some((endpoint?, credentials?))
    }

    fn azure_credentials(&mut self, pointer: &str, account: &Account<'_>) -> Option<AzureCredentials> {
        let key = self.secret(pointer, "account_key", account.account_key);
        let token = self.secret(pointer, "sas_token", account.sas_token);
        let given = [
            ("account_key", account.account_key.is_some()),
            ("sas_token", account.sas_token.is_some()),
            ("anonymous", account.anonymous),
        ];
        if !self.check_at_most_one(pointer, &given) {
            return None;
        }
        if account.account_key.is_some() {
            let Some(name) = account.account else {
                let problem = Problem::new("`account_key` needs the `account` that it belongs to");
                let help = "add `account: NAME`, the storage account's name";
                self.findings.add(&format!("{pointer}/account_key"), problem.help(help));
                return None;
            };
            let account = name.clone();
            return key.map(|key| AzureCredentials::AccountKey { account, key });
        }
        if account.sas_token.is_some() {
            return token.map(AzureCredentials::SasToken);
        }
        Some(if account.anonymous {
            AzureCredentials::Anonymous
        } else {
            AzureCredentials::Environment
        })
    }

    fn azure_endpoint(&mut self, pointer: &str, service: &str, account: &Account<'_>) -> Option<String> {
        match (account.endpoint, account.account) {
            (Some(endpoint), _) => {
                self.check_address(&format!("{pointer}/endpoint"), endpoint);
                Some(endpoint.trim_end_matches('/').to_owned())
            }
            (None, Some(account)) => Some(format!("https://{account}.{service}.core.windows.net")),
            (None, None) => {
                let problem = Problem::new("neither `account` nor `endpoint` is given");
                self.findings
                    .add(pointer, problem.help("add `account: NAME`, the storage account's name"));
                None
            }
        }
    }
}
