use crate::harness::{Behaviour, File, Gate, Job, SPEC, bytes_of};

#[test]
fn a_missing_file_stops_no_other_and_is_listed() {
    let (project, output) = Job::new()
        .item("a", ["one.bin", "two.missing.bin", "three.bin"])
        .item("b", ["four.bin"])
        .run();
    output
        .exits(6)
        .says("not_found")
        .says("pipeline failures jobs/copy.yaml")
        .says("residual 0");
    assert_eq!(project.sink().len(), 3);
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("two.missing.bin")
        .says("store.not_found");
    let listed = project
        .command(["failures", SPEC, "--json", "--export", "failed.csv"])
        .exits(0)
        .json();
    assert_eq!(listed["total"], 1, "{listed}");
    let exported = project.read("failed.csv");
    assert_eq!(exported.lines().count(), 2, "{exported}");
    assert!(exported.contains("a/two.missing.bin"));
}

#[test]
fn a_plain_run_tries_failed_files_again_once_the_cause_is_cured() {
    let project = Job::new().item("a", ["one.bin", "two.bin"]).source_folder().create();
    std::fs::rename(project.path("jobs/originals/a/two.bin"), project.path("kept")).unwrap();
    project.run().exits(6);
    project.run().exits(6);
    project.command(["run", SPEC, "--no-failed"]).exits(6);
    let attempts =
        |project: &crate::harness::Project| project.ledger()[&("a".to_owned(), "a/two.bin".to_owned())].attempts;
    assert_eq!(attempts(&project), 2, "--no-failed leaves it alone");
    std::fs::rename(project.path("kept"), project.path("jobs/originals/a/two.bin")).unwrap();
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
    project.command(["failures", SPEC]).exits(0).says("no failures");
}

#[test]
fn a_size_other_than_the_lists_is_a_failure_and_no_short_file() {
    let project = Job::new()
        .item(
            "a",
            [
                File::named("cut.bin").listed_size(500).real_size(300),
                File::named("whole.bin").listed_size(400).real_size(400),
            ],
        )
        .source_folder()
        .create();
    project.run().exits(6).says("source.size_differs");
    assert_eq!(project.sink().keys().collect::<Vec<_>>(), ["a/whole.bin"]);
    project.write("jobs/originals/a/cut.bin", bytes_of("a/cut.bin", 500));
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn a_size_that_the_list_had_wrong_is_cured_by_the_list() {
    let project = Job::new()
        .item("a", [File::named("cut.bin").listed_size(500).real_size(300)])
        .source_folder()
        .create();
    project.run().exits(6);
    project.edit("jobs/data/lists/a.csv", "500", "300");
    project.command(["run", SPEC, "--restart", "--yes"]).exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn a_body_that_is_cut_short_leaves_nothing_at_the_sink_and_may_be_retried() {
    let gate = Gate::start();
    gate.put("a/cut", bytes_of("cut", 100_000), Behaviour::CutShort);
    gate.put("a/whole", bytes_of("whole", 1_000), Behaviour::Sound);
    let project = Job::new().item("a", ["cut", "whole"]).source_gate(&gate).create();
    project.run().exits(5).says("1 attempt was repeated");
    assert_eq!(project.sink().keys().collect::<Vec<_>>(), ["a/whole"]);
    gate.put("a/cut", bytes_of("cut", 100_000), Behaviour::Sound);
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn retryable_and_permanent_failures_end_with_their_codes() {
    let gate = Gate::start();
    gate.put("a/busy", bytes_of("busy", 1_000), Behaviour::Status(503));
    gate.put("a/whole", bytes_of("whole", 1_000), Behaviour::Sound);
    let project = Job::new().item("a", ["busy", "whole"]).source_gate(&gate).create();
    project.run().exits(5).says("throttled");
    gate.put("a/busy", bytes_of("busy", 1_000), Behaviour::Sound);
    project.write(
        "jobs/data/lists/a.csv",
        "Path,Name,Size\na/busy,busy,\na/whole,whole,\na/gone,gone,\n",
    );
    let (gone, output) = Job::new().item("a", ["whole", "gone"]).source_gate(&gate).run();
    output.exits(6);
    assert_eq!(gone.sink().len(), 1);
}

#[test]
fn a_connection_that_denies_everything_stops_the_run() {
    let gate = Gate::start();
    let names: Vec<String> = (0..50).map(|number| format!("file-{number:02}")).collect();
    for name in &names {
        gate.put(&format!("a/{name}"), bytes_of(name, 100), Behaviour::Status(403));
    }
    let project = Job::new()
        .item("a", names.iter().map(String::as_str))
        .source_gate(&gate)
        .concurrency(1, 2)
        .create();
    project
        .run()
        .exits(7)
        .says("denied")
        .says("pipeline run jobs/copy.yaml");
    assert!(gate.reads().len() < 20, "{} files were asked for", gate.reads().len());
    for name in &names {
        gate.put(&format!("a/{name}"), bytes_of(name, 100), Behaviour::Sound);
    }
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}
