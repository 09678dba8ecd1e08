use std::io;
use std::path::PathBuf;

use crate::engine::Fatal;
use crate::model::Failure;
use crate::plan::Change;
use crate::resolve::LoadError;
use crate::state::{PlanFileError, StateError};

use super::Exit;

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("{0}")]
    Usage(String),
    #[error("there is no state of this job in `{}`; `{run}` makes it", folder.display())]
    NoState { folder: PathBuf, run: String },
    #[error("no run has met an item with the key `{key}`{}; `{list}` lists those that are known", did_you_mean(closest.as_deref()))]
    UnknownItem {
        key: String,
        /// The known key that was probably meant.
        closest: Option<String>,
        /// The command that lists the known ones.
        list: String,
    },
    #[error("{}", stale(changes, vars, accept))]
    Stale {
        changes: Vec<Change>,
        /// Variables that have another value than the state was begun with, in words.
        vars: Vec<String>,
        accept: String,
    },
    #[error("the plan `{}` does not fit the job any more, and nothing was run:{}\n`{remake}` makes it anew", path.display(), lines(reasons))]
    StalePlan {
        path: PathBuf,
        reasons: Vec<String>,
        /// The command that makes it anew.
        remake: String,
    },
    #[error(transparent)]
    PlanFile(#[from] PlanFileError),
    #[error("{failed} of {all} connections could not be reached")]
    Unreachable { failed: usize, all: usize, last: Failure },
    #[error("cannot read `{}`: {problem}", path.display())]
    Unreadable { path: PathBuf, problem: String },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl CommandError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Load(_)
            | Self::Usage(_)
            | Self::UnknownItem { .. }
            | Self::Unreadable { .. }
            | Self::Fatal(Fatal::Selection(_)) => Exit::Invalid,
            Self::State(error) | Self::Fatal(Fatal::State(error)) if error.is_locked_or_damaged() => Exit::State,
            Self::State(_) | Self::Fatal(_) | Self::Unreachable { .. } => Exit::Fatal,
            Self::NoState { .. } | Self::Write { .. } | Self::Output(_) => Exit::Uncategorised,
            Self::Stale { .. } | Self::StalePlan { .. } => Exit::Stale,
            Self::PlanFile(error) if error.is_of_writing() => Exit::Uncategorised,
            Self::PlanFile(_) => Exit::Invalid,
        }
    }
}

fn lines(reasons: &[String]) -> String {
    reasons.iter().map(|reason| format!("\n  {reason}")).collect()
}

fn did_you_mean(closest: Option<&str>) -> String {
    closest.map_or_else(String::new, |closest| format!("; did you mean `{closest}`?"))
}

fn stale(changes: &[Change], vars: &[String], accept: &str) -> String {
    let mut text = "the job is defined otherwise than when its state was begun:".to_owned();
    for change in changes {
        text.push_str(&format!("\n  stage `{}`: {}", change.stage, change.consequence));
    }
    for var in vars {
        text.push_str(&format!("\n  {var}"));
    }
    text.push_str(&format!(
        "\n`{accept} --accept-changes` keeps what is done and goes on with the new definition; `{accept} --restart` forgets \
         the state and begins anew, of all items"
    ));
    text
}
