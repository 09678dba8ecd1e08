use crate::harness::{Job, SPEC};

#[test]
fn runs_and_items_are_listed_by_where_they_stand() {
    let project = Job::new()
        .item("a", ["one.bin"])
        .item("b", ["two.bin"])
        .source_folder()
        .create();
    std::fs::rename(project.path("jobs/originals/b/two.bin"), project.path("kept")).unwrap();
    project.run().exits(6);
    std::fs::rename(project.path("kept"), project.path("jobs/originals/b/two.bin")).unwrap();
    let failed = project
        .command(["history", SPEC, "--status", "failed", "--json"])
        .exits(0)
        .json();
    assert_eq!(failed["items_count"], 1, "{failed}");
    assert_eq!(failed["items"][0]["item"], "b", "{failed}");
    assert_eq!(failed["items"][0]["files"]["failed"], 1, "{failed}");
    project
        .command(["history", SPEC])
        .exits(0)
        .says("completed with failures")
        .says("2 items: 1 completed, 1 failed")
        .says("Next: pipeline failures jobs/copy.yaml");
    project.run().exits(0);
    let json = project.command(["history", SPEC, "--json"]).exits(0).json();
    let outcomes: Vec<_> = json["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["outcome"])
        .collect();
    assert_eq!(outcomes, ["completed_with_failures", "completed"], "{json}");
    assert!(json["runs"][1]["duration_ms"].is_u64(), "{json}");
    assert_eq!(json["totals"]["files"]["done"], 2, "{json}");
    project
        .command(["history", SPEC, "--item", "b"])
        .exits(0)
        .says("`b`: completed")
        .says("2 runs");
    project
        .command(["history", SPEC, "--item", "c", "--status", "failed"])
        .exits(2);
}

#[test]
fn a_run_that_could_not_read_its_list_has_an_end() {
    let project = Job::new().create();
    project.remove("jobs/data/items.csv");
    project.run().exits(7);
    project.command(["history", SPEC]).exits(0).says("fatal");
    let history = project.command(["history", SPEC, "--json"]).exits(0).json();
    assert_eq!(history["runs"][0]["outcome"], "fatal", "{history}");
    assert!(
        history["runs"][0]["ended"].is_string() || history["runs"][0]["ended"].is_number(),
        "{history}"
    );
}
