use std::error::Error;
use std::time::Duration;

use ::http::header::RETRY_AFTER;
use reqwest::Response;

use super::super::meaning::{self, Action, CONNECTION, REFUSED, TIMEOUT};
use crate::model::{Failure, FailureClass};

/// An answer that is not the one asked for. What a status means stands in the table of all stores; any other is `store.refused`.
pub(super) fn refused(action: Action, name: &str, response: &Response) -> Failure {
    let status = response.status().as_u16();
    let meaning = meaning::by_status(action, status).unwrap_or(REFUSED);
    let mut failure = meaning::failure(action, name, meaning, &format!("HTTP {status}"));
    if failure.class == FailureClass::Throttled {
        let seconds = response.headers().get(RETRY_AFTER);
        failure.retry_after = seconds
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
    }
    failure
}

/// No answer, or none to its end.
pub(super) fn unanswered(action: Action, name: &str, error: &reqwest::Error) -> Failure {
    let meaning = if error.is_timeout() {
        TIMEOUT
    } else if error.is_builder() || error.is_redirect() {
        REFUSED
    } else {
        CONNECTION
    };
    meaning::failure(action, name, meaning, &cause(error))
}

/// The innermost reason, which names no address.
fn cause(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut words = String::new();
    while let Some(inner) = source {
        words = inner.to_string();
        source = inner.source();
    }
    words
}
