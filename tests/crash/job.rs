use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pipeline::state::StateFolder;
use serde_json::Value;
use tempfile::TempDir;

use super::files::{Amount, Fate, File};
use super::process::{Ended, Moment, Running};
use super::random::Random;
use super::recorded::{Recorded, items_started_after};

/// The name of every job here.
pub const JOB: &str = "crash";

/// A job over two folders, in a folder of its own.
pub struct Job {
    amount: Amount,
    mode: &'static str,
    list: List,
    page_units: usize,
    units: usize,
}

/// How a job learns of the files of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// A CSV file for each item.
    Csv,
    /// The source's own listing.
    Glob,
}

impl Job {
    pub fn new() -> Self {
        Self {
            amount: Amount {
                items: 4,
                files: 10,
                size_max: 64 << 10,
                missing_one_in: 0,
                there_one_in: 0,
            },
            mode: "skip",
            list: List::Csv,
            page_units: 4096,
            units: 2,
        }
    }

    pub fn items(mut self, items: usize) -> Self {
        self.amount.items = items;
        self
    }

    pub fn files(mut self, files: usize) -> Self {
        self.amount.files = files;
        self
    }

    pub fn size_max(mut self, bytes: usize) -> Self {
        self.amount.size_max = bytes;
        self
    }

    pub fn there_one_in(mut self, files: usize) -> Self {
        self.amount.there_one_in = files;
        self
    }

    pub fn missing_one_in(mut self, files: usize) -> Self {
        self.amount.missing_one_in = files;
        self
    }

    pub fn mode(mut self, mode: &'static str) -> Self {
        self.mode = mode;
        self
    }

    pub fn list(mut self, list: List) -> Self {
        self.list = list;
        self
    }

    pub fn page_units(mut self, units: usize) -> Self {
        self.page_units = units;
        self
    }

    /// Files at once.
    pub fn units(mut self, units: usize) -> Self {
        self.units = units;
        self
    }

    /// Writes the spec, the lists and the files.
    pub fn build(self) -> Place {
        let files = self.amount.files();
        let place = Place::new(files, BTreeMap::new());
        let root = place.path();
        let (source, sink) = (root.join("source"), root.join("sink"));
        std::fs::create_dir_all(root.join("lists")).unwrap();
        std::fs::create_dir_all(&sink).unwrap();
        let mut lists: BTreeMap<&str, String> = BTreeMap::new();
        for file in &place.files {
            let list = lists.entry(&file.item).or_insert_with(|| "Path,Name\n".to_owned());
            list.push_str(&format!("\"{}\",\"{}\"\n", file.source(), file.name));
            let path = source.join(file.source());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if file.fate != Fate::Missing {
                std::fs::write(path, file.bytes()).unwrap();
            }
            if file.fate == Fate::There {
                std::fs::write(sink.join(file.target()), file.bytes_there()).unwrap();
            }
        }
        for (item, list) in lists {
            std::fs::write(root.join(format!("lists/{item}.csv")), list).unwrap();
        }
        let (files, name) = match self.list {
            List::Csv => (
                r#"{ connection: inputs, csv: "lists/{{item.Id}}.csv", read: { connection: originals, path: "{{file.Path}}" } }"#,
                "file.Name",
            ),
            List::Glob => (r#"{ connection: originals, glob: "{{item.Id}}/**" }"#, "file.name"),
        };
        place.write_spec(&Spec {
            items_column: "Id",
            files: files.to_owned(),
            name,
            mode: self.mode,
            page_units: self.page_units,
            max_attempts: 3,
            outage: "5m",
            items: 2,
            units: self.units,
            then: "[]",
        });
        place.write(
            "connections.toml",
            "[local]\ninputs.fs = { root = \".\" }\noriginals.fs = { root = \"source\" }\nresults.fs = { root = \"sink\" }\n",
        );
        place
    }
}

/// What varies between the specs of the jobs here.
pub struct Spec {
    pub items_column: &'static str,
    /// `source.files`, in YAML's flow style.
    pub files: String,
    pub name: &'static str,
    pub mode: &'static str,
    pub page_units: usize,
    pub max_attempts: usize,
    /// How long a connection that is gone is waited for.
    pub outage: &'static str,
    pub items: usize,
    pub units: usize,
    /// `then`, in YAML's flow style.
    pub then: &'static str,
}

/// A job in its folder, with its source and sink.
pub struct Place {
    folder: TempDir,
    pub files: Vec<File>,
    environment: BTreeMap<&'static str, String>,
}

impl Place {
    pub fn new(files: Vec<File>, environment: BTreeMap<&'static str, String>) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            files,
            environment,
        }
    }

    pub fn with_environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.insert(name, value.to_owned());
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn sink(&self) -> PathBuf {
        self.path().join("sink")
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Writes the spec and the list of its items.
    pub fn write_spec(&self, spec: &Spec) {
        let Spec {
            items_column,
            files,
            name,
            mode,
            page_units,
            max_attempts,
            outage,
            items,
            units,
            then,
        } = spec;
        let mut list = format!("{items_column}\n");
        let mut keys: Vec<&str> = self.files.iter().map(|file| file.item.as_str()).collect();
        keys.dedup();
        keys.iter().for_each(|key| list.push_str(&format!("{key}\n")));
        self.write("items.csv", &list);
        self.write(
            "job.yaml",
            &format!(
                r#"
job: {JOB}
source:
  items: {{ connection: inputs, csv: items.csv, key: "{{{{item.{items_column}}}}}" }}
  files: {files}
sink: {{ connection: results, mode: {mode} }}
naming: {{ object: "{{{{item.{items_column}}}}}-{{{{{name}}}}}" }}
concurrency: {{ limit: 16, items: {{ limit: {items}, units: {{ limit: {units}, parts: {{ limit: 3 }} }} }} }}
retry: {{ max_attempts: {max_attempts}, initial_delay: 50ms, max_delay: 200ms, outage: {outage} }}
limits: {{ page_units: {page_units} }}
then: {then}
"#
            ),
        );
    }

    pub fn state(&self) -> StateFolder {
        StateFolder::new(self.path().join("state"))
    }

    /// The binary with its name and arguments, for this job.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command.args(arguments).arg(self.path().join("job.yaml"));
        command.arg("--state").arg(self.path().join("state"));
        command.args(["--json", "--profile", "local"]).envs(&self.environment);
        command
    }

    pub fn start(&self) -> Running {
        self.start_as("run")
    }

    /// Attempts that the run has repeated, as it tells other processes.
    pub fn retries(&self) -> u64 {
        self.progress()["retries"].as_u64().unwrap_or(0)
    }

    /// How often connections that are gone have been asked for so far; `None` while none is.
    pub fn probes(&self) -> Option<u64> {
        self.progress()["outages"][0]["probes"].as_u64()
    }

    fn progress(&self) -> Value {
        let status = std::fs::read(self.state().status()).unwrap_or_default();
        let mut status: Value = serde_json::from_slice(&status).unwrap_or_default();
        status["progress"].take()
    }

    /// Starts a run whose output goes to files of this name.
    pub fn start_as(&self, name: &str) -> Running {
        let (out, err) = (format!("{name}.out"), format!("{name}.err"));
        Running::start(
            &mut self.command(&["run"]),
            self.path().join(out),
            self.path().join(err),
        )
    }

    /// Runs it to its end.
    pub fn run(&self) -> Ended {
        self.start().wait()
    }

    /// The objects at the sink by name.
    pub fn at_sink(&self) -> BTreeMap<String, Object> {
        let entries = std::fs::read_dir(self.sink()).unwrap();
        entries
            .filter_map(|entry| {
                let entry = entry.unwrap();
                // An unfinished file may go away between the two calls, but it lies in a folder.
                let metadata = entry.metadata().ok().filter(|metadata| metadata.is_file())?;
                let name = entry.file_name().into_string().unwrap();
                let (inode, changed) = (metadata.ino(), (metadata.mtime(), metadata.mtime_nsec()));
                Some((name, Object { inode, changed }))
            })
            .collect()
    }

    /// What every entry at the sink must be called and hold at the end, `there` being what the mode does with an object of before.
    pub fn assert_sink(&self, there: There) {
        let mut expected: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for file in &self.files {
            match (file.fate, there) {
                (Fate::Missing, _) => {}
                (Fate::There, There::LeftAlone) => drop(expected.insert(file.target(), file.bytes_there())),
                (Fate::There, There::Overwritten) | (Fate::Copied, _) => {
                    expected.insert(file.target(), file.bytes());
                }
            }
        }
        // Everything that lies there counts, unfinished files and their folder included.
        let names = std::fs::read_dir(self.sink()).unwrap();
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, expected.keys().cloned().collect::<Vec<_>>());
        for (name, bytes) in expected {
            assert!(
                std::fs::read(self.sink().join(&name)).unwrap() == bytes,
                "`{name}` holds its bytes"
            );
        }
    }
}

/// What a file at the sink is, so that a rewritten one shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    pub inode: u64,
    pub changed: (i64, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    LeftAlone,
    Overwritten,
}

/// Runs a job and kills it `kills` times on its way, or more than half as often, at moments spread over all of its work. Checks after each that what was settled before
/// was not touched again.
pub fn kill_often(place: &Place, kills: usize, objects: usize, at_sink: impl Fn() -> usize) {
    let mut random = Random::seeded();
    let mut before = Recorded::of(&place.state());
    for kill in 0..kills {
        let there = at_sink();
        // A share of what is left, so that the last kill still finds work to interrupt.
        let share = objects.saturating_sub(there) / (kills - kill + 1);
        let half = (share / 2).max(1);
        let moment = match kill % 5 {
            0 => Moment::AfterStart(Duration::from_micros(random.below(80_000) as u64)),
            _ => Moment::AtSink(there + half + random.below(half)),
        };
        let killed = place.start().kill_at(moment, &at_sink);
        before = settled_is_left_alone(place, &before);
        if !killed.was_alive {
            // Where the machine is busy, a look at the sink may take longer than what is left of the run: then there is nothing left to interrupt.
            let hits = kill;
            assert!(
                hits * 2 > kills,
                "{moment:?} came after the end, {hits} hit: {}",
                killed.stderr
            );
            break;
        }
    }
    assert!(!before.settled.is_empty(), "no page was ever sealed between the kills");
}

/// Runs a job to its end after kills. Checks that what was settled before is not touched again.
pub fn end_after_kills(place: &Place) -> Ended {
    let before = Recorded::of(&place.state());
    let ended = place.run();
    settled_is_left_alone(place, &before);
    ended
}

fn settled_is_left_alone(place: &Place, before: &Recorded) -> Recorded {
    let after = Recorded::of(&place.state());
    after.assert_keeps(before);
    for item in items_started_after(before.run, &place.state()) {
        assert!(
            !before.completed.contains(&item),
            "`{item}` was completed before and started again"
        );
    }
    after
}
