use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::redact;

/// What a failure means for what happens next; decided once, where the outside system's answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Likely to pass by itself: connection lost, time-out, server error.
    Transient,
    /// The other side asks for less: retried after the delay it names.
    Throttled,
    /// Credentials ran out in mid-job; the connection pauses until they are refreshed.
    AuthExpired,
    /// The credentials do not allow this; more tries of the same kind are pointless.
    Denied,
    /// What should be read is not there.
    NotFound,
    /// Something else stands where this was to be written.
    Conflict,
    /// The data itself cannot be handled: a bad name, a wrong length, an unreadable row.
    Data,
    /// Anything else that a repetition cannot cure.
    Permanent,
    /// The run was stopped before an answer came: the unit stays pending.
    Cancelled,
}

impl FailureClass {
    /// All classes, in the order in which reports list them.
    pub const ALL: [Self; 9] = [
        Self::Transient,
        Self::Throttled,
        Self::AuthExpired,
        Self::Denied,
        Self::NotFound,
        Self::Conflict,
        Self::Data,
        Self::Permanent,
        Self::Cancelled,
    ];

    /// Whether the engine spends another attempt on it.
    ///
    /// | class | retried |
    /// |---|---|
    /// | `transient`, `throttled`, `auth_expired` | yes |
    /// | every other | no |
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Transient | Self::Throttled | Self::AuthExpired)
    }

    /// The class as records, reports and docs spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::AuthExpired => "auth_expired",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Data => "data",
            Self::Permanent => "permanent",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why an attempt on an item or unit did not succeed.
///
/// `code` is stable (`store.timeout`, `name.parent_folder`) so that scripts can match on it; `message` is for people and is
/// redacted at construction: no query string of a URI and no credential gets into a record by this way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub class: FailureClass,
    pub code: Cow<'static, str>,
    pub message: String,
    /// The least time the other side asked to be left alone for (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The HTTP status of the answer, for what reacts to it in this process; records have it in the message.
    #[serde(skip)]
    pub status: Option<u16>,
    /// The connection that was talked to, for the same.
    #[serde(skip)]
    pub connection: Option<Arc<str>>,
}

impl Failure {
    /// The code of what is no longer as the plan had it.
    pub const DRIFTED: &'static str = "plan.drifted";

    /// The code of a right that is missing on one thing, which says nothing of others.
    pub const NO_PRIVILEGE: &'static str = "database.privilege";

    pub fn new(class: FailureClass, code: &'static str, message: impl AsRef<str>) -> Self {
        Self {
            class,
            code: Cow::Borrowed(code),
            message: redact(message.as_ref()).into_owned(),
            retry_after: None,
            status: None,
            connection: None,
        }
    }

    pub fn data(code: &'static str, message: impl AsRef<str>) -> Self {
        Self::new(FailureClass::Data, code, message)
    }

    pub fn permanent(code: &'static str, message: impl AsRef<str>) -> Self {
        Self::new(FailureClass::Permanent, code, message)
    }

    pub fn transient(code: &'static str, message: impl AsRef<str>) -> Self {
        Self::new(FailureClass::Transient, code, message)
    }

    pub fn cancelled() -> Self {
        Self::new(
            FailureClass::Cancelled,
            "run.cancelled",
            "the run was stopped before this ended",
        )
    }

    /// Puts the place (`` `results` ``, a file's name) before the message.
    #[must_use]
    pub fn context(mut self, place: impl fmt::Display) -> Self {
        self.message = redact(&format!("{place}: {}", self.message)).into_owned();
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}, {})", self.message, self.class, self.code)
    }
}

impl std::error::Error for Failure {}
