use crate::harness::{File, Job, Object, Project, SPEC, bytes_of};

const HOSTILE: [&str; 24] = [
    "../x",
    "/abs",
    "nul\0l",
    "bell\u{7}",
    "",
    "a//b",
    "trailing ",
    " leading",
    "emoji 🏔",
    "nfc-é",
    "nfd-e\u{301}",
    "100%",
    "a%20b",
    "two words",
    "line\nend",
    ".hidden",
    ".pipeline-partial/x",
    "..",
    ".",
    "a/../../b",
    "back\\slash",
    "quote\"'",
    "tab\tbed",
    "dot.",
];

#[test]
fn each_name_arrives_exactly_or_is_its_files_clear_failure() {
    let long = "n".repeat(2_000);
    let names: Vec<&str> = HOSTILE.into_iter().chain([long.as_str(), "plain"]).collect();
    // The bytes are at harmless paths; the names are what the sink shall call them.
    let files = names
        .iter()
        .enumerate()
        .map(|(number, name)| File::named(*name).path(format!("in/{number}")));
    let project = Job::new()
        .item("a", files)
        .source_folder()
        .naming("{{file.Name}}")
        .create();
    let before = project.tree_without_state();
    let output = project.run().exits(6);
    let sink = project.sink();
    let ledger = project.ledger();
    assert_eq!(ledger.len(), names.len());
    for (number, name) in names.iter().enumerate() {
        let source = format!("in/{number}");
        let record = &ledger[&("a".to_owned(), source.clone())];
        match sink.get(*name) {
            Some(object) => {
                assert_eq!(record.status.name(), "done", "{name:?}");
                assert_eq!(
                    *object,
                    Object::of(&bytes_of(&source, 100 + name.len() * 7)),
                    "{name:?}"
                );
            }
            None => {
                assert_eq!(record.status.name(), "failed", "{name:?}");
                let failure = record.failure.as_ref().expect("a failed file has its failure");
                assert!(failure.code.starts_with("name."), "{name:?}: {failure}");
            }
        }
    }
    let arrived: Vec<&str> = names.iter().copied().filter(|name| sink.contains_key(*name)).collect();
    assert_eq!(sink.len(), arrived.len(), "nothing else is at the sink: {sink:?}");
    for name in [
        "emoji 🏔",
        "nfc-é",
        "nfd-e\u{301}",
        "100%",
        "a%20b",
        "two words",
        "trailing ",
        " leading",
        ".hidden",
        "plain",
    ] {
        assert!(sink.contains_key(name), "{name:?}");
    }
    let mut after = project.tree_without_state();
    after.retain(|name, _| !name.starts_with("out/"));
    assert_eq!(after, before, "nothing is written outside the sink");
    assert!(
        !output.text().contains('\u{7}'),
        "no control character reaches the terminal"
    );
    let failures = project.command(["failures", SPEC, "--show", "100"]).exits(0);
    assert!(!failures.text().contains(['\u{7}', '\0']), "{}", failures.text());
    assert!(failures.stdout.contains("name.parent_folder") && failures.stdout.contains("name.absolute"));
}

#[test]
fn source_paths_that_lead_elsewhere_are_refused() {
    let project = Job::new()
        .item(
            "a",
            [
                File::named("x").path("../../secret"),
                File::named("y").path("/etc/hostname"),
                File::named("z").path("in/z"),
            ],
        )
        .connection("originals", r#"fs = { root = "originals" }"#)
        .create();
    project.write("secret", "not to be read");
    project.write("jobs/originals/in/z", "z");
    project.run().exits(6).says("name.parent_folder").says("name.absolute");
    assert_eq!(project.sink().keys().collect::<Vec<_>>(), ["a/z"]);
}

#[test]
fn the_first_file_of_a_name_within_an_item_keeps_it() {
    let files = [
        File::named("same").path("in/1"),
        File::named("same").path("in/2"),
        File::named("other").path("in/3"),
    ];
    let project = Job::new().item("a", files).source_folder().create();
    assert_eq!(project.plan_json()["inventory"]["collisions"]["exact"], 1);
    project.run().exits(6).says("name.collision");
    let sink = project.sink();
    assert_eq!(sink.len(), 2);
    assert_eq!(
        sink["a/same"],
        Object::of(project.read_bytes("jobs/originals/in/1").as_slice())
    );
}

#[test]
fn of_two_items_with_one_name_only_one_writes_it() {
    for mode in ["skip", "overwrite", "create", "overwrite_if_different"] {
        let project = two_items_with_one_name(mode);
        let plan = project.plan_json();
        assert_eq!(plan["inventory"]["collisions"]["exact"], 1, "{mode}");
        assert_eq!(plan["inventory"]["decisions"]["refuse"], 1, "{mode}");
        project.run().exits(6).says("name.collision");
        let sink = project.sink();
        assert_eq!(sink.len(), 3, "{mode}");
        let ledger = project.ledger();
        let winner = ledger
            .iter()
            .find(|((_, source), record)| source.starts_with("same") && record.status.name() == "done");
        let ((_, source), _) = winner.expect("one of them has it");
        assert_eq!(
            sink["same"],
            Object::of(&project.read_bytes(&format!("jobs/originals/{source}"))),
            "{mode}"
        );
        project.run().exits(6);
        assert_eq!(project.sink(), sink, "{mode}: another run changes nothing");
    }
}

fn two_items_with_one_name(mode: &'static str) -> Project {
    Job::new()
        .item(
            "a",
            [File::named("same").path("same/1").real_size(300), File::named("x")],
        )
        .item(
            "b",
            [File::named("same").path("same/2").real_size(400), File::named("y")],
        )
        .source_folder()
        .mode(mode)
        .naming("{{file.Name}}")
        .create()
}

#[test]
fn names_that_only_some_stores_tell_apart_are_shown() {
    let project = Job::new()
        .item(
            "a",
            ["Report.txt", "report.TXT", "nfc-é", "nfd-e\u{301}", "nfc-e\u{301}"],
        )
        .create();
    let collisions = project.plan_json()["inventory"]["collisions"].clone();
    assert_eq!(collisions["case-folded"], 1, "{collisions}");
    assert_eq!(collisions.as_object().unwrap().len(), 2, "{collisions}");
    project.plan().exits(0).says("report.TXT");
    project.run().exits(0);
    assert_eq!(project.sink().len(), 5);
}
