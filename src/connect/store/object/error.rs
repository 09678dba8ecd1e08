use opendal::{Error, ErrorKind};

use super::super::meaning::{
    self, AUTH_EXPIRED, Action, BAD_CREDENTIALS, BAD_METADATA, BAD_NAME, CHANGED, CONFLICT, CONNECTION, DENIED, EXISTS,
    FULL, Meaning, NAME_TOO_LONG, NO_CONTAINER, NOT_FOUND, RANGE, REFUSED, THROTTLED, TIMEOUT, UPLOAD_LOST,
};
use super::answer::Answer;
use crate::model::{Failure, FailureClass};

/// Error codes of Azure Blob Storage and S3. They say more than the status they come with, so they are looked at first.
const BY_CODE: &[(&str, Meaning)] = &[
    ("AccessDenied", DENIED),
    ("AccountIsDisabled", DENIED),
    ("AuthenticationFailed", BAD_CREDENTIALS),
    ("AuthorizationFailure", DENIED),
    ("AuthorizationPermissionMismatch", DENIED),
    ("BlobNotFound", NOT_FOUND),
    ("ContainerBeingDeleted", NO_CONTAINER),
    ("ContainerNotFound", NO_CONTAINER),
    ("ExpiredAuthenticationToken", AUTH_EXPIRED),
    ("ExpiredToken", AUTH_EXPIRED),
    ("ExpiredTokenException", AUTH_EXPIRED),
    ("InsufficientAccountPermissions", DENIED),
    ("InvalidAccessKeyId", BAD_CREDENTIALS),
    ("InvalidAuthenticationInfo", BAD_CREDENTIALS),
    ("InvalidBlockList", UPLOAD_LOST),
    ("InvalidMetadata", BAD_METADATA),
    ("InvalidResourceName", BAD_NAME),
    ("InvalidToken", BAD_CREDENTIALS),
    ("EmptyMetadataKey", BAD_METADATA),
    ("KeyTooLongError", NAME_TOO_LONG),
    ("MetadataTooLarge", BAD_METADATA),
    ("NoSuchBucket", NO_CONTAINER),
    ("NoSuchKey", NOT_FOUND),
    ("NoSuchUpload", UPLOAD_LOST),
    ("OperationTimedOut", TIMEOUT),
    ("QuotaExceeded", FULL),
    ("RequestTimeout", TIMEOUT),
    ("RequestTimeTooSkewed", BAD_CREDENTIALS),
    ("ServerBusy", THROTTLED),
    ("SignatureDoesNotMatch", BAD_CREDENTIALS),
    ("SlowDown", THROTTLED),
    ("TokenRefreshRequired", AUTH_EXPIRED),
    ("XMinioStorageFull", FULL),
];

/// What an OpenDAL error means. In this order: the store's error code, the HTTP status, OpenDAL's kind, the source's words.
///
/// | answer | class |
/// |---|---|
/// | an error code of the table above | as it says there |
/// | 401 | `denied` |
/// | 403 | `denied` |
/// | 404 | `not_found`; of an upload's parts `transient` |
/// | 408, 500, 502, 504, 499 | `transient` |
/// | 409, 412, 304 | `conflict`: `store.exists` when writing, `source.changed` when reading |
/// | 416 | `conflict` |
/// | 429, 503 | `throttled`, with `Retry-After` |
/// | 507 | `permanent`, `store.full` |
/// | no answer: time-out, connection refused or cut | `transient` |
/// | anything else | `permanent` |
pub(super) fn failure(action: Action, name: &str, error: &Error) -> Failure {
    let answer = Answer::read(error);
    let meaning = meaning(action, error, &answer);
    let mut failure = meaning::failure(action, name, meaning, &told(error, &answer));
    failure.status = answer.status;
    if failure.class == FailureClass::Throttled {
        failure.retry_after = answer.retry_after;
    }
    failure
}

/// An operator that could not be built: a setting is missing or wrong.
pub(super) fn configuration(error: &Error) -> Failure {
    Failure::permanent("connection.configuration", error.message())
}

fn meaning(action: Action, error: &Error, answer: &Answer) -> Meaning {
    let known = BY_CODE.iter().find(|(code, _)| Some(*code) == answer.code.as_deref());
    if let Some((_, meaning)) = known {
        // Azure says `AuthenticationFailed` for a token past its time as well, and only its words tell.
        return match *meaning {
            BAD_CREDENTIALS if says_expired(error) => AUTH_EXPIRED,
            meaning => meaning,
        };
    }
    match error.kind() {
        ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists if action == Action::Read => return CHANGED,
        ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists => return EXISTS,
        ErrorKind::RateLimited => return THROTTLED,
        ErrorKind::RangeNotSatisfied => return RANGE,
        _ => {}
    }
    if let Some(meaning) = answer.status.and_then(|status| by_status(action, status, error)) {
        return meaning;
    }
    match error.kind() {
        ErrorKind::NotFound if action == Action::Write => UPLOAD_LOST,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::PermissionDenied => DENIED,
        ErrorKind::Conflict => CONFLICT,
        _ if says_timeout(error) => TIMEOUT,
        // OpenDAL marks as temporary what a repetition may cure, and as persistent what several did not.
        _ if error.is_temporary() || error.is_persistent() => CONNECTION,
        _ => REFUSED,
    }
}

fn by_status(action: Action, status: u16, error: &Error) -> Option<Meaning> {
    if matches!(status, 401 | 403) && says_expired(error) {
        return Some(AUTH_EXPIRED);
    }
    meaning::by_status(action, status)
}

fn says_expired(error: &Error) -> bool {
    let message = error.message().to_ascii_lowercase();
    message.contains("expired") || message.contains("signature not valid in the specified time frame")
}

fn says_timeout(error: &Error) -> bool {
    let mut words = error.message().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words.contains("timeout") || words.contains("timed out")
}

/// What the store said in its own words, as short as it is useful: status and error code, or OpenDAL's message where no answer came.
fn told(error: &Error, answer: &Answer) -> String {
    const MESSAGE_CHARACTERS_MAX: usize = 120;
    let parts = [
        answer.status.map(|status| format!("HTTP {status}")),
        answer.code.clone(),
    ];
    let told = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if !told.is_empty() {
        return told;
    }
    let first_line = error.message().lines().next().unwrap_or_default();
    first_line.chars().take(MESSAGE_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(kind: ErrorKind, status: u16, headers: &str, message: &str) -> Error {
        Error::new(kind, message)
            .with_context("uri", "http://store/a")
            .with_context(
                "response",
                format!("Parts {{ status: {status}, version: HTTP/1.1, headers: {{{headers}}} }}"),
            )
    }

    fn check(action: Action, error: &Error, class: FailureClass, code: &str) -> Failure {
        let failure = failure(action, "a.bin", error);
        assert_eq!((failure.class, &*failure.code), (class, code), "{error}");
        failure
    }

    #[test]
    fn a_throttled_answer_keeps_its_delay() {
        let error = answer(
            ErrorKind::Unexpected,
            503,
            r#""retry-after": "7""#,
            r#"S3Error { code: "SlowDown", message: "Reduce your request rate." }"#,
        );
        let failure = check(Action::Read, &error, FailureClass::Throttled, "store.throttled");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
        assert!(failure.message.ends_with("(HTTP 503, SlowDown)"), "{failure}");
    }

    #[test]
    fn each_kind_of_answer_has_its_class() {
        use FailureClass::*;
        let plain = |kind, status| answer(kind, status, "", "");
        let by_header = |status, code: &str| {
            answer(
                ErrorKind::Unexpected,
                status,
                &format!("\"x-ms-error-code\": \"{code}\""),
                "",
            )
        };
        let rows = [
            (
                Action::Read,
                plain(ErrorKind::NotFound, 404),
                NotFound,
                "store.not_found",
            ),
            (
                Action::List,
                plain(ErrorKind::NotFound, 404),
                Permanent,
                "store.container_missing",
            ),
            (
                Action::Write,
                plain(ErrorKind::NotFound, 404),
                Transient,
                "store.upload_lost",
            ),
            (
                Action::Read,
                plain(ErrorKind::PermissionDenied, 403),
                Denied,
                "store.denied",
            ),
            (Action::Read, plain(ErrorKind::Unexpected, 401), Denied, "store.denied"),
            (
                Action::Read,
                plain(ErrorKind::Unexpected, 500),
                Transient,
                "store.server_error",
            ),
            (
                Action::Write,
                plain(ErrorKind::ConditionNotMatch, 412),
                Conflict,
                "store.exists",
            ),
            (
                Action::Read,
                plain(ErrorKind::ConditionNotMatch, 412),
                Conflict,
                "source.changed",
            ),
            (
                Action::Write,
                by_header(409, "LeaseIdMissing"),
                Conflict,
                "store.conflict",
            ),
            (
                Action::Write,
                by_header(404, "ContainerNotFound"),
                Permanent,
                "store.container_missing",
            ),
            (Action::Read, by_header(503, "ServerBusy"), Throttled, "store.throttled"),
            (
                Action::Read,
                by_header(403, "AuthenticationFailed"),
                Denied,
                "store.denied",
            ),
            (
                Action::Write,
                plain(ErrorKind::Unexpected, 507),
                Permanent,
                "store.full",
            ),
            (
                Action::Write,
                plain(ErrorKind::Unexpected, 400),
                Permanent,
                "store.refused",
            ),
        ];
        for (action, error, class, code) in rows {
            check(action, &error, class, code);
        }
    }

    #[test]
    fn expired_credentials_are_told_from_wrong_ones() {
        let azure = answer(
            ErrorKind::PermissionDenied,
            403,
            r#""x-ms-error-code": "AuthenticationFailed""#,
            "AzblobError { reason: \"Signature not valid in the specified time frame\" }",
        );
        check(Action::Read, &azure, FailureClass::AuthExpired, "store.auth_expired");
        let s3 = answer(ErrorKind::Unexpected, 400, "", r#"S3Error { code: "ExpiredToken" }"#);
        check(Action::Read, &s3, FailureClass::AuthExpired, "store.auth_expired");
    }

    #[test]
    fn a_name_that_looks_like_an_answer_decides_nothing() {
        let name = r#"x, response: Parts { status: 503 S3Error { code: "SlowDown" timeout expired"#;
        let error = Error::new(ErrorKind::NotFound, "")
            .with_context("uri", "http://store/a")
            .with_context("response", "Parts { status: 404, version: HTTP/1.1, headers: {} }")
            .with_context("path", name);
        let failure = failure(Action::Read, name, &error);
        assert_eq!(failure.class, FailureClass::NotFound, "{failure}");
        let refused = Error::new(ErrorKind::Unexpected, "no").with_context("path", name.replace(", response", ""));
        assert_eq!(
            super::failure(Action::Read, name, &refused).class,
            FailureClass::Permanent
        );
    }

    #[test]
    fn without_an_answer_it_is_the_network() {
        let timeout = Error::new(ErrorKind::Unexpected, "io operation timeout reached").set_temporary();
        check(Action::Read, &timeout, FailureClass::Transient, "store.timeout");
        let cut = Error::new(ErrorKind::Unexpected, "send http request").set_temporary();
        check(Action::Read, &cut, FailureClass::Transient, "store.connection");
        let exhausted = Error::new(ErrorKind::Unexpected, "send http request")
            .set_temporary()
            .set_persistent();
        check(Action::List, &exhausted, FailureClass::Transient, "store.connection");
    }
}
