use std::io::{Error, ErrorKind};

use crate::model::{Failure, FailureClass};

/// What a file system's errors mean.
///
/// | kind | class | code |
/// |---|---|---|
/// | not found | `not_found` | `store.not_found` |
/// | permission denied, read-only file system | `denied` | `store.denied` |
/// | no space, quota exceeded, file too large | `permanent` | `store.full` |
/// | a folder stands where a file should, or a file where a folder should | `conflict` | `store.in_the_way` |
/// | the name is too long for this file system | `data` | `name.too_long` |
/// | interrupted, timed out, stale network handle, busy | `transient` | `store.io` |
/// | anything else | `permanent` | `store.io` |
pub(super) fn failure(action: &str, name: &str, error: &Error) -> Failure {
    let (class, code, remedy) = match error.kind() {
        ErrorKind::NotFound => (FailureClass::NotFound, "store.not_found", "there is no such file"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            FailureClass::Denied,
            "store.denied",
            "permission denied; give this user access to it",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => (
            FailureClass::Permanent,
            "store.full",
            "no space is left; free some and run again",
        ),
        ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::DirectoryNotEmpty => (
            FailureClass::Conflict,
            "store.in_the_way",
            "a folder stands where a file should, or a file where a folder should; move it away",
        ),
        ErrorKind::InvalidFilename => (
            FailureClass::Data,
            "name.too_long",
            "the file system cannot carry this name",
        ),
        ErrorKind::Interrupted
        | ErrorKind::TimedOut
        | ErrorKind::WouldBlock
        | ErrorKind::StaleNetworkFileHandle
        | ErrorKind::ResourceBusy => (FailureClass::Transient, "store.io", "the file system did not answer"),
        _ => {
            return Failure::permanent("store.io", format!("cannot {action} `{name}`: {error}"));
        }
    };
    Failure::new(class, code, format!("cannot {action} `{name}`: {remedy}"))
}

/// Whether an error says that nothing has this name: also when a part of its path is a file.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_permanent_and_says_so() {
        let failure = failure("write", "a.bin", &Error::from(ErrorKind::StorageFull));
        assert_eq!((failure.class, &*failure.code), (FailureClass::Permanent, "store.full"));
        assert!(failure.message.contains("`a.bin`"));
    }
}
