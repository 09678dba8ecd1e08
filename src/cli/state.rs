//! The commands about the state itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::commands::{self, CommandError, Exit};

use super::{Job, Output};

#[derive(Debug, Subcommand)]
pub enum State {
    /// Examine the state without changing it
    Doctor(StateOf),
    /// Make a new database from the sealed pages; the damaged one is moved aside
    Rebuild(StateOf),
    /// Write the ledger to a file: every file with its size, hash, status and failure
    Export(Export),
    /// Count files as present that something else has brought to the sink
    Import(Import),
    /// Set an item aside: no run takes it up, and nothing of it is left to do
    Skip(Skip),
    /// Show who holds the state, and remove the name of one who is gone
    Unlock(StateOf),
}

#[derive(Debug, Args)]
pub struct StateOf {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    of: StateOf,
    /// The file to write: CSV, JSON lines, or a database with the tables items, files and runs, by its ending .csv, .jsonl or .sqlite
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Import {
    #[command(flatten)]
    of: StateOf,
    /// A CSV file with the columns item, target and, where they are known, size
    #[arg(long, value_name = "FILE")]
    done: PathBuf,
}

#[derive(Debug, Args)]
pub struct Skip {
    #[command(flatten)]
    job: Job,
    /// The item's key
    item: String,
    #[command(flatten)]
    output: Output,
    /// Take it up again
    #[arg(long)]
    undo: bool,
    /// Set a table aside though keys that were taken away for it are not back at the sink
    #[arg(long, conflicts_with = "undo")]
    forget_keys: bool,
}

impl State {
    pub async fn execute(self) -> Result<Exit, CommandError> {
        match self {
            Self::Doctor(of) => commands::doctor(&of.into()),
            Self::Rebuild(of) => commands::rebuild(&of.into()),
            Self::Export(Export { of, out }) => {
                let (job, output) = (of.job.into(), of.output.into());
                commands::state_export(&commands::StateExportArguments { job, output, out }).await
            }
            Self::Import(Import { of, done }) => {
                let (job, output) = (of.job.into(), of.output.into());
                commands::state_import(&commands::StateImportArguments { job, output, done }).await
            }
            Self::Skip(Skip {
                job,
                item,
                output,
                undo,
                forget_keys,
            }) => {
                let (job, output) = (job.into(), output.into());
                commands::state_skip(&commands::StateSkipArguments {
                    job,
                    output,
                    item,
                    undo,
                    forget_keys,
                })
                .await
            }
            Self::Unlock(of) => {
                let (job, output) = (of.job.into(), of.output.into());
                commands::state_unlock(&commands::StateUnlockArguments { job, output })
            }
        }
    }
}

impl From<StateOf> for commands::StateArguments {
    fn from(StateOf { job, output }: StateOf) -> Self {
        Self {
            job: job.into(),
            output: output.into(),
        }
    }
}
