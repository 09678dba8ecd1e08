//! `run`, which is also a plan when it is dry.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::commands;
use crate::model::parse_duration;

use super::{Output, Place, Selection};

#[derive(Debug, Args)]
pub struct Run {
    /// The job's spec (YAML or TOML); with --plan, instead of the one that the plan names
    #[arg(required_unless_present = "plan")]
    spec: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
    /// Show what would be done, as `plan` does
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// With --dry-run: ask the source for sizes that the lists do not tell
    #[arg(long, requires = "dry_run")]
    sizes: bool,
    /// With --dry-run: show the decision about every file, not only a sample
    #[arg(long, requires = "dry_run")]
    files: bool,
    /// With --dry-run: exit 2 when there is work to do
    #[arg(long, requires = "dry_run")]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    selection: Selection,
    /// Do what this plan says and nothing else, as `plan --out` wrote it; what has changed since is left alone
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "dry_run", "only", "start_from", "limit", "no_failed", "skip", "stage", "accept_changes", "restart",
        ]
    )]
    plan: Option<PathBuf>,
    /// Leave what failed in earlier runs as it is
    #[arg(long, env = "PIPELINE_NO_FAILED")]
    no_failed: bool,
    /// Leave a step out, such as `notify`; may be given several times
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Do this stage alone: `copy`, or a step, which then also makes up what was left out
    #[arg(long, value_name = "STAGE", conflicts_with = "skip")]
    stage: Option<String>,
    /// Stop at the first failure
    #[arg(long, conflicts_with = "max_failures")]
    fail_fast: bool,
    /// Stop after this many failures
    #[arg(long, env = "PIPELINE_MAX_FAILURES", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_failures: Option<u64>,
    /// Stop after this time, finishing what is in flight
    #[arg(long, env = "PIPELINE_MAX_DURATION", value_name = "DURATION", value_parser = parse_duration)]
    max_duration: Option<Duration>,
    /// Go on with a changed spec, keeping what is done
    #[arg(long)]
    accept_changes: bool,
    /// Forget what is done and begin anew; of tables, with `--only` and its kin, the selected ones
    #[arg(long, conflicts_with = "dry_run")]
    restart: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Nothing but the result
    #[arg(short, long, env = "PIPELINE_QUIET")]
    quiet: bool,
    /// No bars and no progress lines
    #[arg(long, env = "PIPELINE_NO_PROGRESS")]
    no_progress: bool,
}

impl From<Run> for commands::RunArguments {
    fn from(run: Run) -> Self {
        let plan = run.plan.map(|file| commands::PlanToRun {
            file,
            spec: run.spec.clone(),
            profile: run.place.profile.clone(),
        });
        // Without a spec there is a plan, which names one.
        let mut job = run.place.of(run.spec.unwrap_or_default());
        let selection = commands::SelectionArguments::from(run.selection);
        // A part that is done again goes by what the state was begun with.
        job.fresh = run.accept_changes || run.restart && selection.takes_all();
        Self {
            plan,
            job,
            output: run.output.into(),
            no_failed: run.no_failed,
            selection,
            skip: run.skip,
            stage: run.stage,
            fail_fast: run.fail_fast,
            max_failures: run.max_failures,
            max_duration: run.max_duration,
            accept_changes: run.accept_changes,
            restart: run.restart,
            yes: run.yes,
            quiet: run.quiet,
            no_progress: run.no_progress,
        }
    }
}

/// A dry run: what a plan shows.
impl From<Run> for commands::PlanArguments {
    fn from(run: Run) -> Self {
        Self {
            job: run.place.of(run.spec.unwrap_or_default()),
            output: run.output.into(),
            selection: run.selection.into(),
            graph: None,
            sizes: run.sizes,
            files: run.files,
            exact: false,
            probe: false,
            out: None,
            detailed_exitcode: run.detailed_exitcode,
        }
    }
}
