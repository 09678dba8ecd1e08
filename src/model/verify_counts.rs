use serde::Serialize;

/// Files by what was found about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyCounts {
    /// Files that the ledger holds: what could be checked.
    pub ledger: u64,
    pub same: u64,
    /// Of the same ones, those whose bytes were read back.
    pub same_by_checksum: u64,
    pub missing: u64,
    pub size_differs: u64,
    pub checksum_differs: u64,
    /// Failed or pending in the ledger.
    pub not_done: u64,
    pub unreadable: u64,
    /// Files that were put back to pending.
    pub reopened: u64,
    /// Items whose file list is not complete: how many files they lack is unknown.
    pub unlisted_items: u64,
}

impl VerifyCounts {
    pub fn checked(&self) -> u64 {
        self.same + self.differences()
    }

    pub fn differences(&self) -> u64 {
        self.missing + self.size_differs + self.checksum_differs + self.not_done + self.unreadable
    }

    /// Percent of the checked files that are the same; `None` when none was checked.
    pub fn percent(&self) -> Option<f64> {
        (self.checked() > 0).then(|| self.same as f64 * 100.0 / self.checked() as f64)
    }
}
