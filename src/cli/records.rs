//! The commands about what the state has recorded.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands;

use super::{Job, Output};

#[derive(Debug, Args)]
pub struct Why {
    #[command(flatten)]
    job: Job,
    /// The item's key
    item: String,
    #[command(flatten)]
    output: Output,
    /// How many files are shown; those with something left to do come first
    #[arg(long, default_value_t = 100, value_name = "N")]
    show: usize,
}

#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
    /// List the items that stand like this
    #[arg(long, value_name = "STATUS")]
    status: Option<ItemStatus>,
    /// List the item with this key
    #[arg(long, value_name = "KEY")]
    item: Option<String>,
    /// How many items are listed
    #[arg(long, default_value_t = 100, value_name = "N")]
    show: usize,
}

#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub struct Retry {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
    /// Only the failures that this file names, as `failures --export` or `verify --export` wrote it
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Go on with a changed spec, keeping what is done
    #[arg(long)]
    accept_changes: bool,
    /// Nothing but the result
    #[arg(short, long, env = "PIPELINE_QUIET")]
    quiet: bool,
    /// No bars and no progress lines
    #[arg(long, env = "PIPELINE_NO_PROGRESS")]
    no_progress: bool,
}

#[derive(Debug, Args)]
pub struct Cleanup {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
    /// How many journals are kept, the newest ones
    #[arg(long, default_value_t = 10, value_name = "N")]
    keep_journals: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ItemStatus {
    Completed,
    Failed,
    Pending,
    Skipped,
}

impl From<Why> for commands::WhyArguments {
    fn from(why: Why) -> Self {
        Self {
            job: why.job.into(),
            output: why.output.into(),
            item: why.item,
            shown_max: why.show,
        }
    }
}

impl From<History> for commands::HistoryArguments {
    fn from(history: History) -> Self {
        Self {
            job: history.job.into(),
            output: history.output.into(),
            status: history.status.map(|status| match status {
                ItemStatus::Completed => commands::StatusArgument::Completed,
                ItemStatus::Failed => commands::StatusArgument::Failed,
                ItemStatus::Pending => commands::StatusArgument::Pending,
                ItemStatus::Skipped => commands::StatusArgument::Skipped,
            }),
            item: history.item,
            shown_max: history.show,
        }
    }
}

impl From<Report> for commands::ReportArguments {
    fn from(Report { job, output }: Report) -> Self {
        Self {
            job: job.into(),
            output: output.into(),
        }
    }
}

impl From<Retry> for commands::RetryArguments {
    fn from(retry: Retry) -> Self {
        let mut job = commands::JobArguments::from(retry.job);
        job.fresh = retry.accept_changes;
        Self {
            run: commands::RunArguments {
                job,
                output: retry.output.into(),
                no_failed: false,
                selection: commands::SelectionArguments::default(),
                skip: Vec::new(),
                stage: None,
                fail_fast: false,
                max_failures: None,
                max_duration: None,
                accept_changes: retry.accept_changes,
                restart: false,
                yes: false,
                quiet: retry.quiet,
                no_progress: retry.no_progress,
                plan: None,
            },
            from: retry.from,
        }
    }
}

impl From<Cleanup> for commands::CleanupArguments {
    fn from(cleanup: Cleanup) -> Self {
        Self {
            job: cleanup.job.into(),
            output: cleanup.output.into(),
            journals_kept: cleanup.keep_journals,
        }
    }
}
