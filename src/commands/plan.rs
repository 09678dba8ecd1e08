use std::sync::Arc;

use crate::engine::{PreviewOptions, Stop, preview};
use crate::plan::{UnitDecision, changes, compile, fingerprints};
use crate::report::{GraphFormat, PlanReport, decision_json, decision_line, graph};
use crate::state::State;

use super::output::say;
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
    /// Show the decision about every file.
    pub files: bool,
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
    if let Some(before) = state.as_deref().map(State::fingerprints).transpose()?.flatten() {
        let changes = changes(&before, &fingerprints(&job));
        if !changes.is_empty() {
            let accept = arguments.job.command_line().command("run");
            say(format_args!("warning: {}", CommandError::Stale { changes, accept }));
        }
    }
    let options = PreviewOptions {
        sizes: arguments.sizes,
        selection: arguments.selection.selection()?,
    };
    let mut files = Vec::new();
    let mut shown = Ok(());
    let visit = |unit: &UnitDecision| match (arguments.files, arguments.output.json) {
        (false, _) => {}
        (true, true) => files.push(decision_json(unit)),
        (true, false) if shown.is_ok() => {
            shown = arguments.output.print(decision_line(unit), || serde_json::Value::Null);
        }
        (true, false) => {}
    };
    let inventory = preview(&job, state, options, &Stop::default(), visit).await?;
    shown?;
    let command_line = arguments.job.command_line();
    let report = PlanReport {
        plan: &plan,
        inventory: &inventory,
        sizes_asked: arguments.sizes,
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
