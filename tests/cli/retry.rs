use crate::harness::{File, Job, Project, SPEC};

/// Three pages of two files; a name in the middle cannot be carried by the sink.
fn refused() -> Project {
    let files = [
        File::named("one.bin"),
        File::named("two.bin"),
        File::named("a/../three.bin").path("a/three.bin"),
        File::named("four.bin"),
        File::named("five.bin"),
    ];
    let project = Job::new()
        .item("a", files)
        .item("b", ["six.bin"])
        .source_folder()
        .with("limits", "{ page_units: 2 }")
        .connection("queue", r#"jsonl-queue = { path = "queue.jsonl" }"#)
        .with(
            "then",
            r#"[{ notify: { connection: queue, each: file, when: written, message: { name: "{{target.name}}" } } }]"#,
        )
        .create();
    project.run().exits(6);
    project
}

fn messages(project: &Project) -> Vec<String> {
    let queue = project
        .tree("jobs")
        .into_keys()
        .find(|name| name.ends_with("queue.jsonl"));
    let text = project.read(&format!("jobs/{}", queue.unwrap()));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_refused_file_is_met_again_in_the_list_and_what_is_done_stays_done() {
    let project = refused();
    let before = project.written();
    let told = messages(&project);
    assert_eq!((before.len(), told.len()), (5, 5));
    project.edit("jobs/data/lists/a.csv", "a/../three.bin", "three.bin");
    project.run().exits(6);
    assert_eq!(project.sink().len(), 5, "a plain run leaves it refused");
    project
        .command(["why", SPEC, "a"])
        .exits(0)
        .says("Next: pipeline retry");
    project
        .command(["retry", SPEC])
        .exits(0)
        .says("1 refused file is")
        .says("1 item is listed anew")
        .says("residual 0");
    let mut after = project.written();
    assert!(after.remove("a/three.bin").is_some());
    assert_eq!(after, before, "nothing is written twice");
    assert_eq!(messages(&project).len(), 6, "nothing is told twice");
    project.run().exits(0).says("nothing left");
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    project.command(["state", "doctor", SPEC]).exits(0);
}

#[test]
fn a_file_that_is_still_refused_stays_a_failure() {
    let project = refused();
    let before = project.written();
    project.command(["retry", SPEC]).exits(6).says("residual 0");
    assert_eq!(project.written(), before);
    let json = project.command(["failures", SPEC, "--json"]).exits(0).json();
    assert_eq!(json["total"], 1, "{json}");
}

#[test]
fn of_two_files_with_one_name_the_second_stays_refused() {
    let files = [
        File::named("same.bin").path("a/first.bin"),
        File::named("same.bin").path("a/second.bin"),
        File::named("other.bin"),
    ];
    let (project, output) = Job::new().item("a", files).source_folder().run();
    output.exits(6).says("name.collision");
    project.command(["retry", SPEC]).exits(6).says("name.collision");
    project.edit(
        "jobs/data/lists/a.csv",
        "a/second.bin,same.bin",
        "a/second.bin,second.bin",
    );
    project.command(["retry", SPEC]).exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn a_list_whose_order_changed_is_read_by_names() {
    let project = Job::new()
        .item("a", ["one.bin", "two.bin", "three.bin", "four.bin"])
        .source_folder()
        .with("limits", "{ page_units: 2 }")
        .create();
    let list = project.read("jobs/data/lists/a.csv");
    let mut rows: Vec<&str> = list.lines().collect();
    project.write("jobs/data/lists/a.csv", format!("{}\nbroken\n", rows[..4].join("\n")));
    project.run().exits(6).says("csv.field_count");
    let before = project.written();
    assert!(!before.is_empty(), "a page was done before the list broke off");
    rows[1..].reverse();
    project.write("jobs/data/lists/a.csv", rows.join("\n"));
    project.run().exits(6).says("list.changed");
    project.command(["retry", SPEC]).exits(0).says("listed anew");
    assert_eq!(project.sink(), project.expected_sink());
    for (name, time) in before {
        assert_eq!(project.written()[&name], time, "`{name}` is not written again");
    }
}

#[test]
fn only_the_failures_that_a_file_names_are_tried_again() {
    let project = Job::new()
        .item("a", ["one.bin", "two.bin"])
        .item("b", ["three.bin"])
        .source_folder()
        .create();
    std::fs::remove_dir_all(project.path("jobs/originals")).unwrap();
    project.run().exits(6);
    for (file, keep) in [("failed.csv", "a/one.bin"), ("failed.json", "b/three.bin")] {
        project.command(["failures", SPEC, "--export", file]).exits(0);
        let text = project.read(file);
        if file.ends_with(".json") {
            let all: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
            assert_eq!(all.len(), 2, "{text}");
            let kept: Vec<_> = all.iter().filter(|one| one["target"] == keep).collect();
            project.write(file, serde_json::to_string(&kept).unwrap());
        } else {
            let kept: Vec<&str> = text
                .lines()
                .filter(|line| line.starts_with("item,") || line.contains(keep))
                .collect();
            project.write(file, kept.join("\n"));
        }
        project.write(&format!("jobs/originals/{keep}"), crate::harness::bytes_of(keep, 300));
        project
            .command(["retry", SPEC, "--from", file])
            .exits(6)
            .says("1 failed file is put back");
        assert!(project.sink().contains_key(keep), "{file}");
    }
    let attempts = project.ledger()[&("a".to_owned(), "a/two.bin".to_owned())].attempts;
    assert_eq!(attempts, 1, "what is not named is left alone");
    project.write("odd.csv", "item,target\nc,\n");
    project
        .command(["retry", SPEC, "--from", "odd.csv"])
        .exits(2)
        .says("`c`");
    project.write("odd.csv", "name\nc\n");
    project
        .command(["retry", SPEC, "--from", "odd.csv"])
        .exits(2)
        .says("odd.csv");
}

#[test]
fn files_that_verify_has_found_missing_are_written_again() {
    let (project, output) = Job::new().items(2).files(3).run();
    output.exits(0);
    let whole = project.sink();
    project.remove("out/item-2/file-2-001.bin");
    project.command(["verify", SPEC, "--export", "missing.csv"]).exits(11);
    project
        .command(["retry", SPEC, "--from", "missing.csv"])
        .exits(0)
        .says("1 missing file is put back");
    assert_eq!(project.sink(), whole);
}
