use rusqlite::Connection;

use crate::harness::{Behaviour, Gate, Job, Project, SPEC, bytes_of};

fn with_a_failure() -> Project {
    let (project, output) = Job::new()
        .item("a", ["one.bin", "two.missing.bin"])
        .item("b", ["three.bin"])
        .run();
    output.exits(6);
    project
}

#[test]
fn the_ledger_is_exported_in_three_forms() {
    let project = with_a_failure();
    for out in ["ledger.csv", "ledger.jsonl", "ledger.sqlite"] {
        project
            .command(["state", "export", SPEC, "--out", out])
            .exits(0)
            .says("3 files of 2 items")
            .says("Next: pipeline report");
    }
    let csv = project.read("ledger.csv");
    assert_eq!(
        csv.lines().next(),
        Some("item,source,target,size,status,hash,attempts,class,code,message")
    );
    assert_eq!(csv.lines().count(), 4, "{csv}");
    let lines: Vec<serde_json::Value> = project
        .read("ledger.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let done = lines.iter().find(|line| line["target"] == "a/one.bin").unwrap();
    assert!(done["hash"].as_str().unwrap().starts_with("sha256:"), "{done}");
    let database = Connection::open(project.path("ledger.sqlite")).unwrap();
    let code: String = database
        .query_row(
            "select files.code from files join items using (item) where items.status = 'failed' and files.status = 'failed'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(code, "store.not_found");
    let runs: u64 = database
        .query_row("select count(*) from runs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(runs, 1);
    project
        .command(["state", "export", SPEC, "--out", "ledger.xlsx"])
        .exits(2)
        .says(".sqlite");
    assert!(!project.path("ledger.partial").exists());
}

#[test]
fn an_export_replaces_the_one_before() {
    let project = with_a_failure();
    for _ in 0..2 {
        project
            .command(["state", "export", SPEC, "--out", "ledger.sqlite"])
            .exits(0);
    }
    let database = Connection::open(project.path("ledger.sqlite")).unwrap();
    let files: u64 = database
        .query_row("select count(*) from files", [], |row| row.get(0))
        .unwrap();
    assert_eq!(files, 3);
}

#[test]
fn a_skipped_item_is_in_no_way_of_completion_until_that_is_undone() {
    let project = with_a_failure();
    project
        .command(["state", "skip", SPEC, "a"])
        .exits(0)
        .says("is skipped")
        .says("Next: pipeline run jobs/copy.yaml");
    let json = project.command(["run", SPEC, "--json"]).exits(0).json();
    let account = &json["account"];
    assert_eq!(account["items"]["skipped"], 1, "{json}");
    assert_eq!(account["files"]["skipped"], 1, "{json}");
    assert_eq!(account["files"]["failed"], 0, "{json}");
    assert_eq!(account["balanced"], true, "{json}");
    project.command(["failures", SPEC]).exits(0).says("no failures");
    project.command(["verify", SPEC]).exits(0);
    project.command(["plan", SPEC, "--detailed-exitcode"]).exits(0);
    project.command(["history", SPEC]).exits(0).says("1 skipped");
    project.command(["report", SPEC]).exits(0).says("residual 0");
    project.command(["state", "skip", SPEC, "a", "--undo"]).exits(0);
    project.run().exits(6);
    project
        .command(["state", "skip", SPEC, "b"])
        .exits(2)
        .says("is completed");
    project
        .command(["state", "skip", SPEC, "b", "--undo"])
        .exits(2)
        .says("is not skipped");
    project.command(["state", "skip", SPEC, "c"]).exits(2).says("`c`");
}

#[test]
fn an_item_that_was_never_begun_can_be_skipped() {
    let project = Job::new().items(2).files(2).create();
    project.command(["run", SPEC, "--only", "item-1"]).exits(0);
    project.command(["state", "skip", SPEC, "item-2"]).exits(0);
    project.run().exits(0).says("residual 0");
    assert_eq!(project.sink().len(), 2);
}

#[test]
fn what_something_else_has_done_is_not_copied_again() {
    let project = Job::new()
        .item("a", ["one.bin", "two.bin"])
        .item("b", ["three.bin"])
        .source_folder()
        .with("limits", "{ page_units: 1 }")
        .create();
    // Only the import tells of it: nothing stands at the sink, and the source has lost it.
    project.remove("jobs/originals/a/two.bin");
    project.write("done.csv", "item,target,size\na,a/two.bin,12\n");
    project
        .command(["state", "import", SPEC, "--done", "done.csv"])
        .exits(0)
        .says("1 file counts as present")
        .says("Next: pipeline plan");
    let json = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(json["account"]["files"]["present"], 1, "{json}");
    assert_eq!(json["account"]["files"]["done"], 2, "{json}");
    assert_eq!(project.sink().len(), 2);
    project.run().exits(0).says("nothing left");
    project.write("done.csv", "item,target\na,a/two.bin\na,a/other.bin\n");
    project
        .command(["state", "import", SPEC, "--done", "done.csv"])
        .exits(0)
        .says("1 were done or present already")
        .says("1 are not in the list");
    project.run().exits(0).says("nothing left");
    project.command(["state", "doctor", SPEC]).exits(0);
}

#[test]
fn a_failed_file_that_was_brought_by_hand_is_settled_by_an_import() {
    let project = with_a_failure();
    project.write("done.csv", "item,target\na,a/two.missing.bin\n");
    project
        .command(["state", "import", SPEC, "--done", "done.csv"])
        .exits(0)
        .says("1 file counts as present");
    project.run().exits(0);
    project.command(["why", SPEC, "a"]).exits(0).says("present");
    project.write("done.csv", "item,target\nz,z/one.bin\n");
    project
        .command(["state", "import", SPEC, "--done", "done.csv"])
        .exits(2)
        .says("`z`");
    project.write("done.csv", "item\na\n");
    project
        .command(["state", "import", SPEC, "--done", "done.csv"])
        .exits(2)
        .says("done.csv");
}

#[test]
fn a_lock_is_explained_and_only_a_name_left_behind_is_removed() {
    let gate = Gate::start();
    gate.put("a/one", bytes_of("one", 100), Behaviour::Held);
    let project = Job::new().item("a", ["one"]).source_gate(&gate).create();
    project.command(["state", "unlock", SPEC]).exits(0).says("nobody holds");
    let running = project.spawn(["run", SPEC]);
    gate.wait_until_held(1);
    let pid = running.pid();
    project
        .command(["state", "unlock", SPEC])
        .exits(13)
        .says(&format!("process {pid}"))
        .says("Next: pipeline status");
    running.kill();
    project
        .command(["state", "unlock", SPEC])
        .exits(0)
        .says(&format!("process {pid}"))
        .says("is removed");
    project.command(["state", "unlock", SPEC]).exits(0).says("nobody holds");
    gate.open();
    project.run().exits(0);
}
