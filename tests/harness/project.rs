use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

use super::process::{Output, Running};
use super::tree::{self, Tree};

/// The spec of a project, from its folder.
pub const SPEC: &str = "jobs/copy.yaml";

/// A temporary folder that commands run in.
pub struct Project {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Project {
    /// An empty one.
    pub fn new(environment: Vec<(String, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, environment }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        let folder = path.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(folder).expect("the folder is writable");
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(self.read_bytes(name)).expect("the file is text")
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"));
    }

    /// Replaces words in a file; they must be there.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "`{from}` is not in `{name}`:\n{text}");
        self.write(name, text.replace(from, to));
    }

    /// The binary with these arguments, in the project's folder and with its environment.
    pub fn prepare<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command.current_dir(self.root()).args(arguments).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PIPELINE_") {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary with these arguments to its end.
    pub fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        self.spawn(arguments).wait()
    }

    /// Starts the binary with these arguments.
    pub fn spawn<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Running {
        Running::spawn(self.prepare(arguments))
    }

    pub fn run(&self) -> Output {
        self.command(["run", SPEC])
    }

    pub fn plan(&self) -> Output {
        self.command(["plan", SPEC])
    }

    /// What `plan --json` says; it must end with 0.
    #[track_caller]
    pub fn plan_json(&self) -> serde_json::Value {
        self.command(["plan", SPEC, "--json"]).exits(0).json()
    }

    /// The files at the sink.
    pub fn sink(&self) -> Tree {
        let mut tree = tree::read(&self.path("out"));
        // The store's own folder, for what is not finished.
        tree.retain(|name, _| !name.starts_with(".pipeline-partial/"));
        tree
    }

    /// Every file below a folder of the project.
    pub fn tree(&self, folder: &str) -> Tree {
        tree::read(&self.path(folder))
    }

    /// Every file of the project but those in the folder of states.
    pub fn tree_without_state(&self) -> Tree {
        let mut tree = tree::read(self.root());
        tree.retain(|name, _| !name.starts_with(".pipeline/"));
        tree
    }

    /// The job's state.
    pub fn state(&self) -> PathBuf {
        self.path(".pipeline/copy/local")
    }

    /// What the sink must hold when every file of the lists is copied: each target with the bytes of its source.
    pub fn expected_sink(&self) -> Tree {
        self.expected(SPEC)
    }

    /// When each file at the sink was written.
    pub fn written(&self) -> BTreeMap<String, SystemTime> {
        let written = |name: String| {
            let metadata = self.path("out").join(&name).metadata().expect("the file is there");
            (name, metadata.modified().expect("the system tells times"))
        };
        self.sink().into_keys().map(written).collect()
    }

    pub fn read_bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }

    pub fn environment(&self, name: &str) -> Option<String> {
        let own = self.environment.iter().find(|(own, _)| own == name);
        own.map(|(_, value)| value.clone()).or_else(|| std::env::var(name).ok())
    }
}
