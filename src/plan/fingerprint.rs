use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::resolve::{FileWork, ResolvedJob, RowsForm, RowsSource, StepKind, TableSelection, TableWork, Work};

/// By stage, a digest of what decides what "done" means there: its connections' identity, query, naming, mode and fixed vars.
///
/// Concurrency, retry and limits are left out on purpose: they may change between two runs.
pub fn fingerprints(job: &ResolvedJob) -> BTreeMap<String, String> {
    match &job.work {
        Work::Files(work) => of_files(job, work),
        Work::Tables(work) => of_tables(job, work),
    }
}

fn of_tables(job: &ResolvedJob, work: &TableWork) -> BTreeMap<String, String> {
    let mut digest = Fingerprint::new(job);
    digest.connection(job, &work.source.connection);
    // Which tables are meant is data: more of them make more items, not other ones.
    if let TableSelection::Query { text, parameters } = &work.source.selection {
        digest.text("query", text);
        for (name, value) in parameters {
            digest.text(name, &value.to_string());
        }
    }
    digest.connection(job, &work.sink.connection);
    digest.text("schema", work.sink.schema.as_deref().unwrap_or_default());
    digest.text("table", work.naming.table.text());
    digest.text("column", work.naming.column.text());
    digest.text("mode", work.sink.mode.name());
    for (source, sink) in &work.sink.types {
        digest.text(source, sink);
    }
    for (column, kind) in work.source.files.iter().flat_map(|files| &files.types) {
        digest.text(column, kind);
    }
    if let Some(files) = &work.sink.files {
        digest.text("format", files.format.name());
        digest.text("compression", files.compression.name());
    }
    BTreeMap::from([("data".to_owned(), digest.finish())])
}

fn of_files(job: &ResolvedJob, work: &FileWork) -> BTreeMap<String, String> {
    let mut prints = BTreeMap::new();
    if let Some(items) = &work.source.items {
        let mut digest = Fingerprint::new(job);
        digest.rows(job, &items.rows);
        digest.text("key", items.key.text());
        prints.insert("items".to_owned(), digest.finish());
    }
    let files = &work.source.files;
    let mut digest = Fingerprint::new(job);
    digest.rows(job, &files.rows);
    prints.insert("files".to_owned(), digest.finish());

    let mut digest = Fingerprint::new(job);
    digest.connection(job, &files.read.connection);
    digest.text("path", files.read.path.text());
    digest.connection(job, &work.sink.connection);
    digest.text("object", work.naming.object.text());
    prints.insert("copy".to_owned(), digest.finish());

    for step in &work.steps {
        let StepKind::Notify(notify) = &step.kind;
        let mut digest = Fingerprint::new(job);
        digest.connection(job, &notify.connection);
        digest.text("when", notify.when.name());
        digest.text("message", &notify.body.text());
        prints.insert(step.name.clone(), digest.finish());
    }
    prints
}

/// One stage whose definition is another than when its work was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub stage: String,
    /// What the change means for work already done.
    pub consequence: &'static str,
}

/// Stages that differ between what a state was begun with and what the spec says now; empty when nothing that matters changed.
pub fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<Change> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name))
        .map(|name| Change {
            stage: name.clone(),
            consequence: match name.as_str() {
                "items" => "items may have other keys: finished ones are looked up by key and may not be found",
                "files" => "finished items are not listed again: files that only the new list names are missed there",
                "data" => "tables that are done went by the old definition",
                "copy" => "files already copied lie where the old definition put them",
                _ => "work already done there followed the old definition",
            },
        })
        .collect()
}

/// Length-prefixed fields into one SHA-256, so that no two field lists give the same input.
struct Fingerprint(Sha256);

impl Fingerprint {
    fn new(job: &ResolvedJob) -> Self {
        let mut fingerprint = Self(Sha256::new());
        for (name, value) in &job.vars {
            fingerprint.text(name, &value.to_string());
        }
        fingerprint
    }

    fn text(&mut self, name: &str, text: &str) {
        for part in [name, text] {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part.as_bytes());
        }
    }

    fn connection(&mut self, job: &ResolvedJob, name: &str) {
        self.text("connection", &job.connection(name).kind.identity());
    }

    fn rows(&mut self, job: &ResolvedJob, rows: &RowsSource) {
        if let Some(connection) = &rows.connection {
            self.connection(job, connection);
        }
        match &rows.form {
            RowsForm::Csv { path } => self.text("csv", path.text()),
            RowsForm::Jsonl { path } => self.text("jsonl", path.text()),
            RowsForm::Glob { pattern } => self.text("glob", pattern.text()),
            // The rows of a list are data like the lines of a file: more of them make more items, not other ones.
            RowsForm::List { .. } => self.text("list", ""),
            RowsForm::Query { text, parameters } => {
                self.text("query", text);
                for (name, value) in parameters {
                    self.text(name, value.text());
                }
            }
        }
        for (column, kind) in &rows.types {
            self.text(column, &format!("{kind:?}"));
        }
    }

    fn finish(self) -> String {
        self.0
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
