//! The command line: the only file that knows clap. Turns flags into the plain argument structs of `commands`, and an answer into an exit
//! code.

mod completions;
mod plan;
mod records;
mod run;
mod state;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::{self, CommandError, Exit, JobArguments, OutputArguments};
use crate::model::parse_duration;

use completions::{Completions, completions};
use plan::Plan;
use records::{Cleanup, History, Report, Retry, Why};
use run::Run;
use state::State;

/// Runs bulk-data jobs that are written down as specs: validates, plans, runs, resumes, verifies.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a job, going on where an earlier run stopped
    Run(Run),
    /// Show what a run would do, without doing it
    Plan(Plan),
    /// Check a spec without touching the network
    Validate(Validate),
    /// Show where a run stands, also while it goes on
    Status(Status),
    /// Show a run on the whole terminal until it ends
    Watch(Watch),
    /// Check the ledger against the sink
    Verify(Verify),
    /// List what has failed, by class and code
    Failures(Failures),
    /// Show why an item stands as it does: attempts, failures, files, what is owed
    Why(Why),
    /// List the runs, and the items by where they stand
    History(History),
    /// Show where a job stands after its last run, without running it
    Report(Report),
    /// Put what failed back to pending, also what was refused, and run
    Retry(Retry),
    /// Remove what the state does not need any more
    Cleanup(Cleanup),
    /// Examine, rebuild, export or change the state of a job
    #[command(subcommand)]
    State(State),
    /// Print the JSON schema of job specs, or write both schemas
    Schema {
        /// Write job.schema.json and connections.schema.json into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print the script that completes this command line in a shell
    Completions(Completions),
    /// Write a commented starting spec
    Init {
        /// The spec to write
        #[arg(default_value = "jobs/new-job.yaml")]
        spec: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Job {
    /// The job's spec (YAML or TOML)
    spec: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// In which environment a job is run.
#[derive(Debug, Args)]
struct Place {
    /// Which connections to use, from connections.toml beside the spec; `local` when none is named
    #[arg(long, env = "PIPELINE_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    /// Set a variable of the spec; may be given several times
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    vars: Vec<(String, String)>,
    /// Set a value of the spec, as in `concurrency.items.limit=30`; may be given several times. PIPELINE_SET has some as well, with `;` between them
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<String>,
    /// Keep the state in this folder
    #[arg(long, env = "PIPELINE_STATE", value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Output {
    /// One JSON document on stdout
    #[arg(long, env = "PIPELINE_JSON")]
    json: bool,
}

#[derive(Debug, Args)]
struct Selection {
    /// Only items whose key matches
    #[arg(long, value_name = "GLOB")]
    only: Option<String>,
    /// Begin with the item that has this key
    #[arg(long, value_name = "KEY")]
    start_from: Option<String>,
    /// At most this many items
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

#[derive(Debug, Args)]
struct Validate {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
    /// Make one cheap call to each connection as well
    #[arg(long)]
    connect: bool,
}

#[derive(Debug, Args)]
struct Status {
    /// The job's spec; without it, every job that has been run below this folder
    spec: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
    /// Show it again and again until the run has ended
    #[arg(short, long)]
    follow: bool,
    /// Time between two looks
    #[arg(long, default_value = "2s", value_name = "DURATION", value_parser = parse_duration)]
    every: Duration,
}

#[derive(Debug, Args)]
struct Watch {
    #[command(flatten)]
    job: Job,
    /// Time between two looks
    #[arg(long, default_value = "5s", value_name = "DURATION", value_parser = parse_duration)]
    refresh: Duration,
    /// Show it once, as happens without a terminal
    #[arg(long)]
    once: bool,
}

#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
    /// Check this many files drawn at random instead of all
    #[arg(long, value_name = "N")]
    sample: Option<u64>,
    /// Read the bytes back and compare their hash with the ledger's
    #[arg(long)]
    checksum: bool,
    /// The least share of files, or tables, that must be as they should
    #[arg(long, default_value = "100%", value_name = "PERCENT", value_parser = percent)]
    min: f64,
    /// Write the files that differ to this CSV file
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Put files that are missing, and tables that differ, back to pending, for the next run
    #[arg(long)]
    reopen: bool,
}

#[derive(Debug, Args)]
struct Failures {
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    output: Output,
    /// How many of each kind are shown
    #[arg(long, default_value_t = 10, value_name = "N")]
    show: usize,
    /// Write all of them to this file: a JSON array where it is named .json, otherwise CSV
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl From<Job> for JobArguments {
    fn from(Job { spec, place }: Job) -> Self {
        place.of(spec)
    }
}

impl Place {
    fn of(self, spec: PathBuf) -> JobArguments {
        let Self {
            profile,
            vars,
            settings,
            state,
        } = self;
        // The last one of a path counts: a flag comes behind the variable.
        let of_environment = std::env::var("PIPELINE_SET").unwrap_or_default();
        let of_environment = of_environment
            .split(';')
            .map(str::trim)
            .filter(|setting| !setting.is_empty());
        let settings = of_environment.map(str::to_owned).chain(settings).collect();
        JobArguments {
            spec,
            profile: profile.unwrap_or_else(|| commands::DEFAULT_PROFILE.to_owned()),
            vars,
            settings,
            fresh: false,
            state,
        }
    }
}

impl From<Selection> for commands::SelectionArguments {
    fn from(
        Selection {
            only,
            start_from,
            limit,
        }: Selection,
    ) -> Self {
        Self {
            only,
            start_from,
            limit,
        }
    }
}

impl From<Output> for OutputArguments {
    fn from(Output { json }: Output) -> Self {
        Self { json }
    }
}

/// Parses the command line, runs the command, and tells how it ended.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // The command line could not be read, so the flag is looked for as it stands there.
        Err(error) if error.use_stderr() && std::env::args_os().any(|argument| argument == DETAILED_EXITCODE) => {
            // There is nobody left to tell that stderr is gone.
            let _ = error.print();
            return ExitCode::from(Exit::Uncategorised.code());
        }
        Err(error) => error.exit(),
    };
    let is_detailed = cli.command.has_detailed_exitcode();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&CommandError::Output(error)),
    };
    let answer = runtime.block_on(execute(cli.command));
    // Blocking work that nobody waits for any more must not hold the process back.
    runtime.shutdown_timeout(Duration::from_secs(2));
    match answer {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) if is_detailed => {
            fail(&error);
            ExitCode::from(Exit::Uncategorised.code())
        }
        Err(error) => fail(&error),
    }
}

/// With this flag 2 means "work to do", so that every error is 1.
const DETAILED_EXITCODE: &str = "--detailed-exitcode";

impl Command {
    fn has_detailed_exitcode(&self) -> bool {
        match self {
            Self::Plan(plan) => plan.detailed_exitcode,
            Self::Run(run) => run.detailed_exitcode,
            _ => false,
        }
    }
}

fn fail(error: &CommandError) -> ExitCode {
    commands::explain(error, std::io::stderr().is_terminal());
    ExitCode::from(error.exit().code())
}

async fn execute(command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Run(run) if run.dry_run => commands::plan(&run.into()).await,
        Command::Run(run) => commands::run(&run.into()).await,
        Command::Plan(plan) => commands::plan(&plan.into()).await,
        Command::Validate(Validate { job, output, connect }) => {
            let (job, output) = (job.into(), output.into());
            commands::validate(&commands::ValidateArguments { job, output, connect }).await
        }
        Command::Status(Status {
            spec,
            place,
            output,
            follow,
            every,
        }) => {
            let job = spec.map(|spec| place.of(spec));
            let output = output.into();
            commands::status(&commands::StatusArguments {
                job,
                output,
                follow,
                every,
            })
            .await
        }
        Command::Watch(Watch { job, refresh, once }) => {
            let job = job.into();
            commands::watch(&commands::WatchArguments { job, refresh, once }).await
        }
        Command::Verify(verify) => commands::verify(&verify.into()).await,
        Command::Failures(Failures {
            job,
            output,
            show,
            export,
        }) => {
            let (job, output) = (job.into(), output.into());
            commands::failures(&commands::FailuresArguments {
                job,
                output,
                examples: show,
                export,
            })
            .await
        }
        Command::Why(why) => commands::why(&why.into()).await,
        Command::History(history) => commands::history(&history.into()).await,
        Command::Report(report) => commands::report(&report.into()).await,
        Command::Retry(retry) => commands::retry(&retry.into()).await,
        Command::Completions(shell) => completions(&shell),
        Command::Cleanup(cleanup) => commands::cleanup(&cleanup.into()).await,
        Command::State(state) => state.execute().await,
        Command::Schema { out } => commands::schema(&commands::SchemaArguments { folder: out }),
        Command::Init { spec } => commands::init(&commands::InitArguments { spec }),
    }
}

impl From<Verify> for commands::VerifyArguments {
    fn from(verify: Verify) -> Self {
        Self {
            job: verify.job.into(),
            output: verify.output.into(),
            sample: verify.sample,
            checksum: verify.checksum,
            minimum_percent: verify.min,
            export: verify.export,
            reopen: verify.reopen,
        }
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let percent: f64 = number
        .parse()
        .map_err(|_| format!("`{text}` is not a percentage, as in `99%`"))?;
    if (0.0..=100.0).contains(&percent) {
        Ok(percent)
    } else {
        Err(format!("`{text}` is not between 0% and 100%"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_percentage_needs_no_sign_and_has_bounds() {
        assert_eq!(percent("99%"), Ok(99.0));
        assert_eq!(percent("99.5"), Ok(99.5));
        assert!(percent("101%").is_err() && percent("many").is_err());
    }
}
