use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

/// Rows of chunks; all zero where units are files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// At the sink.
    pub written: u64,
    /// Refused by the sink and written down.
    pub rejected: u64,
}

impl RowCount {
    /// Rows whose fate is known.
    pub fn settled(&self) -> u64 {
        self.written + self.rejected
    }
}

impl AddAssign for RowCount {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.rejected += other.rejected;
    }
}

impl SubAssign for RowCount {
    fn sub_assign(&mut self, other: Self) {
        self.written -= other.written;
        self.rejected -= other.rejected;
    }
}
