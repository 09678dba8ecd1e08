use crate::harness::{Job, SPEC};

#[test]
fn another_naming_is_refused_until_it_is_accepted() {
    let (project, output) = Job::new().run();
    output.exits(0);
    let before = project.sink();
    project.edit(SPEC, "{{item.Id}}/{{file.Name}}", "{{item.Id}}-{{file.Name}}");
    project
        .run()
        .exits(12)
        .says("stage `")
        .says("--accept-changes")
        .says("--restart");
    assert_eq!(project.sink(), before, "nothing is touched");
    project
        .command(["run", SPEC, "--accept-changes"])
        .exits(0)
        .says("nothing left");
    assert_eq!(project.sink(), before, "what is done stays done under its old name");
    project.run().exits(0).says("nothing left");
}

#[test]
fn a_restart_asks_and_begins_anew() {
    let (project, output) = Job::new().run();
    output.exits(0);
    project.edit(SPEC, "{{item.Id}}/{{file.Name}}", "{{item.Id}}-{{file.Name}}");
    project.command(["run", SPEC, "--restart"]).exits(2).says("--yes");
    project.command(["run", SPEC]).exits(12);
    let part = ["run", SPEC, "--restart", "--yes", "--limit", "1"];
    project.command(part).exits(2).says("leave the selection out");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(project.sink().len(), 12);
    assert_eq!(project.ledger().len(), 6);
}

#[test]
fn what_was_never_begun_went_by_no_definition() {
    let project = Job::new().create();
    project.edit(SPEC, "csv: items.csv", "csv: itmes.csv");
    let failed = project.run();
    assert!(![Some(0), Some(12)].contains(&failed.code), "{failed:?}");
    project.edit(SPEC, "csv: itmes.csv", "csv: items.csv");
    project.plan().exits(0).hides("--accept-changes");
    project.run().exits(0);
}

#[test]
fn another_pace_is_no_change() {
    let (project, output) = Job::new().run();
    output.exits(0);
    project.edit(SPEC, "max_attempts: 2", "max_attempts: 5");
    project.edit(
        SPEC,
        "sink:",
        "limits: { memory: 64MiB, page_units: 7 }\nconcurrency: { limit: 3, items: { limit: 2 } }\nsink:",
    );
    project.run().exits(0).says("nothing left");
}

#[test]
fn a_plan_over_a_changed_spec_says_that_it_is_one() {
    let (project, output) = Job::new().run();
    output.exits(0);
    project.edit(SPEC, "{{item.Id}}/{{file.Name}}", "{{item.Id}}-{{file.Name}}");
    project.plan().says("--accept-changes");
}
