//! What a job remembers between runs: items, pages of units with their intents and results, the ledger, and the journal.
//!
//! Owns the folder `.pipeline/<job>/<profile>/`: its lock, the database of unfinished work, the sealed segments beside it, the
//! journal and the status file. It stores what it is given and derives accounts from it; it decides nothing about units, touches
//! no outside system, and never repairs anything without being asked to ([`rebuild`]).
//!
//! Reads and [`State::open`] block on the disk: asynchronous callers wrap them in `spawn_blocking`. Everything that is written
//! goes through the one [`StateWriter`].

mod change;
mod cleanup;
mod codec;
mod database;
mod doctor;
mod error;
mod files;
mod folder;
mod journal;
mod key;
mod last_vars;
mod lock;
mod marker;
mod open;
mod owed;
mod plan_file;
mod rebuild;
mod records;
mod restart;
mod scratch;
mod segment;
#[expect(clippy::module_inception, reason = "the file is named for its main type")]
mod state;
mod status_file;
mod watermark;
mod writer;

pub use change::{Change, JobRecord};
pub use cleanup::{Cleaned, cleanup};
pub use doctor::{Diagnosis, Finding, doctor};
pub use error::StateError;
pub use folder::StateFolder;
pub use journal::{Journal, JournalEntry, JournalLine, JournalReader};
pub use last_vars::last_vars;
pub use lock::{Holder, Unlocked, holder, unlock};
pub use marker::{FORMAT_VERSION, Identity};
pub use owed::{keep_owed, take_over_owed};
pub use plan_file::{PlanFile, PlanFileError, PlanFileWriter};
pub use rebuild::{Rebuilt, rebuild};
pub use records::{PageState, RunOutcome, RunRecord, SealedReference, StageFingerprints, Vars};
pub use restart::restart;
pub use scratch::{NameLog, Scratch, SortRecord, Sorter};
pub use state::{AuditFinding, JobAccount, State};
pub use status_file::StatusFile;
pub use writer::{Durable, StateWriter};
