use std::collections::BTreeMap;

use crate::model::{Concurrency, ConnectionConfig, HashKind, Limits, NodeSpeeds, RetryPolicy, SinkMode, Speed};
use crate::spec::{FilesSpec, HashSpec, ItemsSpec, JobSpec, Problem, SinkModeSpec};

use super::checks::overlap;
use super::findings::{Findings, remedy};
use super::job::{FileWork, FilesSource, ItemsSource, Naming, ReadSource, RowsForm, RowsSource, Sink, Source};
use super::rows::{FormView, RowsView};
use super::scope::{KnownScope, Prefix};
use super::template::Template;
use super::usage::{Misfit, Use};

/// The smallest part of a multipart upload that every store takes, and the default.
const PART_SIZE_MIN: u64 = 5 << 20;
const PART_SIZE: u64 = 6 << 20;

const NO_ITEMS: &str = "the job has no `source.items`";
const BEFORE_ITEMS: &str = "the list of items is read once, before there is an item";
const BEFORE_KEY: &str = "an item's key is made before its files are known";
const BEFORE_FILES: &str = "the list of files is what the files come from";

/// The sections of a job, each checked against the connections.
pub(super) struct Resolver<'a, 'd> {
    pub job: &'a JobSpec,
    pub profile: &'a str,
    pub findings: &'a mut Findings<'d>,
    pub connections: &'a BTreeMap<String, ConnectionConfig>,
    /// Every name that could be used, those with problems of their own included.
    pub known: &'a [String],
    /// Other profiles by the names that they have.
    pub elsewhere: &'a BTreeMap<String, Vec<String>>,
}

impl Resolver<'_, '_> {
    /// A job that copies files.
    pub fn file_work(&mut self) -> Option<FileWork> {
        let source = self.source();
        let sink = self.sink(source.as_ref());
        let naming = self.naming();
        let steps = self.steps();
        self.check_table_keys();
        Some(FileWork {
            source: source?,
            sink: sink?,
            naming: naming?,
            steps: steps?,
        })
    }

    fn source(&mut self) -> Option<Source> {
        let items = self.job.source.items.as_ref();
        let item = items.map_or(Prefix::Absent(NO_ITEMS), |items| RowsView::of_items(items).columns());
        let resolved_items = items.map(|items| self.items(items, &item));
        // The schema makes sure that a job without tables has files.
        let files = self.job.source.files.as_ref().and_then(|files| self.files(files, item));
        Some(Source {
            items: match resolved_items {
                None => None,
                Some(items) => Some(items?),
            },
            files: files?,
        })
    }

    fn items(&mut self, spec: &ItemsSpec, item: &Prefix) -> Option<ItemsSource> {
        let before = KnownScope::of_files(Prefix::Absent(BEFORE_ITEMS), Prefix::Absent(BEFORE_ITEMS));
        let each = KnownScope::of_files(item.clone(), Prefix::Absent(BEFORE_KEY));
        let rows = self.rows(RowsView::of_items(spec), &before);
        let key = self.template("/source/items/key", &spec.key, &each);
        Some(ItemsSource { rows: rows?, key: key? })
    }

    fn files(&mut self, spec: &FilesSpec, item: Prefix) -> Option<FilesSource> {
        let view = RowsView::of_files(spec);
        let of_item = KnownScope::of_files(item.clone(), Prefix::Absent(BEFORE_FILES));
        let of_file = KnownScope::of_files(item, view.columns());
        let rows = self.rows(view, &of_item);
        let size = spec
            .size
            .as_ref()
            .map(|size| self.template("/source/files/size", size, &of_file));
        let read = match (&spec.read, view.form, view.connection) {
            (Some(read), ..) => {
                let connection = self.connection("/source/files/read/connection", &read.connection, Use::ReadObjects);
                let path = self.template("/source/files/read/path", &read.path, &of_file);
                connection.zip(path)
            }
            (None, FormView::Glob(_), Some(name)) => {
                let path = self.template("/source/files/glob", "{{file.path}}", &of_file);
                Some(name.clone()).zip(path)
            }
            (None, FormView::Glob(_), None) | (None, FormView::Missing, _) => None,
            (None, ..) => {
                let problem = Problem::new(format!(
                    "`read` is missing in `source.files`: a list by `{}` has no bytes",
                    view.form.name()
                ));
                let help =
                    "say where each file's bytes are: `read: { connection: …, path: \"{{url_path file.Uri}}\" }`";
                self.findings
                    .add("/source/files", problem.label("`read` is missing here").help(help));
                None
            }
        };
        let (connection, path) = read?;
        Some(FilesSource {
            rows: rows?,
            read: ReadSource { connection, path },
            size: match size {
                None => None,
                Some(size) => Some(size?),
            },
        })
    }

    /// A template whose values can all exist.
    pub(super) fn template(&mut self, pointer: &str, text: &str, scope: &KnownScope) -> Option<Template> {
        match Template::parse(text) {
            Err(problem) => {
                self.findings
                    .add(pointer, Problem::new(problem.message).help(problem.help));
                None
            }
            Ok(template) => {
                let problems: Vec<Problem> = template
                    .references()
                    .iter()
                    .filter_map(|reference| scope.check(reference))
                    .collect();
                let fine = problems.is_empty();
                problems
                    .into_iter()
                    .for_each(|problem| self.findings.add(pointer, problem));
                fine.then_some(template)
            }
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// A connection of the right kind for its use. `None` when it is not, or when it has problems of its own.
    pub(super) fn connection(&mut self, pointer: &str, name: &str, usage: Use) -> Option<String> {
        let Some(config) = self.connections.get(name) else {
            if !self.known.iter().any(|known| known == name) {
                let problem = self.unknown_connection(name);
                self.findings.add(pointer, problem);
            }
            return None;
        };
        if let Some(Misfit { reason, needed }) = usage.misfit(&config.kind) {
            let kind = config.kind.name();
            let problem = Problem::new(format!("`{name}` is of kind `{kind}`, which {reason}"));
            let problem = problem.label(format!("of kind `{kind}`"));
            self.findings
                .add(pointer, problem.help(format!("name a connection to {needed}")));
            return None;
        }
        Some(name.to_owned())
    }

    fn unknown_connection(&self, name: &str) -> Problem {
        let problem =
            Problem::new(format!("there is no connection `{name}` in profile `{}`", self.profile)).label("unknown");
        let help = remedy(name, "connections of this profile", self.names());
        problem.help(match self.elsewhere.get(name) {
            Some(profiles) => format!("{help}; `{name}` stands in profile `{}`", profiles.join("`, `")),
            None => help,
        })
    }

    fn sink(&mut self, source: Option<&Source>) -> Option<Sink> {
        let spec = &self.job.sink;
        let connection = self.connection("/sink/connection", &spec.connection, Use::Write);
        if let (Some(name), Some(source)) = (&connection, source) {
            self.check_sink_apart(name, source);
        }
        let part_size = self
            .findings
            .size("/sink/part_size", spec.part_size.as_ref(), PART_SIZE);
        if part_size < PART_SIZE_MIN {
            let problem = Problem::new("`part_size` is smaller than 5MiB, the least that every store takes");
            self.findings.add(
                "/sink/part_size",
                problem.help("write `5MiB` or more; `6MiB` is the default"),
            );
        }
        Some(Sink {
            connection: connection?,
            mode: match spec.mode {
                None => SinkMode::default(),
                Some(SinkModeSpec::Create) => SinkMode::Create,
                Some(SinkModeSpec::Skip) => SinkMode::Skip,
                Some(SinkModeSpec::Overwrite) => SinkMode::Overwrite,
                Some(SinkModeSpec::OverwriteIfDifferent) => SinkMode::OverwriteIfDifferent,
                Some(SinkModeSpec::Append | SinkModeSpec::Truncate | SinkModeSpec::Replace | SinkModeSpec::Upsert) => {
                    let problem = Problem::new("this mode is one of tables, and the source has files");
                    let help = "write `create`, `skip`, `overwrite` or `overwrite_if_different`";
                    self.findings.add("/sink/mode", problem.help(help));
                    return None;
                }
            },
            hash: match spec.hash {
                None => HashKind::default(),
                Some(HashSpec::Sha256) => HashKind::Sha256,
                Some(HashSpec::Blake3) => HashKind::Blake3,
                Some(HashSpec::Crc32c) => HashKind::Crc32c,
                Some(HashSpec::None) => HashKind::None,
            },
            part_size,
        })
    }

    /// A source is only ever read: the sink must not reach its objects.
    fn check_sink_apart(&mut self, sink: &str, source: &Source) {
        let listed = |rows: &'_ RowsSource| {
            rows.connection
                .clone()
                .filter(|_| matches!(rows.form, RowsForm::Glob { .. }))
        };
        let items = source.items.as_ref().and_then(|items| listed(&items.rows));
        let names = [
            Some(source.files.read.connection.clone()),
            listed(&source.files.rows),
            items,
        ];
        let names: Vec<String> = names.into_iter().flatten().collect();
        self.check_apart(sink, &names);
    }

    /// The same for connections that are read from.
    pub(super) fn check_apart(&mut self, sink: &str, read_from: &[String]) {
        let reaches = |name: &&String| overlap(&self.connections[sink], &self.connections[*name]);
        if let Some(read) = read_from.iter().find(reaches) {
            let problem = Problem::new(if read == sink {
                format!("the sink `{sink}` is also the source")
            } else {
                format!("the sink `{sink}` and the source `{read}` reach the same objects")
            });
            let help = "a source is only ever read: give the sink a store, a container or a root of its own";
            self.findings.add(
                "/sink/connection",
                problem.label("writes into its own source").help(help),
            );
        }
    }

    fn naming(&mut self) -> Option<Naming> {
        let scope = self.file_scope(Prefix::NO_TARGET);
        // The schema makes sure that a job of files names them.
        let object = self.job.naming.object.as_ref()?;
        let object = self.template("/naming/object", object, &scope)?;
        Some(Naming { object })
    }

    /// What is known of one file.
    pub(super) fn file_scope(&self, target: Prefix) -> KnownScope {
        let source = &self.job.source;
        let items = source.items.as_ref();
        let item = items.map_or(Prefix::Absent(NO_ITEMS), |items| RowsView::of_items(items).columns());
        let files = source.files.as_ref();
        let file = files.map_or(Prefix::Unknown, |files| RowsView::of_files(files).columns());
        KnownScope {
            target,
            ..KnownScope::of_files(item, file)
        }
    }

    pub fn concurrency(&mut self) -> Concurrency {
        let defaults = Concurrency::default();
        let count =
            |limit: Option<u32>, default: usize| limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default);
        let root = self.job.concurrency.as_ref();
        let items = root.and_then(|root| root.items.as_ref());
        let units = items.and_then(|items| items.units.as_ref());
        let parts = units.and_then(|units| units.parts.as_ref());
        let mut speed = |pointer: &str, given: Option<(&Option<String>, &Option<String>)>| {
            given.map_or_else(Speed::default, |(rate, bandwidth)| {
                self.findings.speed(pointer, rate.as_ref(), bandwidth.as_ref())
            })
        };
        let at = "/concurrency";
        let speeds = NodeSpeeds {
            leaves: speed(at, root.map(|node| (&node.rate, &node.bandwidth))),
            items: speed(&format!("{at}/items"), items.map(|node| (&node.rate, &node.bandwidth))),
            units: speed(
                &format!("{at}/items/units"),
                units.map(|node| (&node.rate, &node.bandwidth)),
            ),
            parts: speed(
                &format!("{at}/items/units/parts"),
                parts.map(|node| (&node.rate, &node.bandwidth)),
            ),
        };
        Concurrency {
            speeds,
            leaves: count(root.and_then(|root| root.limit), defaults.leaves),
            items: count(items.and_then(|items| items.limit), defaults.items),
            units: count(units.and_then(|units| units.limit), defaults.units),
            parts: count(parts.and_then(|parts| parts.limit), defaults.parts),
        }
    }

    /// The bounds of the run; `part_size` must fit into its memory.
    pub fn limits(&mut self, part_size: Option<u64>) -> Limits {
        let defaults = Limits::default();
        let Some(spec) = &self.job.limits else {
            return defaults;
        };
        let limits = Limits {
            memory_bytes: self
                .findings
                .size("/limits/memory", spec.memory.as_ref(), defaults.memory_bytes),
            progress_every: self.findings.duration(
                "/limits/progress_every",
                spec.progress_every.as_ref(),
                defaults.progress_every,
            ),
            summary_every: spec.summary_every.unwrap_or(defaults.summary_every),
            page_units: spec
                .page_units
                .and_then(|units| usize::try_from(units).ok())
                .unwrap_or(defaults.page_units),
        };
        if limits.progress_every.is_zero() {
            let problem = Problem::new("`progress_every` is zero");
            self.findings
                .add("/limits/progress_every", problem.help("write `10s`, or leave it out"));
        }
        if part_size.is_some_and(|part_size| part_size > limits.memory_bytes) {
            let problem = Problem::new("`memory` is smaller than one part of a large file (`sink.part_size`)");
            self.findings.add(
                "/limits/memory",
                problem.help("give it several times the size of a part; `256MiB` is the default"),
            );
        }
        limits
    }
}

/// The policy of a whole job; its connections' own policies start from it.
pub(super) fn job_retry(job: &JobSpec, findings: &mut Findings<'_>) -> RetryPolicy {
    let defaults = RetryPolicy::default();
    match &job.retry {
        Some(retry) => findings.retry("/retry", retry, &defaults),
        None => defaults,
    }
}
