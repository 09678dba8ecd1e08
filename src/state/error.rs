//! Rules for the errors of this floor: each names the path or record it is about and what to do next, none holds a value of a
//! record, and all can be cloned, because an error that ends the writer is the answer to everyone who waits for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::ItemId;

use super::Holder;

#[derive(Clone, Debug, thiserror::Error)]
pub enum StateError {
    /// Another process works on the same state. The holder is unknown for an instant while it starts.
    #[error("the state in `{}` is in use by {}; wait until that ends, stop it, or use another `--state` folder",
        folder.display(), describe(holder.as_ref()))]
    Locked { folder: PathBuf, holder: Option<Holder> },

    /// The marker says that there was a database, and what is there holds nothing or is another one.
    #[error("the database in `{}` is gone, empty, or not the one of this job, which has been run before; `pipeline state doctor` shows what \
        is left, `pipeline state rebuild` makes a new one from the sealed pages, so that only the others are done again",
        folder.display())]
    Emptied { folder: PathBuf },

    #[error("the state in `{}` is damaged ({problem}); `pipeline state doctor` shows what is left, `pipeline state rebuild` \
        makes a new database from the sealed pages, so that only the others are done again", folder.display())]
    Damaged { folder: PathBuf, problem: String },

    /// A block of the ledger does not read back as it was written.
    #[error("the ledger file `{}` is damaged at byte {offset} ({problem}); `pipeline state doctor` lists what is affected, \
        `pipeline state rebuild` keeps every whole page, so that only the others are done again", path.display())]
    DamagedSegment {
        path: PathBuf,
        offset: u64,
        problem: &'static str,
    },

    #[error("the state in `{}` has format {found}, newer than format {known} which this version reads; use the newer \
        `pipeline` that wrote it, or another `--state` folder", folder.display())]
    NewerFormat { folder: PathBuf, found: u32, known: u32 },

    #[error("the state in `{}` belongs to job `{job}` on profile `{profile}`; use another `--state` folder", folder.display())]
    OtherJob {
        folder: PathBuf,
        job: String,
        profile: String,
    },

    #[error("cannot {action} `{}`: {source}{}", path.display(), remedy(source))]
    Io {
        action: &'static str,
        path: PathBuf,
        source: Arc<io::Error>,
    },

    /// A record cannot be stored: it is larger than a ledger block may be.
    #[error(
        "the record of page {page} of item `{item}` is too large to be stored ({bytes} bytes); choose a smaller `limits.page_units`"
    )]
    TooLarge { item: ItemId, page: u32, bytes: usize },

    /// A record has no encoded form.
    #[error("a record cannot be encoded; this is a defect of `pipeline`: please report it")]
    Unencodable,

    /// A page got a result or a seal without an intent: a defect of the runner, found before it could reach the disk.
    #[error(
        "page {page} of item `{item}` cannot take {what}: it was never opened; this is a defect of `pipeline`: please report it"
    )]
    NotOpened {
        item: ItemId,
        page: u32,
        what: &'static str,
    },

    #[error("a second writer was asked for; this is a defect of `pipeline`: please report it")]
    SecondWriter,

    /// Something was sent after the writer had been closed.
    #[error("the state in `{}` is closed already; this is a defect of `pipeline`: please report it", folder.display())]
    Closed { folder: PathBuf },
}

impl StateError {
    /// Whether it means "locked or damaged" (exit 13) rather than "could not go on" (exit 7).
    pub fn is_locked_or_damaged(&self) -> bool {
        match self {
            Self::Locked { .. }
            | Self::Emptied { .. }
            | Self::Damaged { .. }
            | Self::DamagedSegment { .. }
            | Self::NewerFormat { .. }
            | Self::OtherJob { .. } => true,
            Self::Io { .. }
            | Self::TooLarge { .. }
            | Self::Unencodable
            | Self::NotOpened { .. }
            | Self::SecondWriter
            | Self::Closed { .. } => false,
        }
    }

    /// Whether what lies there cannot be read as a state of this program, whoever holds it.
    pub fn is_damaged(&self) -> bool {
        self.is_locked_or_damaged() && !matches!(self, Self::Locked { .. })
    }

    /// For `map_err`: an operation on a path that failed.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source: Arc::new(source),
        }
    }
}

fn describe(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => format!(
            "process {} on host `{}`, started {} as `{}`",
            holder.pid, holder.host, holder.started, holder.command
        ),
        None => "another process".to_owned(),
    }
}

/// What to do about an error of the operating system, where there is something better than its own words.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and start again: what was recorded before is safe"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; make the folder writable or choose another one with `--state`"
        }
        io::ErrorKind::NotADirectory => {
            "; a file stands where the folder should be: move it or choose another `--state`"
        }
        _ => "",
    }
}
