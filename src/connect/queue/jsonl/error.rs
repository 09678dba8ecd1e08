use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::model::{Failure, FailureClass};

/// What a file system's errors mean to a queue.
///
/// | kind | class | code |
/// |---|---|---|
/// | permission denied, read-only file system | `denied` | `queue.denied` |
/// | no space, quota exceeded, file too large | `permanent` | `queue.full` |
/// | a folder stands where a file should, or a file where a folder should | `permanent` | `queue.missing` |
/// | interrupted, timed out, stale network handle, busy, gone while it was opened | `transient` | `queue.io` |
/// | anything else | `permanent` | `queue.io` |
pub(super) fn failure(action: &str, path: &Path, error: &Error) -> Failure {
    let place = path.display();
    let (class, code, remedy) = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            FailureClass::Denied,
            "queue.denied",
            "permission denied; give this user access to it",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => (
            FailureClass::Permanent,
            "queue.full",
            "no space is left; free some and run again",
        ),
        ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => return not_a_file(path),
        ErrorKind::NotFound
        | ErrorKind::Interrupted
        | ErrorKind::TimedOut
        | ErrorKind::WouldBlock
        | ErrorKind::StaleNetworkFileHandle
        | ErrorKind::ResourceBusy => (FailureClass::Transient, "queue.io", "the file system did not answer"),
        _ => return Failure::permanent("queue.io", format!("cannot {action} `{place}`: {error}")),
    };
    Failure::new(class, code, format!("cannot {action} `{place}`: {remedy}"))
}

/// The path is not that of a file.
pub(super) fn not_a_file(path: &Path) -> Failure {
    Failure::permanent(
        "queue.missing",
        format!(
            "`{}` cannot be a file: a folder stands where a file should, or a file where a folder should; correct the connection's `path`",
            path.display()
        ),
    )
}

pub(super) fn timeout(path: &Path) -> Failure {
    Failure::transient(
        "queue.timeout",
        format!(
            "`{}` was not written in time; raise the connection's `timeout` if this goes on",
            path.display()
        ),
    )
}

/// The writer is gone, which only a defect can cause.
pub(super) fn ended(path: &Path) -> Failure {
    Failure::permanent("queue.io", format!("the writer of `{}` has ended", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_permanent_and_says_so() {
        let failure = failure(
            "append to",
            Path::new("out/q.jsonl"),
            &Error::from(ErrorKind::StorageFull),
        );
        assert_eq!((failure.class, &*failure.code), (FailureClass::Permanent, "queue.full"));
        assert!(failure.message.contains("`out/q.jsonl`"), "{failure}");
    }
}
