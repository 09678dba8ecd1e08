//! What a job was begun with stays, run after run.

use crate::harness::{Job, Project, SPEC};

fn begun() -> Project {
    let job = Job::new()
        .with(
            "vars",
            "{ export_id: { required: true }, day: { default: \"${env:DAY:-one}\" } }",
        )
        .naming("${export_id}/${day}/{{item.Id}}/{{file.Name}}");
    let project = job.create();
    project.run().exits(2).says("the variable `export_id` has no value");
    project
        .command(["run", SPEC, "--var", "export_id=7"])
        .exits(0)
        .hides("taken from the state");
    project
}

#[test]
fn a_variable_that_is_not_given_is_taken_from_the_state() {
    let project = begun();
    let output = project.run().exits(0).says("nothing left");
    let told = output.stderr.matches("taken from the state").count();
    assert_eq!(told, 1, "{}", output.stderr);
    assert!(output.stderr.contains("`export_id=7`"), "{}", output.stderr);
    for command in ["status", "verify", "failures", "report", "history", "plan", "retry"] {
        project.command([command, SPEC]).exits(0).says("`export_id=7`");
    }
    project
        .command(["run", SPEC, "--var", "export_id=7"])
        .exits(0)
        .hides("taken from the state");
}

#[test]
fn a_default_that_would_be_another_now_is_taken_from_the_state_too() {
    let project = begun();
    let mut command = project.prepare(["run", SPEC, "--var", "export_id=7"]);
    let output = command.env("DAY", "two").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("taken from the state, which the job was begun with: `day=one`"),
        "{said}"
    );
}

#[test]
fn another_value_is_refused_and_a_new_beginning_takes_it() {
    let project = begun();
    let sink = project.sink();
    project
        .command(["run", SPEC, "--var", "export_id=8"])
        .exits(12)
        .says("variable `export_id`: `7` when the state was begun, `8` now")
        .says("--accept-changes")
        .says("--restart");
    assert_eq!(project.sink(), sink);
    project
        .command(["run", SPEC, "--restart", "--yes"])
        .exits(2)
        .says("`export_id` has no value");
    project
        .command(["run", SPEC, "--restart", "--yes", "--var", "export_id=8"])
        .exits(0);
    assert!(project.sink().contains_key("8/one/item-1/file-1-001.bin"));
    project.run().exits(0).says("`export_id=8`");
}
