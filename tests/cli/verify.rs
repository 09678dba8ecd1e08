use crate::harness::{Job, Project, SPEC};

fn done() -> Project {
    let (project, output) = Job::new().items(4).files(25).run();
    output.exits(0);
    project
}

#[test]
fn a_sink_as_the_ledger_has_it_passes() {
    let project = done();
    project.command(["verify", SPEC]).exits(0).says("100");
    let json = project
        .command(["verify", SPEC, "--json", "--checksum"])
        .exits(0)
        .json();
    assert_eq!((&json["checked"], &json["passed"]), (&100.into(), &true.into()));
    assert_eq!(json["counts"]["same_by_checksum"], 100);
}

#[test]
fn a_missing_file_is_found_and_put_back_by_a_run() {
    let project = done();
    let whole = project.sink();
    project.remove("out/item-1/file-1-003.bin");
    project
        .command(["verify", SPEC])
        .exits(11)
        .says("item-1/file-1-003.bin")
        .says("--reopen");
    project.run().exits(0).says("nothing left");
    let json = project
        .command(["verify", SPEC, "--json", "--reopen", "--export", "missing.csv"])
        .exits(11)
        .json();
    assert_eq!(json["counts"]["missing"], 1);
    assert_eq!(json["findings"][0]["target"], "item-1/file-1-003.bin");
    let exported = project.read("missing.csv");
    assert!(
        exported.lines().count() == 2 && exported.contains("file-1-003.bin"),
        "{exported}"
    );
    project.run().exits(0);
    assert_eq!(project.sink(), whole);
    project.command(["verify", SPEC, "--checksum"]).exits(0);
}

#[test]
fn another_length_is_found_without_reading() {
    let project = done();
    project.write("out/item-2/file-2-001.bin", "short");
    let json = project.command(["verify", SPEC, "--json"]).exits(11).json();
    assert_eq!(json["counts"]["size_differs"], 1, "{json}");
}

#[test]
fn other_bytes_of_the_same_length_are_found_by_checksum_only() {
    let project = done();
    let path = project.path("out/item-2/file-2-002.bin");
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.is_empty());
    bytes[0] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    project.command(["verify", SPEC]).exits(0);
    let json = project
        .command(["verify", SPEC, "--json", "--checksum"])
        .exits(11)
        .json();
    assert_eq!(json["counts"]["checksum_differs"], 1);
}

#[test]
fn a_sample_is_as_large_as_asked_and_a_bar_may_be_lower() {
    let project = done();
    project.remove("out/item-1/file-1-001.bin");
    let json = project
        .command(["verify", SPEC, "--json", "--sample", "7", "--min", "0%"])
        .exits(0)
        .json();
    assert_eq!(json["checked"], 7);
    project.command(["verify", SPEC, "--min", "99%"]).exits(0);
    project.command(["verify", SPEC, "--min", "99.5%"]).exits(11);
    project.command(["verify", SPEC, "--min", "200%"]).exits(2);
}

#[test]
fn what_would_be_written_over_is_put_back_where_the_mode_allows() {
    let (project, output) = Job::new().mode("overwrite").run();
    output.exits(0);
    let whole = project.sink();
    project.write("out/item-1/file-1-001.bin", "other");
    project.command(["verify", SPEC, "--reopen"]).exits(11);
    project.run().exits(0);
    assert_eq!(project.sink(), whole);
}

#[test]
fn before_the_first_run_there_is_nothing_to_verify() {
    let project = Job::new().create();
    project
        .command(["verify", SPEC])
        .exits(1)
        .says("pipeline run jobs/copy.yaml");
}
