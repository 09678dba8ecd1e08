use crate::harness::{Job, Project, SPEC};

fn done() -> Project {
    let (project, output) = Job::new().items(3).files(10).with("limits", "{ page_units: 4 }").run();
    output.exits(0);
    project
}

#[test]
fn a_sound_state_is_called_so() {
    let project = done();
    project
        .command(["state", "doctor", SPEC])
        .exits(0)
        .says("the state is sound");
    let json = project.command(["state", "doctor", SPEC, "--json"]).exits(0).json();
    assert_eq!(
        (&json["items"], &json["sealed_pages"]),
        (&3.into(), &9.into()),
        "{json}"
    );
}

#[test]
fn a_database_that_is_gone_stops_everything_until_it_is_rebuilt() {
    let project = done();
    std::fs::remove_dir_all(project.state().join("db")).unwrap();
    for command in ["run", "plan", "verify"] {
        project
            .command([command, SPEC])
            .exits(13)
            .says("state doctor")
            .says("state rebuild");
    }
    project.command(["state", "doctor", SPEC]).exits(13);
    project
        .command(["state", "rebuild", SPEC])
        .exits(0)
        .says("pipeline run jobs/copy.yaml");
    let before = project.written();
    project.run().exits(0);
    assert_eq!(project.written(), before, "nothing is written twice");
    project.run().exits(0).says("nothing left");
    project.command(["state", "doctor", SPEC]).exits(0);
}

#[test]
fn an_emptied_database_is_not_taken_for_a_new_one() {
    let project = done();
    for entry in std::fs::read_dir(project.state().join("db")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::write(path, b"").unwrap();
        }
    }
    project.run().exits(13).says("state rebuild");
    project.command(["state", "rebuild", SPEC]).exits(0);
    let before = project.written();
    project.run().exits(0);
    assert_eq!(project.written(), before);
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named() {
    let project = Job::new().create();
    project.write(".pipeline/copy/local", "a file");
    let output = project.run();
    assert!(matches!(output.code, Some(7 | 13)), "{}", output.text());
    output.says(".pipeline/copy/local");
    assert!(project.sink().is_empty());
    let output = project.command(["run", SPEC, "--state", SPEC]);
    assert!(matches!(output.code, Some(7 | 13)), "{}", output.text());
}

#[test]
fn another_jobs_state_is_refused() {
    let project = done();
    project.edit(SPEC, "job: copy", "job: other");
    project
        .command(["run", SPEC, "--state", ".pipeline/copy/local"])
        .exits(13)
        .says("belongs to job `copy`");
}

#[test]
fn a_state_that_never_was_is_no_damage() {
    let project = Job::new().create();
    for command in [&["failures", SPEC][..], &["verify", SPEC], &["status", SPEC]] {
        project
            .command(command.iter().copied())
            .exits(1)
            .says("pipeline run jobs/copy.yaml");
    }
    let output = project.command(["state", "doctor", SPEC]);
    assert!(!output.text().contains("panicked"), "{}", output.text());
    assert!(
        !project.path(".pipeline/copy/local/db").exists(),
        "looking makes no state"
    );
}

#[cfg(unix)]
#[test]
fn a_state_that_cannot_be_written_is_named_and_nothing_is_copied() {
    use std::os::unix::fs::PermissionsExt;

    let project = Job::new().create();
    let folder = project.path("locked");
    std::fs::create_dir(&folder).unwrap();
    let permit = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
    permit(0o500);
    // Who may write everywhere, as root does, cannot be refused this way.
    let is_refused = std::fs::write(folder.join("probe"), "").is_err();
    if is_refused {
        project
            .command(["run", SPEC, "--state", "locked/state"])
            .exits(7)
            .says("locked/state")
            .says("writable");
        assert!(project.sink().is_empty());
    }
    permit(0o700);
}
