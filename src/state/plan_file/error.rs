use std::io;
use std::path::PathBuf;

/// Why a plan file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    #[error("cannot {action} the plan `{}`: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("`{}` is not a plan; `pipeline plan JOB --out FILE` writes one", path.display())]
    Foreign { path: PathBuf },
    #[error("the plan `{}` has format {found}, newer than format {known} which this version reads; use the newer `pipeline` that \
        wrote it, or make the plan again with `pipeline plan JOB --out FILE`", path.display())]
    Newer { path: PathBuf, found: u8, known: u8 },
    #[error("the plan `{}` is damaged ({problem}); make it again with `pipeline plan JOB --out FILE`", path.display())]
    Damaged { path: PathBuf, problem: &'static str },
}

impl PlanFileError {
    /// Whether a plan could not be written, as opposed to one that cannot be used.
    pub fn is_of_writing(&self) -> bool {
        matches!(self, Self::Io { action: "write", .. })
    }
}
