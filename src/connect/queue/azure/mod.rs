//! A queue of an Azure Storage account, by the REST protocol: `Put Message` and, for the probe, `Get Queue Metadata`.
//! <https://learn.microsoft.com/rest/api/storageservices/put-message>
//!
//! Requests are signed by the crate that OpenDAL signs its own with.

mod body;
mod error;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use reqsign_azure_storage::{Credential, RequestSigner};
use reqsign_core::{Context, Signer};
use reqwest::{Client, Response, redirect};

use self::error::{Action, Answer};
use super::{Message, Queue};
use crate::connect::{credentials, tls};
use crate::model::{AzureCredentials, ConnectionConfig, ConnectionKind, Failure, MessageEncoding};

/// The version of the protocol that requests and answers follow.
const VERSION: HeaderValue = HeaderValue::from_static("2021-12-02");
/// Which the service's logs tell of each request: it is where a message's id can be found again.
const REQUEST_ID: &str = "x-ms-client-request-id";
const REQUEST_ID_BYTES_MAX: usize = 1024;
/// What is read of an answer: an error has a few lines.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// A queue of an Azure Storage account.
pub(in crate::connect) struct AzureQueue {
    queue: String,
    /// Address of the queue itself.
    address: String,
    encoding: MessageEncoding,
    client: Client,
    signed_by_sas: bool,
    /// Keeps a token until shortly before its end.
    signer: Signer<Credential>,
}

impl AzureQueue {
    /// Makes no request yet.
    ///
    /// # Errors
    /// `connection.secret_missing`, `connection.configuration`.
    pub async fn open(config: &ConnectionConfig) -> Result<Self, Failure> {
        let ConnectionKind::AzureQueue {
            queue,
            endpoint,
            credentials,
            encoding,
        } = &config.kind
        else {
            let kind = config.kind.name();
            return Err(Failure::permanent(
                "connection.wrong_kind",
                format!("`{}` is of kind `{kind}`", config.name),
            ));
        };
        let Some(chain) = credentials::azure_chain(credentials).await? else {
            return Err(configuration("a queue takes no message without credentials"));
        };
        tls::install();
        let client = Client::builder()
            .timeout(config.timeout)
            // The service sends no one elsewhere, and a signed request must not go where somebody says.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| configuration(&error.without_url().to_string()))?;
        Ok(Self {
            queue: queue.clone(),
            address: format!("{endpoint}/{queue}"),
            encoding: *encoding,
            client,
            signed_by_sas: matches!(credentials, AzureCredentials::SasToken(_)),
            signer: Signer::new(Context::new(), chain, RequestSigner::new()),
        })
    }

    async fn put(&self, message: Message<'_>) -> Result<(), Failure> {
        let body = body::render(message.body, self.encoding)?;
        let mut request = Request::post(format!("{}/messages", self.address))
            .header(CONTENT_TYPE, "application/xml")
            .header(CONTENT_LENGTH, body.len());
        if is_request_id(message.id) {
            request = request.header(REQUEST_ID, message.id);
        }
        let answer = self.call(Action::Send, request, body).await?;
        answer.check(StatusCode::CREATED, Action::Send, &self.queue)
    }

    async fn look(&self) -> Result<(), Failure> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}?comp=metadata", self.address));
        let answer = self.call(Action::Probe, request, String::new()).await?;
        // A signature that allows nothing but adding messages is all that is needed; that it does not allow this proves it as well.
        if self.signed_by_sas && answer.lacks_permission() {
            return Ok(());
        }
        answer.check(StatusCode::OK, Action::Probe, &self.queue)
    }

    /// Signs and makes a request.
    async fn call(&self, action: Action, request: http::request::Builder, body: String) -> Result<Answer, Failure> {
        let request = request.header("x-ms-version", VERSION).body(());
        let (mut head, ()) = request.map_err(|error| configuration(&error.to_string()))?.into_parts();
        self.signer
            .sign(&mut head, None)
            .await
            .map_err(|error| configuration(&format!("the request cannot be signed: {error}")))?;
        let request = reqwest::Request::try_from(Request::from_parts(head, body))
            .map_err(|error| configuration(&error.without_url().to_string()))?;
        let unanswered = |error| error::unanswered(action, &self.queue, error);
        let response = self.client.execute(request).await.map_err(unanswered)?;
        read(response).await.map_err(unanswered)
    }
}

impl Queue for AzureQueue {
    fn send<'a>(&'a self, message: Message<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        self.put(message).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.look().boxed()
    }
}

/// Whether an id can stand in a header that is signed: the signing crate panics at other than ASCII, and blanks at the ends are lost.
fn is_request_id(id: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads the answer's body to its end, so that its connection can be used again.
async fn read(mut response: Response) -> Result<Answer, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(Answer::new(
        response.status(),
        response.headers(),
        &String::from_utf8_lossy(&body),
    ))
}

/// A setting is missing or wrong.
fn configuration(message: &str) -> Failure {
    Failure::permanent("connection.configuration", message)
}
