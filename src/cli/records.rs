//! The commands that look at what the state has recorded.

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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ItemStatus {
    Completed,
    Failed,
    Pending,
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
            }),
            item: history.item,
            shown_max: history.show,
        }
    }
}
