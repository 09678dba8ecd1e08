//! Files that are written anew at the source after a listing has told their size.

use crate::harness::{Job, Project, SPEC};

fn listed() -> Project {
    let project = Job::new()
        .connection("originals", r#"fs = { root = "originals" }"#)
        .create();
    project.write(
        SPEC,
        "job: copy\nsource: { files: { connection: originals, glob: \"**\" } }\nsink: { connection: results, mode: skip }\n\
         naming: { object: \"{{file.path}}\" }\nretry: { max_attempts: 1 }\n",
    );
    project.write("jobs/originals/a/one.bin", "first");
    project
}

#[test]
fn a_file_that_has_grown_since_it_was_listed_is_copied_as_it_is_now() {
    let project = listed();
    // Its folder cannot be made: the file fails, with the size that the list told.
    project.write("out/a", "in the way");
    project.run().exits(6);
    project.remove("out/a");
    project.write("jobs/originals/a/one.bin", "it has grown");
    project.command(["retry", SPEC]).exits(0);
    assert_eq!(project.read("out/a/one.bin"), "it has grown");
}

#[test]
fn a_file_that_is_put_back_is_copied_as_it_is_now() {
    let project = listed();
    project.run().exits(0);
    project.remove("out/a/one.bin");
    project.write("jobs/originals/a/one.bin", "it has grown");
    project.command(["verify", SPEC, "--reopen"]).exits(11);
    project.run().exits(0);
    assert_eq!(project.read("out/a/one.bin"), "it has grown");
}
