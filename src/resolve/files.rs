use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::model::{ConnectionConfig, RetryPolicy};
use crate::spec::{
    ConnectionSpec, Document, Entry, Environment, Interpolation, JobSpec, Node, Problem, Problems, SECRET_FIELDS,
    SourceFile, Span, Treatment, interpolate, parse, plain_text_secrets, read_connections, read_job, set,
    used_connections,
};

use super::connections::ConnectionReader;
use super::findings::{Findings, remedy};
use super::job::{ResolvedJob, Work};
use super::load::LoadOptions;
use super::resolver::{Resolver, job_retry};
use super::variables::Variables;

/// The texts of a job.
#[derive(Clone, Debug)]
pub struct JobFiles {
    /// The spec as it was named on the command line.
    pub spec_path: PathBuf,
    pub spec: SourceFile,
    /// The connections file beside it, if there is one.
    pub connections: Option<SourceFile>,
}

/// Takes a job's texts through every pass: parse, variables, interpolation, schema, connections, references, templates.
///
/// # Errors
/// All problems of all files at once, as far as one does not hide the other: a file that cannot be parsed has no other problems.
pub fn resolve(files: &JobFiles, options: &LoadOptions<'_>) -> Result<ResolvedJob, Problems> {
    let spec = parse(&files.spec).map_err(|problems| (&files.spec, problems));
    let connections = match &files.connections {
        None => Ok(None),
        Some(file) => parse(file).map(Some).map_err(|problems| (file, problems)),
    };
    match (spec, connections) {
        (Ok(mut spec), Ok(connections)) => {
            let problems = set(&mut spec, &options.settings);
            Job::new(files, options, spec, connections).resolve(problems)
        }
        (spec, connections) => {
            let mut all = Problems::default();
            for (file, problems) in [spec.err(), connections.err()].into_iter().flatten() {
                all.add(file, problems, &[]);
            }
            Err(all)
        }
    }
}

/// A document with what was found wrong with it so far, and where its secrets stand.
struct Checked {
    document: Document,
    problems: Vec<Problem>,
    secrets: Vec<Span>,
}

impl Checked {
    fn new(document: Document) -> Self {
        let (problems, secrets) = plain_text_secrets(&document);
        Self {
            document,
            problems,
            secrets,
        }
    }

    /// Replaces references, and looks for secrets that came in by them where none may stand.
    fn interpolate(&mut self, with: &Interpolation<'_>, treatment: &dyn Fn(&str) -> Treatment) {
        self.problems.extend(interpolate(&mut self.document, with, treatment));
        self.problems.extend(plain_text_secrets(&self.document).0);
    }

    fn entries(&self, pointer: &str) -> &[Entry] {
        self.document.get(pointer).map(Node::entries).unwrap_or_default()
    }
}

/// A job between its texts and its resolved form.
struct Job<'a> {
    files: &'a JobFiles,
    options: &'a LoadOptions<'a>,
    spec: Checked,
    connections: Option<Checked>,
    /// The names of connections that the spec uses.
    used: BTreeSet<String>,
}

impl<'a> Job<'a> {
    fn new(files: &'a JobFiles, options: &'a LoadOptions<'a>, spec: Document, connections: Option<Document>) -> Self {
        Self {
            files,
            options,
            used: used_connections(&spec),
            spec: Checked::new(spec),
            connections: connections.map(Checked::new),
        }
    }

    /// `problems` are those of settings.
    fn resolve(mut self, problems: Vec<Problem>) -> Result<ResolvedJob, Problems> {
        self.spec.problems.extend(problems);
        let variables = Variables::read(&self.spec.document, &self.options.vars, self.options.environment);
        self.spec.problems.extend(variables.problems.iter().cloned());
        self.interpolate_spec(&variables);
        // The variables may have named a connection.
        self.used = used_connections(&self.spec.document);
        let profile_specs = self.read_profile();
        let reading = read_job(&self.spec.document);
        self.spec.problems.extend(reading.problems);
        let resolved = reading
            .spec
            .and_then(|job| self.resolve_spec(job, &profile_specs, &variables));
        let problems = self.into_problems();
        match resolved {
            Some(resolved) if problems.is_empty() => Ok(resolved),
            _ if problems.is_empty() => Err(Problems::without_file(vec![Problem::new(
                "the spec cannot be resolved, and no reason was found",
            )])),
            _ => Err(problems),
        }
    }

    fn interpolate_spec(&mut self, variables: &Variables) {
        let used = self.used.clone();
        let inline: Vec<(String, bool)> = self
            .spec
            .entries("/connections")
            .iter()
            .map(|entry| (format!("/connections/{}/", entry.key), used.contains(&entry.key)))
            .collect();
        let treatment = |pointer: &str| {
            // Variables were read from their defaults already.
            if pointer.starts_with("/vars/") || is_secret_field(pointer) {
                Treatment::Keep
            } else if inline.iter().any(|(prefix, used)| !used && pointer.starts_with(prefix)) {
                Treatment::Defer
            } else {
                Treatment::Replace
            }
        };
        let interpolation = Interpolation {
            variables: &variables.values,
            environment: self.options.environment,
        };
        self.spec.interpolate(&interpolation, &treatment);
    }

    /// The connections of the profile that the job uses; the whole file is checked against its schema.
    fn read_profile(&mut self) -> BTreeMap<String, ConnectionSpec> {
        let profile = &self.options.profile;
        let Some(connections) = &mut self.connections else {
            return BTreeMap::new();
        };
        let in_use: Vec<String> = self.used.iter().map(|name| format!("/{profile}/{name}/")).collect();
        let treatment = |pointer: &str| {
            if is_secret_field(pointer) {
                Treatment::Keep
            } else if in_use.iter().any(|prefix| pointer.starts_with(prefix)) {
                Treatment::Replace
            } else {
                Treatment::Defer
            }
        };
        let interpolation = Interpolation {
            variables: &BTreeMap::new(),
            environment: self.options.environment,
        };
        connections.interpolate(&interpolation, &treatment);
        let profiles = connections.document.root.entries();
        if !profiles.iter().any(|entry| entry.key == *profile) {
            let names = profiles.iter().map(|entry| entry.key.as_str());
            let file = &connections.document.file.name;
            let problem = Problem::new(format!("there is no profile `{profile}` in `{file}`"));
            connections
                .problems
                .push(problem.help(remedy(profile, "profiles", names)));
        }
        let reading = read_connections(&connections.document, profile, &self.used);
        connections.problems.extend(reading.problems);
        reading.spec.unwrap_or_default()
    }

    fn resolve_spec(
        &mut self,
        job: JobSpec,
        profile_specs: &BTreeMap<String, ConnectionSpec>,
        variables: &Variables,
    ) -> Option<ResolvedJob> {
        let spec_path = std::path::absolute(&self.files.spec_path).unwrap_or_else(|_| self.files.spec_path.clone());
        let folder = spec_path.parent().unwrap_or(Path::new("/"));
        let (known, elsewhere) = (self.known_connections(), self.elsewhere());
        let mut findings = Findings::new(&self.spec.document);
        let retry = job_retry(&job, &mut findings);
        let environment = self.options.environment;
        let in_profile = match &mut self.connections {
            None => BTreeMap::new(),
            Some(checked) => {
                let mut of_file = Findings::new(&checked.document);
                let pointer = format!("/{}", self.options.profile);
                let read = read_all(&mut of_file, environment, folder, &retry, &pointer, profile_specs);
                let problems = of_file.problems;
                checked.problems.extend(problems);
                read
            }
        };
        let own: BTreeMap<String, ConnectionSpec> = job
            .connections
            .iter()
            .filter(|(name, _)| !profile_specs.contains_key(*name))
            .map(|(name, spec)| (name.clone(), spec.clone()))
            .collect();
        let mut connections = read_all(&mut findings, environment, folder, &retry, "/connections", &own);
        connections.extend(in_profile);
        let mut resolver = Resolver {
            job: &job,
            profile: &self.options.profile,
            findings: &mut findings,
            connections: &connections,
            known: &known,
            elsewhere: &elsewhere,
        };
        let work = if job.source.files.is_some() {
            resolver.file_work().map(Work::Files)
        } else {
            resolver.table_work().map(Work::Tables)
        };
        let part_size = match &work {
            Some(Work::Files(work)) => Some(work.sink.part_size),
            _ => None,
        };
        let concurrency = resolver.concurrency();
        let limits = resolver.limits(part_size);
        let problems = findings.problems;
        self.spec.problems.extend(problems);
        Some(ResolvedJob {
            name: job.job,
            description: job.description,
            profile: self.options.profile.clone(),
            spec_path: self.files.spec_path.clone(),
            project: project(folder),
            vars: variables.to_values(),
            hidden_vars: variables.of_environment.clone(),
            connections,
            work: work?,
            concurrency,
            retry,
            limits,
        })
    }

    /// The names a job can use: its own connections and those of the profile. Of a profile that does not exist, which is a problem
    /// of its own, nothing is known, so that every name counts as known.
    fn known_connections(&self) -> Vec<String> {
        let profile = &self.options.profile;
        if self
            .connections
            .as_ref()
            .is_some_and(|checked| checked.document.root.child(profile).is_none())
        {
            return self.used.iter().cloned().collect();
        }
        let of_profile = self
            .connections
            .iter()
            .flat_map(|checked| checked.entries(&format!("/{profile}")));
        let names: BTreeSet<&String> = self
            .spec
            .entries("/connections")
            .iter()
            .chain(of_profile)
            .map(|entry| &entry.key)
            .collect();
        names.into_iter().cloned().collect()
    }

    /// The profiles that have a connection, by its name.
    fn elsewhere(&self) -> BTreeMap<String, Vec<String>> {
        let mut elsewhere: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for profile in self
            .connections
            .iter()
            .flat_map(|checked| checked.document.root.entries())
        {
            for connection in profile.value.entries() {
                elsewhere
                    .entry(connection.key.clone())
                    .or_default()
                    .push(profile.key.clone());
            }
        }
        elsewhere
    }

    fn into_problems(self) -> Problems {
        let mut all = Problems::default();
        for checked in [Some(self.spec), self.connections].into_iter().flatten() {
            all.add(&checked.document.file, checked.problems, &checked.secrets);
        }
        all
    }
}

fn read_all(
    findings: &mut Findings<'_>,
    environment: &Environment<'_>,
    folder: &Path,
    retry: &RetryPolicy,
    pointer: &str,
    specs: &BTreeMap<String, ConnectionSpec>,
) -> BTreeMap<String, ConnectionConfig> {
    let mut reader = ConnectionReader {
        findings,
        environment,
        folder,
        retry,
    };
    reader.read(pointer, specs)
}

fn is_secret_field(pointer: &str) -> bool {
    let key = pointer.rsplit('/').next().unwrap_or_default();
    SECRET_FIELDS.contains(&key)
}

/// The folder in which `.pipeline` lies: beside the `jobs` folder of the spec, or in the spec's own folder.
pub(super) fn project(folder: &Path) -> PathBuf {
    let is_jobs = folder.file_name().is_some_and(|name| name == "jobs");
    let parent = if is_jobs { folder.parent() } else { None };
    parent.unwrap_or(folder).to_owned()
}
