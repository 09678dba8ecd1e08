use crate::harness::{Job, Project, SPEC};

#[test]
fn the_last_account_is_told_without_running() {
    let (project, output) = Job::new()
        .item("a", ["one.bin", "two.missing.bin"])
        .item("b", ["three.bin"])
        .run();
    output.exits(6);
    let before = project.tree_without_state();
    project
        .command(["report", SPEC])
        .exits(0)
        .says("residual 0")
        .says("1 not_found store.not_found")
        .says("completed with failures")
        .says("Next: pipeline failures jobs/copy.yaml");
    let ran = project.run().exits(6);
    let json = project.command(["report", SPEC, "--json"]).exits(0).json();
    let account = &json["account"];
    assert_eq!(account["files"]["done"], 2, "{json}");
    assert_eq!(account["items"]["failed"], 1, "{json}");
    assert_eq!(account["balanced"], true, "{json}");
    assert_eq!(json["last_runs"].as_array().unwrap().len(), 2, "{json}");
    assert!(ran.text().contains("residual 0"));
    assert_eq!(project.tree_without_state(), before);
}

#[test]
fn items_that_the_run_never_began_are_in_the_account() {
    let project = Job::new()
        .item("a", ["one.missing.bin"])
        .item("b", ["two.bin"])
        .concurrency(1, 1)
        .create();
    project.command(["run", SPEC, "--fail-fast"]).exits(8);
    let json = project.command(["report", SPEC, "--json"]).exits(0).json();
    assert_eq!(json["account"]["items"]["planned"], 2, "{json}");
    assert_eq!(json["account"]["listed"], false, "{json}");
}

#[test]
fn completions_are_for_the_shell_that_is_named() {
    let project = Project::new(Vec::new());
    for (shell, words) in [
        ("bash", "_pipeline"),
        ("zsh", "#compdef pipeline"),
        ("fish", "complete -c pipeline"),
    ] {
        project.command(["completions", shell]).exits(0).says(words);
    }
    project.command(["completions", "dos"]).exits(2);
}
