//! `--set`: any value of the spec from the command line, as if the file said it.

use crate::harness::{Job, SPEC};

#[test]
fn a_setting_counts_before_the_variable_and_the_variable_before_the_file() {
    let project = Job::new().concurrency(2, 2).create();
    let items = |flags: &[&str], environment: &str| {
        let mut command = project.prepare([&["plan", SPEC, "--json"], flags].concat());
        let output = command.env("PIPELINE_SET", environment).output().unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        plan["concurrency"]["items"].as_u64().unwrap()
    };
    assert_eq!(items(&[], ""), 2);
    assert_eq!(items(&[], "limits.page_units=9; concurrency.items.limit=3"), 3);
    let flags = [
        "--set",
        "concurrency.items.limit=5",
        "--set",
        "concurrency.items.limit=4",
    ];
    assert_eq!(items(&flags, "concurrency.items.limit=3"), 4);
}

#[test]
fn a_value_that_the_spec_leaves_out_can_be_set() {
    let project = Job::new().create();
    project
        .command([
            "run",
            SPEC,
            "--set",
            "limits.page_units=1",
            "--set",
            "sink.hash=blake3",
            "--json",
        ])
        .exits(0)
        .says("\"hash\": \"blake3\"");
}

#[test]
fn what_is_wrong_with_a_setting_is_shown_at_the_flag() {
    let project = Job::new().create();
    for (setting, because) in [
        ("concurrency.itms.limit=3", "did you mean `items`?"),
        ("concurency.items.limit=3", "did you mean `concurrency`?"),
        ("retry.max_attempts=many", "`max_attempts`: expected a whole number"),
        ("sink.mode=skp", "did you mean `skip`?"),
        ("sink.mode.x=1", "`sink.mode` is a single value and has no `x`"),
        ("sink.mode", "names no value"),
        ("retry.max_attempts=0", "must be at least 1"),
    ] {
        project
            .command(["run", SPEC, "--set", setting])
            .exits(2)
            .says(because)
            .says("[the command line:1:")
            .says(&format!("--set {setting}"));
    }
    assert!(project.sink().is_empty());
    // A problem of the file keeps its place there.
    project.edit(SPEC, "mode: skip", "mode: skp");
    let both = project
        .command(["validate", SPEC, "--set", "retry.max_attempts=0"])
        .exits(2);
    both.says("copy.yaml:").says("[the command line:1:").says("2 problems");
}

#[test]
fn a_setting_changes_what_done_means_as_an_edit_would() {
    let (project, output) = Job::new().run();
    output.exits(0);
    let naming = ["run", SPEC, "--set", "naming.object={{item.Id}}-{{file.Name}}"];
    project.command(naming).exits(12).says("stage `copy`").says("--set");
    project
        .command(["run", SPEC, "--set", "concurrency.limit=3"])
        .exits(0)
        .says("nothing left");
}

#[test]
fn every_command_about_a_job_takes_a_setting() {
    let (project, output) = Job::new().run();
    output.exits(0);
    for command in [
        "plan", "validate", "status", "verify", "failures", "history", "report", "retry", "cleanup",
    ] {
        project
            .command([command, SPEC, "--set", "retry.max_attempts=3"])
            .exits(0);
        project
            .command([command, SPEC, "--set", "retry.max_attempts=x"])
            .exits(2);
    }
}

#[test]
fn a_plan_keeps_its_settings() {
    let project = Job::new().create();
    let naming = "naming.object=x-{{item.Id}}-{{file.Name}}";
    project
        .command(["plan", SPEC, "--set", naming, "--out", "x.plan"])
        .exits(0);
    project
        .command(["run", "--plan", "x.plan", "--set", "concurrency.limit=3"])
        .exits(0);
    assert!(project.sink().keys().all(|name| name.starts_with("x-item-")));
}
