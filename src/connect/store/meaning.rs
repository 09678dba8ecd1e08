//! What the answers of stores mean: one table of failure classes and codes for every kind of store over a network.

use crate::model::{Failure, FailureClass};

/// What was being done when a store answered with an error; some answers mean different things to different calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Stat,
    Read,
    Write,
    List,
    Delete,
    Probe,
}

impl Action {
    pub fn verb(self) -> &'static str {
        match self {
            Self::Stat => "look at",
            Self::Read => "read",
            Self::Write => "write",
            Self::List => "list",
            Self::Delete => "delete",
            Self::Probe => "reach",
        }
    }
}

/// A row of the table: class, code, and what to say.
pub type Meaning = (FailureClass, &'static str, &'static str);

pub const THROTTLED: Meaning = (
    FailureClass::Throttled,
    "store.throttled",
    "the store asks for fewer requests; lower the connection's `limit` if this goes on",
);
pub const AUTH_EXPIRED: Meaning = (
    FailureClass::AuthExpired,
    "store.auth_expired",
    "the credentials have expired; renew them",
);
pub const BAD_CREDENTIALS: Meaning = (
    FailureClass::Denied,
    "store.denied",
    "the store does not accept the credentials; check them",
);
pub const DENIED: Meaning = (
    FailureClass::Denied,
    "store.denied",
    "the credentials do not allow this; check them and their rights",
);
pub const NO_CONTAINER: Meaning = (
    FailureClass::Permanent,
    "store.container_missing",
    "the container or bucket does not exist; create it or correct its name",
);
pub const NOT_FOUND: Meaning = (FailureClass::NotFound, "store.not_found", "there is no such object");
pub const EXISTS: Meaning = (FailureClass::Conflict, "store.exists", "it is already there");
pub const CHANGED: Meaning = (
    FailureClass::Conflict,
    "source.changed",
    "it changed while it was read; run again when nothing writes to it",
);
pub const CONFLICT: Meaning = (
    FailureClass::Conflict,
    "store.conflict",
    "the object's state does not allow this (leased, archived, immutable or of another kind)",
);
pub const LOCKED: Meaning = (
    FailureClass::Transient,
    "store.locked",
    "somebody has locked it; it may pass",
);
pub const UPLOAD_LOST: Meaning = (
    FailureClass::Transient,
    "store.upload_lost",
    "the store no longer knows the parts sent before",
);
pub const SERVER: Meaning = (
    FailureClass::Transient,
    "store.server_error",
    "the store had an error of its own",
);
pub const TIMEOUT: Meaning = (
    FailureClass::Transient,
    "store.timeout",
    "no answer in time; raise the connection's `timeout` if this goes on",
);
pub const CONNECTION: Meaning = (
    FailureClass::Transient,
    "store.connection",
    "no connection to the store, or it was cut; check `endpoint` and the network if this goes on",
);
pub const RANGE: Meaning = (
    FailureClass::Conflict,
    "source.changed",
    "it is shorter than it was when it was looked at",
);
pub const FULL: Meaning = (FailureClass::Permanent, "store.full", "the store has no space left");
pub const BAD_METADATA: Meaning = (
    FailureClass::Data,
    "store.metadata",
    "the store does not accept the object's metadata",
);
pub const BAD_NAME: Meaning = (FailureClass::Data, "name.refused", "the store does not accept the name");
pub const NAME_TOO_LONG: Meaning = (
    FailureClass::Data,
    "name.too_long",
    "the store does not accept so long a name",
);
pub const REFUSED: Meaning = (
    FailureClass::Permanent,
    "store.refused",
    "the store refused the request",
);

/// What an HTTP status means by itself.
pub fn by_status(action: Action, status: u16) -> Option<Meaning> {
    let meaning = match status {
        401 => BAD_CREDENTIALS,
        403 => DENIED,
        404 if action == Action::Write => UPLOAD_LOST,
        404 if matches!(action, Action::List | Action::Probe) => NO_CONTAINER,
        404 | 410 => NOT_FOUND,
        408 | 504 => TIMEOUT,
        304 | 412 if action == Action::Read => CHANGED,
        409 | 412 => CONFLICT,
        416 => RANGE,
        423 => LOCKED,
        429 | 503 => THROTTLED,
        507 => FULL,
        499 | 500 | 502 => SERVER,
        _ => return None,
    };
    Some(meaning)
}

/// The failure of a call. `told` is what the store said in its own words, if it said anything.
pub fn failure(action: Action, name: &str, (class, code, remedy): Meaning, told: &str) -> Failure {
    let place = match (action, name) {
        (Action::Probe, _) => "the store".to_owned(),
        (Action::List, "") => "everything".to_owned(),
        _ => format!("`{name}`"),
    };
    let mut message = format!("cannot {} {place}: {remedy}", action.verb());
    if !told.is_empty() {
        message = format!("{message} ({told})");
    }
    Failure::new(class, code, message)
}
