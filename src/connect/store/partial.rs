use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::WORKSPACE;
use crate::model::Timestamp;

/// The process that an unfinished file on a server belongs to, as the file's name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialOwner {
    pid: u32,
    /// When the process began to write to the server.
    since: Timestamp,
    /// Stands for the name of its host, which strangers need not read.
    host: String,
}

impl PartialOwner {
    /// Whether this is the process that had this id on this host between two moments. Process ids come again, and are the same in many
    /// containers: so the host and the time have to agree as well.
    pub fn is(&self, pid: u32, host: &str, from: Timestamp, to: Timestamp) -> bool {
        self.pid == pid && self.host == mark(host) && from <= self.since && self.since <= to
    }

    /// Reads the name of a file of the workspace; `None` for one that no process of ours has given.
    pub(super) fn read(file_name: &str) -> Option<Self> {
        let mut parts = file_name.split('-');
        let pid = parts.next()?.parse().ok()?;
        let nanoseconds: u128 = parts.next()?.parse().ok()?;
        let host = parts.next()?.to_owned();
        let _number: u64 = parts.next()?.parse().ok()?;
        let since = Timestamp(i64::try_from(nanoseconds / 1_000_000).ok()?);
        parts.next().is_none().then_some(Self { pid, since, host })
    }
}

/// Names for the unfinished files of this process: no other gives the same.
#[derive(Debug)]
pub(super) struct PartialNames {
    process: String,
    next_number: AtomicU64,
}

impl PartialNames {
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let host = mark(&gethostname::gethostname().to_string_lossy());
        Self {
            process: format!("{}-{}-{host}", std::process::id(), since.as_nanos()),
            next_number: AtomicU64::new(0),
        }
    }

    pub fn next(&self) -> String {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        format!("{WORKSPACE}/{}-{number}", self.process)
    }
}

fn mark(host: &str) -> String {
    let digest = Sha256::digest(host.as_bytes());
    digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_process_and_no_other() {
        let name = PartialNames::new().next();
        let file_name = name.strip_prefix(".pipeline-partial/").unwrap();
        let owner = PartialOwner::read(file_name).unwrap();
        let (pid, host) = (std::process::id(), gethostname::gethostname());
        let host = host.to_string_lossy();
        let now = Timestamp::now();
        let before = Timestamp(now.0 - 60_000);
        assert!(owner.is(pid, &host, before, now));
        assert!(!owner.is(pid + 1, &host, before, now));
        assert!(!owner.is(pid, "another", before, now));
        assert!(!owner.is(pid, &host, Timestamp(0), before));
    }

    #[test]
    fn names_that_others_gave_have_no_owner() {
        for name in [
            "",
            "lock",
            "1-2",
            "1-2-3",
            "1-2-host-4-5",
            "x-2-host-4",
            "1-2-host-x",
            "1-1-0",
        ] {
            assert_eq!(PartialOwner::read(name), None, "{name}");
        }
    }
}
