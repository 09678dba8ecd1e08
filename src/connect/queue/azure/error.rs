use std::error::Error;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use crate::model::{Failure, FailureClass};

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Send,
    Probe,
}

impl Action {
    fn words(self) -> &'static str {
        match self {
            Self::Send => "send to",
            Self::Probe => "reach",
        }
    }
}

/// A row of the table: class, code, and what to say.
type Meaning = (FailureClass, &'static str, &'static str);

const THROTTLED: Meaning = (
    FailureClass::Throttled,
    "queue.throttled",
    "the queue asks for fewer requests; lower the connection's `limit` if this goes on",
);
const AUTH_EXPIRED: Meaning = (
    FailureClass::AuthExpired,
    "queue.auth_expired",
    "the credentials have expired; renew them",
);
const BAD_CREDENTIALS: Meaning = (
    FailureClass::Denied,
    "queue.denied",
    "the queue does not accept the credentials; check them",
);
const DENIED: Meaning = (
    FailureClass::Denied,
    "queue.denied",
    "the credentials do not allow this; check them and their rights",
);
const MISSING: Meaning = (
    FailureClass::Permanent,
    "queue.missing",
    "the queue does not exist; create it or correct its name",
);
const TOO_LARGE: Meaning = (
    FailureClass::Data,
    "queue.too_large",
    "the queue does not accept so large a message",
);
const SERVER: Meaning = (
    FailureClass::Transient,
    "queue.server_error",
    "the queue had an error of its own",
);
const TIMEOUT: Meaning = (
    FailureClass::Transient,
    "queue.timeout",
    "no answer in time; raise the connection's `timeout` if this goes on",
);
const CONNECTION: Meaning = (
    FailureClass::Transient,
    "queue.connection",
    "no connection to the queue, or it was cut; check `endpoint` and the network if this goes on",
);
const REFUSED: Meaning = (
    FailureClass::Permanent,
    "queue.refused",
    "the queue refused the request",
);

const NO_PERMISSION: &str = "AuthorizationPermissionMismatch";

/// Error codes of the service. They say more than the status they come with, so they are looked at first.
const BY_CODE: &[(&str, Meaning)] = &[
    ("AccountIsDisabled", DENIED),
    ("AuthenticationFailed", BAD_CREDENTIALS),
    ("AuthorizationFailure", DENIED),
    (NO_PERMISSION, DENIED),
    ("AuthorizationProtocolMismatch", DENIED),
    ("AuthorizationResourceTypeMismatch", DENIED),
    ("AuthorizationServiceMismatch", DENIED),
    ("AuthorizationSourceIPMismatch", DENIED),
    ("InsufficientAccountPermissions", DENIED),
    ("InternalError", SERVER),
    ("InvalidAuthenticationInfo", BAD_CREDENTIALS),
    ("MessageTooLarge", TOO_LARGE),
    ("NoAuthenticationInformation", BAD_CREDENTIALS),
    ("OperationTimedOut", TIMEOUT),
    ("QueueBeingDeleted", MISSING),
    ("QueueDisabled", DENIED),
    ("QueueNotFound", MISSING),
    ("RequestBodyTooLarge", TOO_LARGE),
    ("ResourceNotFound", MISSING),
    ("ServerBusy", THROTTLED),
];

/// What is needed of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    /// `QueueNotFound`, `ServerBusy`, …
    code: Option<String>,
    /// In seconds, as the service sends it; a date is not used.
    retry_after: Option<Duration>,
    /// Of a wrong key and of a signature past its time the code is the same, and only the words differ.
    says_expired: bool,
}

impl Answer {
    pub fn new(status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let header = |name| headers.get(name)?.to_str().ok();
        Self {
            status,
            code: header("x-ms-error-code")
                .or_else(|| code_within(body))
                .map(str::to_owned),
            retry_after: header(RETRY_AFTER.as_str())
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
            says_expired: body.contains("Signature not valid in the specified time frame"),
        }
    }

    /// Whether the credentials are good, but not for this.
    pub fn lacks_permission(&self) -> bool {
        self.code.as_deref() == Some(NO_PERMISSION)
    }

    /// What an answer means. In this order: the expected status, the service's error code, any other status.
    ///
    /// | answer | class |
    /// |---|---|
    /// | the expected status | success |
    /// | an error code of the table above | as it says there |
    /// | 401, 403 | `denied`, or `auth_expired` when it says so |
    /// | 404, 410 | `permanent`, `queue.missing` |
    /// | 408, 504 | `transient`, `queue.timeout` |
    /// | 413 | `data`, `queue.too_large` |
    /// | 429, 503 | `throttled`, with `Retry-After` |
    /// | any other of 500 and above | `transient` |
    /// | anything else | `permanent` |
    pub fn check(&self, expected: StatusCode, action: Action, queue: &str) -> Result<(), Failure> {
        if self.status == expected {
            return Ok(());
        }
        let status = self.status.as_u16();
        let told = match &self.code {
            Some(code) => format!("HTTP {status}, {code}"),
            None => format!("HTTP {status}"),
        };
        let mut failure = failure(action, queue, self.meaning(), &told);
        failure.status = Some(status);
        if failure.class == FailureClass::Throttled {
            failure.retry_after = self.retry_after;
        }
        Err(failure)
    }

    fn meaning(&self) -> Meaning {
        let known = BY_CODE.iter().find(|(code, _)| Some(*code) == self.code.as_deref());
        let meaning = match (known, self.status.as_u16()) {
            (Some((_, meaning)), _) => *meaning,
            (None, 401) => BAD_CREDENTIALS,
            (None, 403) => DENIED,
            (None, 404 | 410) => MISSING,
            (None, 408 | 504) => TIMEOUT,
            (None, 413) => TOO_LARGE,
            (None, 429 | 503) => THROTTLED,
            (None, 500..) => SERVER,
            (None, _) => REFUSED,
        };
        match meaning {
            BAD_CREDENTIALS | DENIED if self.says_expired => AUTH_EXPIRED,
            meaning => meaning,
        }
    }
}

/// A request that got no whole answer.
pub(super) fn unanswered(action: Action, queue: &str, error: reqwest::Error) -> Failure {
    let meaning = if error.is_timeout() { TIMEOUT } else { CONNECTION };
    // The address may hold a signature. The innermost cause is the one that says something.
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    failure(action, queue, meaning, &cause.to_string())
}

fn failure(action: Action, queue: &str, (class, code, remedy): Meaning, told: &str) -> Failure {
    let message = format!("cannot {} `{queue}`: {remedy} ({told})", action.words());
    Failure::new(class, code, message)
}

/// The code that stands in an error's body, where a proxy took the header away.
fn code_within(body: &str) -> Option<&str> {
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn answer(status: u16, code: Option<&'static str>, body: &str) -> Failure {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        if let Some(code) = code {
            headers.insert("x-ms-error-code", HeaderValue::from_static(code));
        }
        Answer::new(StatusCode::from_u16(status).unwrap(), &headers, body)
            .check(StatusCode::CREATED, Action::Send, "q")
            .unwrap_err()
    }

    #[test]
    fn each_kind_of_answer_has_its_class() {
        use FailureClass::*;
        let rows = [
            (403, Some("AuthenticationFailed"), Denied, "queue.denied"),
            (403, Some("AuthorizationPermissionMismatch"), Denied, "queue.denied"),
            (401, None, Denied, "queue.denied"),
            (403, None, Denied, "queue.denied"),
            (404, Some("QueueNotFound"), Permanent, "queue.missing"),
            (409, Some("QueueBeingDeleted"), Permanent, "queue.missing"),
            (404, None, Permanent, "queue.missing"),
            (400, Some("MessageTooLarge"), Data, "queue.too_large"),
            (413, None, Data, "queue.too_large"),
            (503, Some("ServerBusy"), Throttled, "queue.throttled"),
            (429, None, Throttled, "queue.throttled"),
            (500, Some("OperationTimedOut"), Transient, "queue.timeout"),
            (504, None, Transient, "queue.timeout"),
            (500, Some("InternalError"), Transient, "queue.server_error"),
            (502, None, Transient, "queue.server_error"),
            (400, Some("InvalidHeaderValue"), Permanent, "queue.refused"),
            (302, None, Permanent, "queue.refused"),
        ];
        for (status, code, class, expected) in rows {
            let failure = answer(status, code, "");
            assert_eq!((failure.class, &*failure.code), (class, expected), "{status} {code:?}");
            let retry_after = (class == Throttled).then_some(Duration::from_secs(7));
            assert_eq!(failure.retry_after, retry_after, "{status} {code:?}");
        }
    }

    #[test]
    fn an_expired_signature_is_told_from_a_wrong_one() {
        let body = "<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Signature not valid in the specified \
                    time frame: Start - Expiry</AuthenticationErrorDetail></Error>";
        let failure = answer(403, None, body);
        assert_eq!(failure.class, FailureClass::AuthExpired, "{failure}");
        assert!(
            failure.message.ends_with("(HTTP 403, AuthenticationFailed)"),
            "{failure}"
        );
    }
}
