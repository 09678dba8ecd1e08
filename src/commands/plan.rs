use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::{PreviewOptions, Stop, TableLook, Visit, preview, preview_tables};
use crate::plan::{Plan, changes, compile, fingerprints};
use crate::report::{GraphFormat, PlanReport, TablePlanReport, counted, decision_json, decision_line, graph};
use crate::resolve::{KnownJob, TableJob};
use crate::state::{Scratch, State};

use super::job_vars::changed_vars;
use super::output::say;
use super::plan_file::PlanKeeper;
use super::{CommandError, Exit, JobArguments, OutputArguments, SelectionArguments};

/// `pipeline plan`
#[derive(Clone, Debug)]
pub struct PlanArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    pub selection: SelectionArguments,
    /// The graph alone, without asking anything.
    pub graph: Option<GraphArgument>,
    /// Ask the source for sizes that the lists do not tell.
    pub sizes: bool,
    /// Show the decision about every file, or of tables every column and statement.
    pub files: bool,
    /// Count the rows of tables.
    pub exact: bool,
    /// Look at every row of tables for values that do not go over as they are.
    pub probe: bool,
    /// Keep the plan in this file, for `run --plan`.
    pub out: Option<PathBuf>,
    /// Exit 2 when there is work to do.
    pub detailed_exitcode: bool,
}

/// How a graph is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphArgument {
    Tree,
    Mermaid,
    Dot,
}

/// Shows what a run would do, by the same decisions, without doing it.
pub async fn plan(arguments: &PlanArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let plan = compile(&job);
    if let Some(format) = arguments.graph {
        let format = match format {
            GraphArgument::Tree => GraphFormat::Tree,
            GraphArgument::Mermaid => GraphFormat::Mermaid,
            GraphArgument::Dot => GraphFormat::Dot,
        };
        let drawn = graph(&plan, format);
        arguments
            .output
            .print(&drawn, || serde_json::Value::String(drawn.clone()))?;
        return Ok(Exit::Done);
    }
    let state = if arguments.job.state_folder(&job).exists() {
        Some(Arc::new(arguments.job.open_state(&job, "plan")?))
    } else {
        None
    };
    let begun = match state.as_deref() {
        Some(state) if state.has_items()? => state.fingerprints()?,
        _ => None,
    };
    if let Some(before) = begun {
        let changes = changes(&before, &fingerprints(&job));
        if !changes.is_empty() {
            let accept = arguments.job.command_line().command("run");
            let vars = match &state {
                Some(state) => changed_vars(&job, state)?,
                None => Vec::new(),
            };
            if arguments.out.is_some() {
                // A run would refuse it, so that a plan for it is of no use.
                return Err(CommandError::Stale { changes, vars, accept });
            }
            say(format_args!(
                "warning: {}",
                CommandError::Stale { changes, vars, accept }
            ));
        }
    }
    let options = PreviewOptions {
        sizes: arguments.sizes || arguments.out.is_some(),
        versions: arguments.out.is_some(),
        selection: arguments.selection.selection()?,
    };
    let job_of_files = match job.clone().known() {
        KnownJob::Files(job) => job,
        KnownJob::Tables(job) => return plan_tables(arguments, &plan, &job, state.as_deref()).await,
    };
    let mut keeper = match &arguments.out {
        None => None,
        Some(path) => Some(PlanKeeper::create(path, &arguments.job, &arguments.selection, &job)?),
    };
    let mut files = Vec::new();
    let mut shown = Ok(());
    let visit = |visit: Visit<'_>| {
        if let Some(keeper) = &mut keeper {
            keeper.keep(visit);
        }
        match (visit, arguments.output.json) {
            (Visit::Unit(unit), true) if arguments.files => files.push(decision_json(unit)),
            (Visit::Unit(unit), false) if arguments.files && shown.is_ok() => {
                shown = arguments.output.print(decision_line(unit), || serde_json::Value::Null);
            }
            _ => {}
        }
    };
    let scratch = Scratch::beside(&arguments.job.state_folder(&job));
    let inventory = preview(&job_of_files, state, options, scratch, &Stop::default(), visit).await?;
    shown?;
    if let (Some(keeper), Some(path)) = (keeper, &arguments.out) {
        let kept = counted(keeper.finish()?, "file", "files");
        say(format_args!(
            "the decisions about {kept} are kept in `{}`",
            path.display()
        ));
    }
    let command_line = arguments.job.command_line();
    let report = PlanReport {
        plan: &plan,
        inventory: &inventory,
        sizes_asked: arguments.sizes || arguments.out.is_some(),
        kept_in: arguments.out.as_deref(),
        command_line: &command_line,
    };
    let document = || {
        let mut document = report.to_json();
        if let (true, Some(object)) = (arguments.files, document.as_object_mut()) {
            object.insert("files".to_owned(), serde_json::Value::Array(files));
        }
        document
    };
    arguments.output.print(report, document)?;
    Ok(match (arguments.detailed_exitcode, inventory.has_work()) {
        (true, true) => Exit::WorkToDo,
        _ => Exit::Done,
    })
}

/// What would happen to tables.
async fn plan_tables(
    arguments: &PlanArguments,
    plan: &Plan,
    job: &TableJob,
    state: Option<&State>,
) -> Result<Exit, CommandError> {
    if arguments.out.is_some() {
        return Err(CommandError::Usage(
            "`--out` keeps the plans of jobs of files; a job of tables is planned anew by each run".to_owned(),
        ));
    }
    let selection = arguments.selection.selection()?;
    let look = TableLook {
        exact: arguments.exact,
        probe: arguments.probe,
    };
    let preview = preview_tables(job, state, &selection, look).await?;
    let command_line = arguments.job.command_line();
    let report = TablePlanReport {
        plan,
        tables: &preview.decisions,
        unused_patterns: &preview.unused_patterns,
        is_detailed: arguments.files,
        command_line: &command_line,
    };
    arguments.output.print(report, || report.to_json())?;
    Ok(match (arguments.detailed_exitcode, report.has_work()) {
        (true, true) => Exit::WorkToDo,
        _ => Exit::Done,
    })
}
