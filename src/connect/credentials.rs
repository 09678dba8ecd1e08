use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use reqsign_aws_v4::DefaultCredentialProvider as AwsDefault;
use reqsign_azure_storage as azure;
use reqsign_core::{
    CommandExecute, CommandOutput, Context, Error, HttpSend, OsEnv, ProvideCredential, ProvideCredentialChain,
    ProvideCredentialDyn,
};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_google as google;
use reqwest::{Client, redirect};

use super::{secrets, tls};
use crate::model::{AzureCredentials, Failure, FailureClass};

/// Those who give out tokens answer at once; one on the machine itself is not there at all on most machines.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The Azure CLI takes seconds to start.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// What was looked for, in its order, where the environment is to have an Azure identity.
const AZURE_SOUGHT: &str = "`AZURE_STORAGE_ACCOUNT_NAME` with `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_SAS_TOKEN`, an Entra identity by \
     `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` with `AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH` or \
     `AZURE_FEDERATED_TOKEN_FILE`, the login of the Azure CLI (`az login`), the machine's managed identity";
const AWS_SOUGHT: &str = "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, the profile that `AWS_PROFILE` names or `default` in \
     `~/.aws/credentials` and `~/.aws/config`, `AWS_WEB_IDENTITY_TOKEN_FILE`, the role of the container or the machine";

const GOOGLE_SOUGHT: &str = "the file that `GOOGLE_APPLICATION_CREDENTIALS` names, gcloud's own \
     (`gcloud auth application-default login`), the machine's service account";

/// What a token for Google Cloud Storage is asked to allow.
const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";

/// Credentials for Azure Storage as its requests are signed with them.
pub(super) type AzureChain = ProvideCredentialChain<azure::Credential>;

/// What gives out the credentials that a connection names; `None` where requests go without any.
///
/// # Errors
/// `connection.secret_missing`, `connection.account_key`, `connection.no_credentials`.
pub(super) async fn azure_chain(credentials: &AzureCredentials) -> Result<Option<AzureChain>, Failure> {
    let chain = ProvideCredentialChain::new();
    Ok(Some(match credentials {
        AzureCredentials::AccountKey { account, key } => {
            let key = secrets::read(key).await?;
            // The signing crate takes any text, and fails at the first request.
            if BASE64_STANDARD.decode(key.reveal()).is_err() {
                let message = "`account_key` is not Base64, as every such key is; check it";
                return Err(Failure::new(FailureClass::Denied, "connection.account_key", message));
            }
            chain.push(azure::StaticCredentialProvider::new_shared_key(account, key.reveal()))
        }
        AzureCredentials::SasToken(token) => {
            let token = secrets::read(token).await?;
            let token = token.reveal().trim_start_matches('?').to_owned();
            chain.push(azure::StaticCredentialProvider::new_sas_token(&token))
        }
        AzureCredentials::Environment => {
            let environment = AzureEnvironment::new(token_context()?);
            require(
                &environment,
                AZURE_SOUGHT,
                "give the connection an `account_key` or a `sas_token`",
            )
            .await?;
            chain.push(environment)
        }
        AzureCredentials::Anonymous => return Ok(None),
    }))
}

/// Credentials for S3 from the environment or, of all places there, from one profile.
///
/// # Errors
/// `connection.no_credentials`.
pub(super) async fn aws_chain(
    profile: Option<&str>,
) -> Result<ProvideCredentialChain<reqsign_aws_v4::Credential>, Failure> {
    let mut builder = AwsDefault::builder();
    let sought = match profile {
        // The profile that was named, and no other credentials that happen to be on the machine.
        Some(profile) => {
            builder = builder
                .no_env()
                .no_web_identity()
                .no_ecs()
                .no_imds()
                .with_profile(profile);
            format!(
                "the profile `{profile}` in `~/.aws/credentials` and `~/.aws/config` (or the files that `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` name)"
            )
        }
        None => AWS_SOUGHT.to_owned(),
    };
    let chain = ProvideCredentialChain::new().push(InContext {
        context: token_context()?,
        provider: builder.build(),
    });
    require(
        &chain,
        &sought,
        "give the connection `access_key_id` and `secret_access_key`",
    )
    .await?;
    Ok(chain)
}

/// Credentials for Google Cloud Storage from the environment.
///
/// # Errors
/// `connection.no_credentials`.
pub(super) async fn google_chain() -> Result<ProvideCredentialChain<google::Credential>, Failure> {
    let provider = google::DefaultCredentialProvider::builder()
        .env(google::EnvCredentialProvider::new().with_scope(GOOGLE_SCOPE))
        .well_known(google::WellKnownCredentialProvider::new().with_scope(GOOGLE_SCOPE))
        .vm_metadata(google::VmMetadataCredentialProvider::new().with_scope(GOOGLE_SCOPE))
        .build();
    let context = token_context()?;
    let chain = ProvideCredentialChain::new().push(InContext { context, provider });
    require(
        &chain,
        GOOGLE_SOUGHT,
        "give the connection a `service_account_key`, or `anonymous = true` for a public bucket",
    )
    .await?;
    Ok(chain)
}

/// Fails, and says what was looked for, when there are no credentials: the first request would only say that it cannot be signed.
async fn require(provider: &impl ProvideCredential, sought: &str, remedy: &str) -> Result<(), Failure> {
    let why = match provider.provide_credential(&token_context()?).await {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => String::new(),
        Err(error) => format!(" ({error})"),
    };
    Err(Failure::new(
        FailureClass::Denied,
        "connection.no_credentials",
        format!("no credentials were found{why}; looked for: {sought}; set one of these, or {remedy}"),
    ))
}

/// What credentials are looked for with: the machine's environment, files, programs, and a client of its own.
fn token_context() -> Result<Context, Failure> {
    tls::install();
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(ANSWER_TIMEOUT)
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|error| Failure::permanent("connection.configuration", error.without_url().to_string()))?;
    Ok(Context::new()
        .with_file_read(TokioFileRead)
        .with_env(OsEnv)
        .with_http_send(TokenClient(client))
        .with_command_execute(Programs))
}

/// The identity that the environment has, for blobs, file systems and queues alike.
///
/// In the order of what is said most plainly: variables first, the login of a person and the identity of the machine last.
#[derive(Debug)]
struct AzureEnvironment {
    context: Context,
    providers: Vec<(
        &'static str,
        Box<dyn ProvideCredentialDyn<Credential = azure::Credential>>,
    )>,
}

impl AzureEnvironment {
    fn new(context: Context) -> Self {
        Self {
            context,
            providers: vec![
                ("variables", Box::new(azure::EnvCredentialProvider::new())),
                ("client secret", Box::new(azure::ClientSecretCredentialProvider::new())),
                (
                    "client certificate",
                    Box::new(azure::ClientCertificateCredentialProvider::new()),
                ),
                (
                    "workload identity",
                    Box::new(azure::WorkloadIdentityCredentialProvider::new()),
                ),
                (
                    "Azure Pipelines",
                    Box::new(azure::AzurePipelinesCredentialProvider::new()),
                ),
                ("Azure CLI", Box::new(azure::AzureCliCredentialProvider::new())),
                ("managed identity", Box::new(azure::ImdsCredentialProvider::new())),
            ],
        }
    }
}

impl ProvideCredential for AzureEnvironment {
    type Credential = azure::Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<azure::Credential>> {
        let mut reasons = Vec::new();
        for (name, provider) in &self.providers {
            match provider.provide_credential_dyn(&self.context).await {
                Ok(Some(credential)) => return Ok(Some(credential)),
                Ok(None) => {}
                Err(error) => reasons.push(format!("{name}: {}", first_line(&error))),
            }
        }
        Err(Error::credential_invalid(reasons.join("; ")))
    }
}

/// An error in so many words that a message can hold several of them.
fn first_line(error: &Error) -> String {
    const CHARACTERS_MAX: usize = 100;
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(CHARACTERS_MAX).collect()
}

/// A provider with the context that it needs, in place of the one it is given.
#[derive(Debug)]
struct InContext<P> {
    context: Context,
    provider: P,
}

impl<P: ProvideCredential> ProvideCredential for InContext<P> {
    type Credential = P::Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<P::Credential>> {
        self.provider.provide_credential(&self.context).await
    }
}

/// Asks for tokens.
#[derive(Debug)]
struct TokenClient(Client);

impl HttpSend for TokenClient {
    async fn http_send(&self, request: http::Request<Bytes>) -> reqsign_core::Result<http::Response<Bytes>> {
        let failed = |error: reqwest::Error| Error::unexpected(error.without_url().to_string());
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let response = self.0.execute(request).await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut answer = http::Response::new(response.bytes().await.map_err(failed)?);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

/// Runs the programs that give out credentials.
#[derive(Debug)]
struct Programs;

impl CommandExecute for Programs {
    async fn command_execute(&self, program: &str, arguments: &[&str]) -> reqsign_core::Result<CommandOutput> {
        let mut command = tokio::process::Command::new(program);
        command
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        let failed = |reason: String| Error::unexpected(format!("`{program}` does not run: {reason}"));
        let output = tokio::time::timeout(COMMAND_TIMEOUT, command.output())
            .await
            .map_err(|_| failed("no end in time".to_owned()))?
            .map_err(|error| failed(error.kind().to_string()))?;
        Ok(CommandOutput {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }
}
