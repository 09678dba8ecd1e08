use std::fmt::Write;

use super::process::Output;
use super::project::{Project, SPEC};
use super::{Gate, bytes_of};

/// One row of an item's list.
#[derive(Clone, Debug)]
pub struct File {
    /// Where its bytes are; `<item>/<name>` when not given.
    pub path: Option<String>,
    pub name: String,
    /// What the list says; the list has no sizes when no file of the job has one.
    pub listed_size: Option<u64>,
    /// Bytes of the real file, where the source is a folder.
    pub real_size: usize,
}

impl File {
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        let real_size = 100 + name.len() * 7;
        Self {
            path: None,
            name,
            listed_size: None,
            real_size,
        }
    }

    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub fn listed_size(mut self, size: u64) -> Self {
        self.listed_size = Some(size);
        self
    }

    pub fn real_size(mut self, size: usize) -> Self {
        self.real_size = size;
        self
    }
}

impl From<&str> for File {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Sample,
    Folder,
    Other,
}

/// What a job is like; two items with three files each of the `sample` store, unless it is told otherwise.
#[derive(Clone, Debug)]
pub struct Job {
    items: usize,
    files: usize,
    named: Vec<(String, Vec<File>)>,
    source: Source,
    mode: &'static str,
    naming: String,
    sections: Vec<(String, String)>,
    connections: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    extra: Vec<(String, String)>,
}

impl Default for Job {
    fn default() -> Self {
        Self::new()
    }
}

impl Job {
    pub fn new() -> Self {
        let retry = "{ max_attempts: 2, initial_delay: 10ms, max_delay: 20ms }";
        Self {
            items: 2,
            files: 3,
            named: Vec::new(),
            source: Source::Sample,
            mode: "skip",
            naming: "{{item.Id}}/{{file.Name}}".to_owned(),
            sections: vec![("retry".to_owned(), retry.to_owned())],
            connections: vec![
                ("inputs".to_owned(), r#"fs = { root = "data" }"#.to_owned()),
                (
                    "originals".to_owned(),
                    r#"sample = { seed = 1, size_max = "8KiB" }"#.to_owned(),
                ),
                ("results".to_owned(), r#"fs = { root = "../out" }"#.to_owned()),
            ],
            environment: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// So many items with generated keys.
    pub fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// So many files with generated names in each generated item.
    pub fn files(mut self, files: usize) -> Self {
        self.files = files;
        self
    }

    /// An item with files of its own; such items take the place of generated ones.
    pub fn item<F: Into<File>>(mut self, key: &str, files: impl IntoIterator<Item = F>) -> Self {
        let files = files.into_iter().map(Into::into).collect();
        self.named.push((key.to_owned(), files));
        self
    }

    /// The source is a folder with real files.
    pub fn source_folder(mut self) -> Self {
        self.source = Source::Folder;
        self.connection("originals", r#"fs = { root = "originals" }"#)
    }

    /// The source is a blob server that the test holds the gate of.
    pub fn source_gate(mut self, gate: &Gate) -> Self {
        self.source = Source::Other;
        self.file("jobs/sas", "sv=2024-11-04&sig=planted")
            .connection("originals", &gate.connection())
    }

    /// A file of the project beside those that every project has.
    pub fn file(mut self, name: &str, content: &str) -> Self {
        put(&mut self.extra, name, content);
        self
    }

    /// A connection, as one line of TOML behind its name: `fs = { root = "data" }`.
    pub fn connection(mut self, name: &str, toml: &str) -> Self {
        put(&mut self.connections, name, toml);
        self
    }

    /// The sink's `mode`.
    pub fn mode(mut self, mode: &'static str) -> Self {
        self.mode = mode;
        self
    }

    /// `naming.object`
    pub fn naming(mut self, object: &str) -> Self {
        self.naming = object.to_owned();
        self
    }

    /// Another top-level key of the spec, its value in YAML's flow style: `with("limits", "{ page_units: 2 }")`.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        put(&mut self.sections, key, value);
        self
    }

    /// Items at once, and files at once in each. The whole run has room for the parts of each, which a file of unknown size may take.
    pub fn concurrency(self, items: usize, units: usize) -> Self {
        let limit = items * units * 4;
        let tree = format!("{{ limit: {limit}, items: {{ limit: {items}, units: {{ limit: {units} }} }} }}");
        self.with("concurrency", &tree)
    }

    /// A variable of the environment of every command in the project.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        put(&mut self.environment, name, value);
        self
    }

    /// Makes the project and runs the job.
    pub fn run(self) -> (Project, Output) {
        let project = self.create();
        let output = project.run();
        (project, output)
    }

    /// Writes everything into a new folder.
    pub fn create(self) -> Project {
        let lists = self.lists();
        let has_sizes = lists
            .iter()
            .flat_map(|(_, files)| files)
            .any(|file| file.listed_size.is_some());
        let project = Project::new(self.environment.clone());
        project.write(SPEC, self.spec(has_sizes));
        project.write("jobs/connections.toml", self.connections_toml());
        let mut keys = vec![vec!["Id".to_owned()]];
        keys.extend(lists.iter().map(|(key, _)| vec![key.clone()]));
        project.write("jobs/data/items.csv", csv(keys));
        for (key, files) in &lists {
            let mut rows = vec![vec!["Path".to_owned(), "Name".to_owned(), "Size".to_owned()]];
            for file in files {
                let path = file.path.clone().unwrap_or_else(|| format!("{key}/{}", file.name));
                if self.source == Source::Folder {
                    project.write(&format!("jobs/originals/{path}"), bytes_of(&path, file.real_size));
                }
                let size = file.listed_size.map(|size| size.to_string()).unwrap_or_default();
                rows.push(vec![path, file.name.clone(), size]);
            }
            project.write(&format!("jobs/data/lists/{key}.csv"), csv(rows));
        }
        for (name, content) in &self.extra {
            project.write(name, content);
        }
        std::fs::create_dir_all(project.path("jobs/originals")).expect("the folder is writable");
        project
    }

    fn lists(&self) -> Vec<(String, Vec<File>)> {
        if !self.named.is_empty() {
            return self.named.clone();
        }
        let files = |item: usize| {
            (1..=self.files)
                .map(|file| File::named(format!("file-{item}-{file:03}.bin")))
                .collect()
        };
        (1..=self.items)
            .map(|item| (format!("item-{item}"), files(item)))
            .collect()
    }

    fn spec(&self, has_sizes: bool) -> String {
        let mut spec = r#"job: copy
source:
  items: { connection: inputs, csv: items.csv, key: "{{item.Id}}" }
  files:
    connection: inputs
    csv: "lists/{{item.Id}}.csv"
    read: { connection: originals, path: "{{file.Path}}" }
"#
        .to_owned();
        if has_sizes {
            spec.push_str("    size: \"{{file.Size}}\"\n");
        }
        let _ = writeln!(spec, "sink: {{ connection: results, mode: {} }}", self.mode);
        let _ = writeln!(spec, "naming: {{ object: \"{}\" }}", self.naming);
        for (key, value) in &self.sections {
            let _ = writeln!(spec, "{key}: {value}");
        }
        spec
    }

    fn connections_toml(&self) -> String {
        let mut text = String::new();
        for (name, toml) in &self.connections {
            let _ = writeln!(text, "[local.{name}]\n{toml}");
        }
        text
    }
}

fn put(pairs: &mut Vec<(String, String)>, name: &str, value: &str) {
    pairs.retain(|(other, _)| other != name);
    pairs.push((name.to_owned(), value.to_owned()));
}

fn csv(rows: Vec<Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("a row is written");
    }
    writer.into_inner().expect("rows in memory")
}
