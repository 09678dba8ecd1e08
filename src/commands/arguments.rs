use std::path::{Path, PathBuf};

use crate::engine::Selection;
use crate::model::redact;
use crate::report::{CommandLine, shown};
use crate::resolve::{FileJob, KnownJob, LoadOptions, ResolvedJob, load, peek};
use crate::spec::Environment;
use crate::state::{Holder, Identity, State, StateFolder, last_vars};

use super::CommandError;
use super::output::say;

/// Which job, in which environment: what every command about a job takes.
#[derive(Clone, Debug)]
pub struct JobArguments {
    pub spec: PathBuf,
    pub profile: String,
    /// `name=value`, in the order of the command line.
    pub vars: Vec<(String, String)>,
    /// `path=value`, in the order in which they count.
    pub settings: Vec<String>,
    /// Take the variables from the spec and the command line alone, not from the state.
    pub fresh: bool,
    /// Instead of `.pipeline/<job>/<profile>` beside the specs.
    pub state: Option<PathBuf>,
}

/// Which items of the list a command is about.
#[derive(Clone, Debug, Default)]
pub struct SelectionArguments {
    /// A glob over keys.
    pub only: Option<String>,
    /// The key of the first item.
    pub start_from: Option<String>,
    /// The most items.
    pub limit: Option<usize>,
}

impl SelectionArguments {
    pub fn selection(&self) -> Result<Selection, CommandError> {
        Selection::new(self.only.as_deref(), self.start_from.clone(), self.limit).map_err(CommandError::Usage)
    }

    /// Whether nothing is left out.
    pub fn takes_all(&self) -> bool {
        self.only.is_none() && self.start_from.is_none() && self.limit.is_none()
    }
}

/// The profile when none is named.
pub const DEFAULT_PROFILE: &str = "local";

impl JobArguments {
    /// Loads a job of files, for a command that knows no others.
    pub fn load_files(&self, command: &str) -> Result<FileJob, CommandError> {
        match self.load()?.known() {
            KnownJob::Files(job) => Ok(job),
            KnownJob::Tables(job) => Err(CommandError::Usage(format!(
                "`{command}` is about files, and the job `{}` moves tables",
                job.name
            ))),
        }
    }

    pub fn load(&self) -> Result<ResolvedJob, CommandError> {
        self.load_with(&|name| std::env::var(name).ok())
    }

    /// Loads the job for a command that only looks at its state: what the environment of the run has need not be set in the terminal that
    /// watches it.
    pub fn load_to_look(&self) -> Result<ResolvedJob, CommandError> {
        self.load().or_else(|error| {
            let anything = |name: &str| Some(std::env::var(name).unwrap_or_else(|_| "unset".to_owned()));
            self.load_with(&anything).map_err(|_| error)
        })
    }

    /// What a job was begun with stays: a variable that is not given is taken from the state.
    fn load_with(&self, environment: &Environment<'_>) -> Result<ResolvedJob, CommandError> {
        let stored = self.stored_vars();
        let given = self.load_with_vars(environment, &[]);
        let taken: Vec<(String, String)> = match &given {
            Ok(job) => {
                let is_other = |name: &str, value: &str| job.vars.get(name).is_some_and(|now| now.to_string() != value);
                stored
                    .into_iter()
                    .filter(|(name, value)| is_other(name, value))
                    .collect()
            }
            Err(_) => stored,
        };
        if taken.is_empty() {
            return given;
        }
        let job = self.load_with_vars(environment, &taken)?;
        let named: Vec<String> = taken.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
        say(format_args!(
            "taken from the state, which the job was begun with: {}; `run --restart` begins with other values",
            redact(&shown(&named.join(", ")))
        ));
        Ok(job)
    }

    /// Those of the last run that are variables of the spec and are not given.
    fn stored_vars(&self) -> Vec<(String, String)> {
        let Some(peek) = peek(&self.spec, &self.settings).filter(|_| !self.fresh) else {
            return Vec::new();
        };
        let stored = last_vars(&self.folder_of(&peek.project, &peek.name, &self.profile)).into_iter();
        let is_given = |name: &str| self.vars.iter().any(|(given, _)| given == name);
        stored
            .filter(|(name, _)| peek.variables.contains(name) && !is_given(name))
            .collect()
    }

    fn load_with_vars(
        &self,
        environment: &Environment<'_>,
        stored: &[(String, String)],
    ) -> Result<ResolvedJob, CommandError> {
        let options = LoadOptions {
            profile: self.profile.clone(),
            vars: stored.iter().chain(&self.vars).cloned().collect(),
            settings: self.settings.clone(),
            environment,
        };
        Ok(load(&self.spec, &options)?)
    }

    pub fn state_folder<W>(&self, job: &ResolvedJob<W>) -> StateFolder {
        self.folder_of(&job.project, &job.name, &job.profile)
    }

    fn folder_of(&self, project: &Path, name: &str, profile: &str) -> StateFolder {
        StateFolder::new(match &self.state {
            Some(folder) => folder.clone(),
            None => project.join(".pipeline").join(name).join(profile),
        })
    }

    /// The words that name this job again, for the next command.
    pub fn command_line(&self) -> CommandLine {
        let mut line = CommandLine::new(self.spec.display().to_string());
        if self.profile != DEFAULT_PROFILE {
            line = line.option("--profile", &self.profile);
        }
        for (name, value) in &self.vars {
            line = line.option("--var", &format!("{name}={value}"));
        }
        for setting in &self.settings {
            line = line.option("--set", setting);
        }
        if let Some(folder) = &self.state {
            line = line.option("--state", &folder.display().to_string());
        }
        line
    }

    /// Opens the state, or begins it.
    pub fn open_state<W>(&self, job: &ResolvedJob<W>, command: &str) -> Result<State, CommandError> {
        Ok(State::open(
            &self.state_folder(job),
            &identity(job),
            &self.holder(command),
        )?)
    }

    /// Opens the state of a job that has been run before.
    pub fn open_existing_state<W>(&self, job: &ResolvedJob<W>, command: &str) -> Result<State, CommandError> {
        let folder = self.state_folder(job);
        if !folder.exists() {
            let run = self.command_line().command("run");
            return Err(CommandError::NoState {
                folder: folder.path().to_owned(),
                run,
            });
        }
        self.open_state(job, command)
    }

    pub fn holder(&self, command: &str) -> Holder {
        Holder::this_process(self.command_line().command(command))
    }
}

pub fn identity<W>(job: &ResolvedJob<W>) -> Identity {
    Identity {
        job: job.name.clone(),
        profile: job.profile.clone(),
    }
}

/// Writes a file that a user named, as a whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let failed = |source| CommandError::Write {
        path: path.to_owned(),
        source,
    };
    let temporary = path.with_extension("partial");
    std::fs::write(&temporary, bytes).map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)
}
