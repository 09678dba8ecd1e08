use crate::harness::{Job, Project, SPEC};

/// A ledger with dead blocks: each run that tries a failed file again seals its page anew.
fn worn() -> Project {
    let project = Job::new()
        .item("a", ["one.bin", "two.bin", "three.bin"])
        .item("b", ["four.bin"])
        .source_folder()
        .with("limits", "{ page_units: 2 }")
        .create();
    std::fs::rename(project.path("jobs/originals/a/two.bin"), project.path("kept")).unwrap();
    for _ in 0..4 {
        project.run().exits(6);
    }
    std::fs::rename(project.path("kept"), project.path("jobs/originals/a/two.bin")).unwrap();
    project.run().exits(0);
    project
}

#[test]
fn dead_blocks_and_old_journals_go_and_everything_else_stays() {
    let project = worn();
    let ledger = project.ledger();
    let json = project
        .command(["cleanup", SPEC, "--keep-journals", "2", "--json"])
        .exits(0)
        .json();
    assert_eq!(json["pages_rewritten"], 3, "{json}");
    assert_eq!(json["segments_removed"], 1, "{json}");
    assert_eq!(json["journals_removed"], 3, "{json}");
    assert!(json["bytes_after"].as_u64() < json["bytes_before"].as_u64(), "{json}");
    assert_eq!(project.ledger(), ledger);
    project.command(["state", "doctor", SPEC]).exits(0);
    project.run().exits(0).says("nothing left");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    let again = project.command(["cleanup", SPEC, "--json"]).exits(0).json();
    assert_eq!(
        (&again["pages_rewritten"], &again["segments_removed"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_state_that_was_cleaned_up_can_be_rebuilt() {
    let project = worn();
    project
        .command(["cleanup", SPEC])
        .exits(0)
        .says("Next: pipeline report");
    let ledger = project.ledger();
    std::fs::remove_dir_all(project.state().join("db")).unwrap();
    project.command(["state", "rebuild", SPEC]).exits(0);
    assert_eq!(project.ledger(), ledger);
    let before = project.written();
    project.run().exits(0);
    assert_eq!(project.written(), before);
}

#[test]
fn a_database_that_was_set_aside_is_removed() {
    let project = worn();
    project.command(["state", "rebuild", SPEC]).exits(0);
    let aside = || {
        let entries = std::fs::read_dir(project.state()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("db.damaged-")).count()
    };
    assert_eq!(aside(), 1);
    project.command(["cleanup", SPEC]).exits(0).says("1 database removed");
    assert_eq!(aside(), 0);
    project.run().exits(0);
}
