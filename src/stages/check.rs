use std::sync::atomic::AtomicU64;

use crate::connect::Store;
use crate::model::{Failure, UnitRecord, UnitStatus};

use super::compare::hash;

/// How thoroughly a unit is checked against the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is there, with the size that the ledger has.
    Presence,
    /// Its bytes are read back as well, and hashed as the ledger did.
    Checksum,
}

/// What a check of one unit found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// There, with the ledger's size; `checksum` tells whether its bytes were compared as well.
    Same {
        checksum: bool,
    },
    Missing,
    SizeDiffers {
        ledger: u64,
        sink: u64,
    },
    ChecksumDiffers,
    /// The ledger does not have it as done or present, so nothing is expected at the sink.
    NotDone,
    /// The sink gave no answer.
    Unreadable(Failure),
}

/// Checks one unit of the ledger against the sink. Reads only.
pub async fn check(sink: &dyn Store, record: &UnitRecord, how: Check) -> Verdict {
    if !matches!(record.status, UnitStatus::Done | UnitStatus::Present) {
        return Verdict::NotDone;
    }
    let found = match sink.stat(&record.target).await {
        Ok(Some(found)) => found,
        Ok(None) => return Verdict::Missing,
        Err(failure) => return Verdict::Unreadable(failure),
    };
    if let Some(ledger) = record.size
        && ledger != found.size
    {
        return Verdict::SizeDiffers {
            ledger,
            sink: found.size,
        };
    }
    let (Check::Checksum, Some(expected)) = (how, &record.hash) else {
        return Verdict::Same { checksum: false };
    };
    let read_back = async {
        let (_, bytes) = sink.read(&record.target, None).await?;
        hash(bytes, expected.kind, &AtomicU64::new(0)).await
    };
    match read_back.await {
        Ok(Some(actual)) if actual == *expected => Verdict::Same { checksum: true },
        Ok(_) => Verdict::ChecksumDiffers,
        Err(failure) => Verdict::Unreadable(failure),
    }
}
