use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::{RunReport, Visit};
use crate::model::{Failure, PlanHeader, PlannedListing, Timestamp, format_count};
use crate::plan::{changes, fingerprints, planned};
use crate::report::{FailureGroups, shown};
use crate::resolve::{ResolvedJob, Work};
use crate::state::{PlanFile, PlanFileError, PlanFileWriter};

use super::output::say;
use super::{CommandError, JobArguments, RunArguments, SelectionArguments};

/// Which plan is to be carried out, and what was said of the job besides.
#[derive(Clone, Debug)]
pub struct PlanToRun {
    pub file: PathBuf,
    /// Instead of the spec that the plan names.
    pub spec: Option<PathBuf>,
    /// Has to be the plan's own.
    pub profile: Option<String>,
}

/// Keeps a plan while it is made. The first failure to write is told at the end: a preview does not stop half-way.
pub(super) struct PlanKeeper {
    writer: PlanFileWriter,
    written: Result<(), PlanFileError>,
}

impl PlanKeeper {
    pub(super) fn create(
        path: &Path,
        arguments: &JobArguments,
        selection: &SelectionArguments,
        job: &ResolvedJob,
    ) -> Result<Self, CommandError> {
        let header = PlanHeader {
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            made: Timestamp::now(),
            job: job.name.clone(),
            spec_path: arguments.spec.display().to_string(),
            profile: job.profile.clone(),
            assignments: arguments.vars.clone(),
            settings: arguments.settings.clone(),
            vars: job.kept_vars(),
            state: arguments.state.as_ref().map(|state| state.display().to_string()),
            fingerprints: fingerprints(job),
            mode: mode_of(job).to_owned(),
            only: selection.only.clone(),
            start_from: selection.start_from.clone(),
            limit: selection.limit.map(|limit| limit as u64),
        };
        Ok(Self {
            writer: PlanFileWriter::create(path, &header)?,
            written: Ok(()),
        })
    }

    pub(super) fn keep(&mut self, visit: Visit<'_>) {
        if self.written.is_err() {
            return;
        }
        match visit {
            Visit::Item(key) => self.written = self.writer.begin(key, PlannedListing::Listed),
            Visit::Completed => self.writer.listed(PlannedListing::Completed),
            Visit::Unreadable => self.writer.listed(PlannedListing::Unreadable),
            Visit::Unit(unit) => {
                if let Some(unit) = planned(unit) {
                    self.written = self.writer.add(unit);
                }
            }
        }
    }

    /// Puts the file under its name. Returns how many files it has decisions about.
    pub(super) fn finish(self) -> Result<u64, CommandError> {
        self.written?;
        Ok(self.writer.finish()?)
    }
}

/// A plan that is carried out.
pub(super) struct PlannedRun {
    pub file: Arc<PlanFile>,
    /// The command that makes it anew.
    pub remake: String,
}

impl PlannedRun {
    /// Reads the plan, and makes of the arguments those that the plan was made with.
    pub(super) fn open(asked: &PlanToRun, arguments: &RunArguments) -> Result<(Self, RunArguments), CommandError> {
        let file = PlanFile::open(&asked.file)?;
        let header = file.header();
        let name = asked.file.display();
        if let Some(profile) = asked.profile.as_ref().filter(|profile| **profile != header.profile) {
            return Err(CommandError::Usage(format!(
                "`--profile {profile}`: the plan `{name}` was made for profile `{}`; leave the flag out, or make a plan for that profile",
                header.profile
            )));
        }
        for (var, value) in &arguments.job.vars {
            let planned = header.vars.get(var);
            if planned != Some(value) {
                let planned = planned.map_or("no such variable".to_owned(), |planned| format!("`{var}={planned}`"));
                return Err(CommandError::Usage(format!(
                    "`--var {var}=…`: the plan `{name}` was made with {planned}; leave the flag out, or make a plan with that value"
                )));
            }
        }
        let mut arguments = arguments.clone();
        arguments.job.spec = asked.spec.clone().unwrap_or_else(|| PathBuf::from(&header.spec_path));
        arguments.job.profile = header.profile.clone();
        arguments.job.vars = header.assignments.clone();
        // What is set for the run alone comes behind, and counts.
        arguments.job.settings.splice(..0, header.settings.iter().cloned());
        if arguments.job.state.is_none() {
            arguments.job.state = header.state.as_ref().map(PathBuf::from);
        }
        arguments.selection = SelectionArguments {
            only: header.only.clone(),
            start_from: header.start_from.clone(),
            limit: header.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        };
        let remake = remake(&arguments, &asked.file);
        let file = Arc::new(file);
        Ok((Self { file, remake }, arguments))
    }

    /// Refuses a plan of a job that is defined otherwise now: then nothing is run.
    pub(super) fn check(&self, job: &ResolvedJob) -> Result<(), CommandError> {
        let header = self.file.header();
        let mut reasons = Vec::new();
        if header.job != job.name {
            reasons.push(format!(
                "it is of job `{}`, and the spec is of `{}`",
                header.job, job.name
            ));
        }
        let vars = job.kept_vars();
        for name in header
            .vars
            .keys()
            .chain(vars.keys().filter(|name| !header.vars.contains_key(*name)))
        {
            if header.vars.get(name) != vars.get(name) {
                reasons.push(format!("the variable `{name}` has another value"));
            }
        }
        if reasons.is_empty() {
            let changed = changes(&header.fingerprints, &fingerprints(job)).into_iter();
            reasons.extend(changed.map(|change| format!("stage `{}` is defined otherwise", change.stage)));
        }
        let mode = mode_of(job);
        if header.mode != mode {
            reasons.push(format!("`sink.mode` was `{}` and is `{mode}`", header.mode));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        Err(CommandError::StalePlan {
            path: self.file.path().to_owned(),
            reasons,
            remake: self.remake.clone(),
        })
    }

    /// Names what was left alone because it is not as the plan has it.
    pub(super) fn tell(&self, report: &RunReport, failures: &FailureGroups) {
        let path = self.file.path().display();
        if report.drifted > 0 {
            let count = format_count(report.drifted);
            say(format_args!(
                "error: what the plan `{path}` decided on has changed; left alone: {count}"
            ));
            let drifted = failures
                .groups()
                .into_iter()
                .filter(|group| group.code == Failure::DRIFTED);
            for group in drifted {
                group
                    .examples
                    .iter()
                    .for_each(|failed| say(format_args!("  {}", shown(&failed.line()))));
                let hidden = group.count.saturating_sub(group.examples.len() as u64);
                if hidden > 0 {
                    say(format_args!("  and {} more", format_count(hidden)));
                }
            }
        }
        let vanished = &report.vanished;
        if vanished.count > 0 {
            let keys = shown(&vanished.keys.join("`, `")).into_owned();
            let hidden = vanished.count.saturating_sub(vanished.keys.len() as u64);
            let more = if hidden > 0 {
                format!(" and {} more", format_count(hidden))
            } else {
                String::new()
            };
            say(format_args!(
                "error: in the plan `{path}` and not in the item list any more: `{keys}`{more}"
            ));
        }
    }
}

/// Whether anything is not as the plan has it.
pub(super) fn has_drifted(report: &RunReport) -> bool {
    report.drifted + report.vanished.count > 0
}

fn remake(arguments: &RunArguments, file: &Path) -> String {
    let mut line = arguments.job.command_line();
    let selection = &arguments.selection;
    let limit = selection.limit.map(|limit| limit.to_string());
    for (flag, value) in [
        ("--only", &selection.only),
        ("--start-from", &selection.start_from),
        ("--limit", &limit),
    ] {
        if let Some(value) = value {
            line = line.option(flag, value);
        }
    }
    line.option("--out", &file.display().to_string()).command("plan")
}

/// What happens to what is at the sink already.
fn mode_of(job: &ResolvedJob) -> &'static str {
    match &job.work {
        Work::Files(work) => work.sink.mode.name(),
        Work::Tables(work) => work.sink.mode.name(),
    }
}
