//! States that were damaged from outside: each command says so, and the commands that it names lead to success.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Behaviour, Gate, Job, Project, SPEC, bytes_of};

const THEN: &str = r#"[{ notify: { connection: queue, each: file, when: present, message: "{{target.name}}" } }]"#;

fn job() -> Job {
    Job::new()
        .items(3)
        .files(6)
        .with("limits", "{ page_units: 4 }")
        .with("then", THEN)
        .connection("queue", r#"jsonl-queue = { path = "../told.jsonl" }"#)
}

/// One item is completed; the others are copied and owe their messages, so that none of their pages is sealed.
fn half_done() -> Project {
    let project = job().create();
    project.command(["run", SPEC, "--limit", "1"]).exits(0);
    project.command(["run", SPEC, "--stage", "copy"]).exits(0);
    assert_eq!(told(&project).len(), 6);
    project
}

/// What the messages speak of, in their order.
fn told(project: &Project) -> Vec<String> {
    let messages = project.read("told.jsonl");
    let blob = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["body"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    messages.lines().map(blob).collect()
}

/// Every command refuses the state and names what helps.
#[track_caller]
fn is_refused(project: &Project) {
    for command in ["run", "plan", "failures", "verify"] {
        project
            .command([command, SPEC])
            .exits(13)
            .says("pipeline state doctor")
            .says("pipeline state rebuild")
            .hides("panicked");
    }
}

/// Does what the messages say, and finds the job complete: nothing is written twice, and each file is told of.
#[track_caller]
fn the_remedy_helps(project: &Project) {
    let written = project.written();
    project
        .command(["state", "doctor", SPEC])
        .exits(13)
        .says("Next: pipeline state rebuild jobs/copy.yaml");
    project
        .command(["state", "rebuild", SPEC])
        .exits(0)
        .says("Next: pipeline run jobs/copy.yaml");
    let json = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(json["account"]["balanced"], true, "{json}");
    assert_eq!(json["account"]["files"]["planned"], 18, "{json}");
    assert_eq!(project.written(), written, "nothing is written twice");
    assert_eq!(project.sink(), project.expected_sink());
    let told: BTreeSet<String> = told(project).into_iter().collect();
    assert!(told.iter().eq(project.sink().keys()), "each file is told of: {told:?}");
    project.command(["state", "doctor", SPEC]).exits(0);
    project.command(["verify", SPEC, "--checksum"]).exits(0);
}

fn overwrite(path: &Path, from: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[from..].fill(0x5a);
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, length: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

#[test]
fn a_truncated_database_is_rebuilt() {
    let project = half_done();
    let database = project.state().join("db/db");
    // The file is longer than what is written in it.
    let bytes = std::fs::read(&database).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    cut(&database, used as u64 / 2);
    is_refused(&project);
    the_remedy_helps(&project);
    assert_eq!(told(&project).len(), 18, "what was sealed is not told again");
}

#[test]
fn an_overwritten_database_is_rebuilt() {
    let project = half_done();
    overwrite(&project.state().join("db/db"), 0);
    is_refused(&project);
    the_remedy_helps(&project);
}

#[test]
fn an_older_copy_of_the_database_is_not_taken_for_the_state() {
    let project = job().create();
    project.command(["run", SPEC, "--limit", "1"]).exits(0);
    let (database, copy) = (project.state().join("db"), project.path("copy"));
    let copied = Command::new("cp").arg("-r").arg(&database).arg(&copy).status();
    assert!(copied.unwrap().success());
    project.run().exits(0);
    std::fs::remove_dir_all(&database).unwrap();
    std::fs::rename(&copy, &database).unwrap();
    is_refused(&project);
    the_remedy_helps(&project);
    assert_eq!(told(&project).len(), 18, "every page was sealed");
}

#[test]
fn a_marker_that_cannot_be_read_is_made_anew() {
    for content in ["", "{ half of"] {
        let project = half_done();
        std::fs::write(project.state().join("format.json"), content).unwrap();
        is_refused(&project);
        the_remedy_helps(&project);
    }
}

#[test]
fn a_damaged_ledger_is_named_where_it_is_read_and_what_it_lost_is_looked_at_again() {
    for damage in [
        (|path: &Path| cut(path, path.metadata().unwrap().len() / 2)) as fn(&Path),
        |path: &Path| overwrite(path, path.metadata().unwrap().len() as usize / 2),
        |path: &Path| std::fs::remove_file(path).unwrap(),
    ] {
        let project = job().create();
        project.run().exits(0);
        damage(&project.state().join("segments/00000001.seg"));
        project
            .command(["verify", SPEC])
            .exits(13)
            .says("pipeline state doctor")
            .says("pipeline state rebuild");
        the_remedy_helps(&project);
    }
}

#[test]
fn messages_that_failed_are_still_owed_after_a_rebuild() {
    let project = job().create();
    std::fs::create_dir(project.path("told.jsonl")).unwrap();
    project.run().exits(6);
    std::fs::remove_dir_all(project.state().join("db")).unwrap();
    project.command(["state", "rebuild", SPEC]).exits(0);
    std::fs::remove_dir(project.path("told.jsonl")).unwrap();
    project.run().exits(0);
    assert_eq!(told(&project).len(), 18);
}

#[test]
fn a_state_that_is_in_use_is_free_once_its_holder_is_stopped() {
    let gate = Gate::start();
    for name in ["one", "two", "three"] {
        gate.put(&format!("a/{name}"), bytes_of(name, 1_000), Behaviour::Held);
    }
    let project = Job::new()
        .item("a", ["one", "two", "three"])
        .source_gate(&gate)
        .concurrency(1, 2)
        .create();
    let running = project.spawn(["run", SPEC]);
    gate.wait_until_held(2);
    for command in [
        &["run", SPEC][..],
        &["state", "doctor", SPEC],
        &["state", "rebuild", SPEC],
    ] {
        project
            .command(command.iter().copied())
            .exits(13)
            .says(&format!("process {}", running.pid()))
            .says("stop it");
    }
    running.signal("TERM");
    gate.open();
    running.wait().exits(143);
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

/// A small file system in memory; unmounted when dropped.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    /// `None`, with a message, where this user may not mount.
    fn on(path: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(path).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(path));
        }
        eprintln!("left out: mounting a small file system takes root");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let remounted = Command::new("mount").args(["-o", &options]).arg(self.0).status();
        assert!(remounted.unwrap().success());
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_read_only_state_stops_everything_until_it_is_writable() {
    let project = job().create();
    let folder = project.path(".pipeline");
    let Some(mounted) = Mounted::on(&folder) else {
        return;
    };
    project.command(["run", SPEC, "--limit", "1"]).exits(0);
    mounted.remount("ro");
    for command in ["run", "plan", "failures"] {
        project
            .command([command, SPEC])
            .exits(7)
            .says("make the folder writable")
            .says("--state");
    }
    project.command(["status", SPEC]).exits(0).says("ended");
    assert_eq!(project.sink().len(), 6, "nothing is copied that cannot be recorded");
    mounted.remount("rw");
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
    assert_eq!(told(&project).len(), 18);
}
