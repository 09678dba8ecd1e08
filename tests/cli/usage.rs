use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use crate::harness::{Job, Project, SPEC};

#[test]
fn from_an_empty_folder_to_a_job_that_has_run() {
    let project = Project::new(Vec::new());
    let output = project.command(["init"]).exits(0);
    let next = "pipeline validate jobs/new-job.yaml";
    output.says(next);
    project
        .command(["validate", "jobs/new-job.yaml"])
        .exits(0)
        .says("pipeline plan jobs/new-job.yaml");
    project
        .command(["plan", "jobs/new-job.yaml"])
        .exits(0)
        .says("pipeline run jobs/new-job.yaml");
    project.command(["run", "jobs/new-job.yaml"]).exits(0);
    assert_eq!(project.sink(), project.tree("jobs/data"));
    assert!(!project.sink().is_empty());
    project.command(["init"]).exits(2).says("is there already");
}

#[test]
fn the_schemas_are_those_that_are_checked_in() {
    let project = Project::new(Vec::new());
    let checked_in =
        |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name)).unwrap();
    assert_eq!(
        project.command(["schema"]).exits(0).stdout.trim_end(),
        checked_in("job.schema.json").trim_end()
    );
    project.command(["schema", "--out", "."]).exits(0);
    for name in ["job.schema.json", "connections.schema.json"] {
        assert_eq!(project.read(name), checked_in(name));
    }
}

#[test]
fn bad_usage_ends_with_2() {
    let project = Job::new().create();
    for command in [
        &["run"][..],
        &["walk", SPEC],
        &["run", SPEC, "--sizes"],
        &["run", SPEC, "--var", "novalue"],
        &["plan", SPEC, "--graph", "picture"],
        &["run", "jobs/none.yaml"],
        &["run", SPEC, "--profile", "none"],
    ] {
        let output = project.command(command.iter().copied()).exits(2);
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{command:?}");
    }
    assert!(!project.path(".pipeline").exists());
}

#[test]
fn all_problems_of_a_spec_are_told_at_once() {
    let project = Job::new().create();
    project.edit(SPEC, "mode: skip", "mode: skipp, hsh: none");
    project.edit(SPEC, "max_attempts: 2", "max_attempts: 0");
    let output = project
        .command(["validate", SPEC])
        .exits(2)
        .says("skipp")
        .says("did you mean")
        .says("max_attempts");
    assert!(output.stderr.contains("hsh"), "{}", output.stderr);
}

#[test]
fn a_validation_in_full_reaches_every_connection() {
    let project = Job::new().create();
    project
        .command(["validate", SPEC, "--connect"])
        .exits(0)
        .says("`originals`: reached");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = Job::new().items(3).files(60).create();
    for arguments in [
        &["plan", SPEC][..],
        &["run", SPEC],
        &["status", SPEC, "--json"],
        &["--help"],
        &["schema"],
    ] {
        let mut child = project
            .prepare(arguments.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        let status = child.wait().unwrap();
        assert!(!told.contains("panicked"), "{arguments:?}: {told}");
        assert_eq!(status.code(), Some(0), "{arguments:?}: {told}");
    }
    assert_eq!(project.sink().len(), 180, "the run did its work");
}

#[test]
fn a_flag_stands_above_the_environment() {
    let project = Job::new().env("PIPELINE_STATE", "from-environment").create();
    project.run().exits(0);
    assert!(project.path("from-environment/format.json").exists());
    project.command(["run", SPEC, "--state", "from-flag"]).exits(0);
    assert!(project.path("from-flag/format.json").exists());
}
