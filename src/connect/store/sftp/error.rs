use russh_sftp::client::error::Error;
use russh_sftp::protocol::StatusCode;

use super::super::meaning::{
    self, Action, BAD_NAME, CONNECTION, DENIED, Meaning, NOT_FOUND, REFUSED, TIMEOUT, UPLOAD_LOST,
};
use crate::model::Failure;

/// What an answer of the server, or none, means.
///
/// | answer | class |
/// |---|---|
/// | `SSH_FX_NO_SUCH_FILE` | `not_found`; of a file being written `transient` |
/// | `SSH_FX_PERMISSION_DENIED` | `denied` |
/// | `SSH_FX_BAD_MESSAGE`, which OpenSSH gives for a name that is too long | `data` |
/// | `SSH_FX_NO_CONNECTION`, `SSH_FX_CONNECTION_LOST`, a session that was cut | `transient` |
/// | no answer in time | `transient` |
/// | anything else: the protocol has one code for a full disk, a taken name and all other failures | `permanent` |
pub(super) fn failure(action: Action, name: &str, error: &Error) -> Failure {
    meaning::failure(action, name, meaning(action, error), &told(error))
}

fn meaning(action: Action, error: &Error) -> Meaning {
    match error {
        Error::Status(status) => match status.status_code {
            StatusCode::NoSuchFile if action == Action::Write => UPLOAD_LOST,
            StatusCode::NoSuchFile => NOT_FOUND,
            StatusCode::PermissionDenied => DENIED,
            StatusCode::BadMessage => BAD_NAME,
            StatusCode::NoConnection | StatusCode::ConnectionLost => CONNECTION,
            _ => REFUSED,
        },
        Error::Timeout => TIMEOUT,
        // A session that was cut shows itself in both.
        Error::IO(_) | Error::UnexpectedBehavior(_) => CONNECTION,
        Error::Limited(_) | Error::UnexpectedPacket => REFUSED,
    }
}

/// The server's words; those of the protocol where it has none.
fn told(error: &Error) -> String {
    const CHARACTERS_MAX: usize = 120;
    let text = match error {
        Error::Status(status) if !status.error_message.is_empty() => status.error_message.clone(),
        other => other.to_string(),
    };
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(CHARACTERS_MAX)
        .collect()
}

pub(super) fn is_absent(error: &Error) -> bool {
    has_code(error, StatusCode::NoSuchFile)
}

/// The one code for everything that has none of its own.
pub(super) fn is_unspecific(error: &Error) -> bool {
    has_code(error, StatusCode::Failure)
}

pub(super) fn is_end(error: &Error) -> bool {
    has_code(error, StatusCode::Eof)
}

fn has_code(error: &Error, code: StatusCode) -> bool {
    matches!(error, Error::Status(status) if status.status_code == code)
}
