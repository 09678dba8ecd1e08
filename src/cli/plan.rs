//! `plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands;

use super::{Job, Output, Selection};

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    selection: Selection,
    /// Draw the graph of stages alone, without asking anything
    #[arg(long, value_name = "FORMAT")]
    graph: Option<Graph>,
    /// Ask the source for sizes that the lists do not tell
    #[arg(long)]
    sizes: bool,
    /// Show the decision about every file, not only a sample; of tables, every column and statement
    #[arg(long, conflicts_with = "graph")]
    files: bool,
    /// Count the rows of tables instead of trusting the catalogue's estimate
    #[arg(long, conflicts_with = "graph")]
    exact: bool,
    /// Of tables: look at every row for values that do not go over as they are, and count them
    #[arg(long, conflicts_with = "graph")]
    probe: bool,
    /// Keep the plan in this file: `run --plan FILE` does what it says and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "graph")]
    out: Option<PathBuf>,
    /// Exit 0 when there is nothing to do, 2 when there is
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Graph {
    Tree,
    Mermaid,
    Dot,
}

impl From<Plan> for commands::PlanArguments {
    fn from(plan: Plan) -> Self {
        Self {
            job: plan.job.into(),
            output: plan.output.into(),
            selection: plan.selection.into(),
            graph: plan.graph.map(|graph| match graph {
                Graph::Tree => commands::GraphArgument::Tree,
                Graph::Mermaid => commands::GraphArgument::Mermaid,
                Graph::Dot => commands::GraphArgument::Dot,
            }),
            sizes: plan.sizes,
            files: plan.files,
            exact: plan.exact,
            probe: plan.probe,
            out: plan.out,
            detailed_exitcode: plan.detailed_exitcode,
        }
    }
}
