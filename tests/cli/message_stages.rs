use serde_json::json;

use crate::harness::{Project, SPEC};
use crate::told::{blobs, ended, job, names, run, step, told};

#[test]
fn what_was_left_out_is_made_up_by_its_stage_alone() {
    let project = job("written").create();
    run(&project, &["--skip", "notify", "--limit", "1"]).exits(0);
    assert!(told(&project).is_empty());
    ended(run(&project, &[]), 0, json!({ "done": 3, "skipped": 3 }));
    let first = blobs(&told(&project));
    assert!(first.iter().all(|blob| blob.starts_with("item-2/")), "{first:?}");
    project.run().exits(0).says("skipped 3").says("--stage");
    ended(
        run(&project, &["--stage", "copy"]),
        0,
        json!({ "done": 3, "skipped": 3 }),
    );
    assert_eq!(
        told(&project).len(),
        3,
        "neither a plain run nor another stage makes them up"
    );
    ended(run(&project, &["--stage", "notify"]), 0, json!({ "done": 6 }));
    assert_eq!(blobs(&told(&project)), names(&project));
    ended(run(&project, &["--stage", "notify"]), 0, json!({ "done": 6 }));
    assert_eq!(told(&project).len(), 6);
}

#[test]
fn what_was_left_out_is_made_up_beside_failed_files_that_are_left() {
    let project = job("written").item("a", ["one", "two.missing.bin"]).create();
    ended(
        run(&project, &["--skip", "notify"]),
        6,
        json!({ "skipped": 1, "blocked": 1 }),
    );
    ended(
        run(&project, &["--stage", "notify", "--no-failed"]),
        0,
        json!({ "done": 1, "blocked": 1 }),
    );
    assert_eq!(blobs(&told(&project)), ["a/one"]);
}

#[test]
fn copying_alone_leaves_the_messages_owed() {
    let project = job("written").create();
    ended(run(&project, &["--stage", "copy"]), 0, json!({ "pending": 6 }));
    assert_eq!(project.sink(), project.expected_sink());
    assert!(told(&project).is_empty());
    project
        .command(["status", SPEC])
        .exits(0)
        .says("effects    6: 6 pending");
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    assert_eq!(blobs(&told(&project)), names(&project));
    project.command(["status", SPEC]).exits(0).says("effects    6: 6 sent");
}

#[test]
fn a_stage_answers_for_its_own_messages() {
    let other = step("written").replace("notify: {", "notify: { name: other,");
    let both = format!(
        "{}, {}",
        step("written").trim_end_matches(']'),
        other.trim_start_matches('[')
    );
    let project = job("written").items(1).with("then", &both).create();
    ended(run(&project, &["--stage", "copy"]), 0, json!({ "pending": 6 }));
    ended(
        run(&project, &["--stage", "other"]),
        0,
        json!({ "done": 3, "pending": 3 }),
    );
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    let messages = told(&project);
    let ids: std::collections::BTreeSet<String> = messages.iter().map(|message| message["id"].to_string()).collect();
    assert_eq!(ids.len(), 6, "the messages of two steps about one file are two");
}

#[test]
fn a_list_that_could_not_be_read_stays_failed_while_messages_are_sent() {
    let project = job("written").item("a", ["one"]).item("b", ["two"]).create();
    project.remove("jobs/data/lists/b.csv");
    run(&project, &["--skip", "notify"]).exits(6);
    let json = ended(run(&project, &["--stage", "notify"]), 0, json!({ "done": 1 }));
    assert_eq!(json["account"]["failed_listings"], 1, "{json}");
    project.command(["failures", SPEC]).exits(0).says("`b`: its file list");
}

#[test]
fn a_plan_shows_the_step_its_guarantee_and_what_is_to_be_sent() {
    let project = job("written").create();
    project.write("out/item-1/file-1-002.bin", "was there");
    let detailed = ["plan", SPEC, "--detailed-exitcode"];
    project
        .command(detailed)
        .exits(2)
        .says("notify: each file")
        .says("messages in queue, at least once")
        .says("messages     5 to send by `notify`");
    run(&project, &["--stage", "copy"]).exits(0);
    project
        .command(detailed)
        .exits(2)
        .says("6 settled, 5 messages to send")
        .says("pipeline run jobs/copy.yaml");
    ended(
        run(&project, &["--skip", "notify"]),
        0,
        json!({ "skipped": 5, "present": 1 }),
    );
    project
        .command(detailed)
        .exits(0)
        .says("pipeline verify jobs/copy.yaml");
    assert_eq!(project.plan_json()["inventory"]["messages"], json!({}));

    let project = job("present").create();
    std::fs::create_dir(project.path("told.jsonl")).unwrap();
    project.write("out/item-1/file-1-002.bin", "was there");
    let to_send = |project: &Project| project.plan_json()["inventory"]["messages"]["notify"].clone();
    assert_eq!(to_send(&project), 6);
    project.run().exits(6);
    assert_eq!(to_send(&project), 6, "what failed is sent by the next run");
    std::fs::remove_dir(project.path("told.jsonl")).unwrap();
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    project.command(detailed).exits(0);
}

#[test]
fn steps_in_another_order_keep_their_messages_apart() {
    let other = step("written").replace(
        "notify: { connection: queue",
        "notify: { name: other, connection: second",
    );
    let (first, second) = (step("written"), other);
    let (first, second) = (first.trim_matches(['[', ']']), second.trim_matches(['[', ']']));
    let project = job("written")
        .items(1)
        .with("then", &format!("[{first}, {second}]"))
        .connection("second", r#"jsonl-queue = { path = "../second.jsonl" }"#)
        .create();
    ended(run(&project, &["--stage", "copy"]), 0, json!({ "pending": 6 }));
    project.edit(SPEC, &format!("[{first}, {second}]"), &format!("[{second}, {first}]"));
    ended(
        run(&project, &["--stage", "notify"]),
        0,
        json!({ "done": 3, "pending": 3 }),
    );
    assert_eq!(told(&project).len(), 3);
    assert!(!project.path("second.jsonl").exists());

    // A step that the spec has no longer is owed nothing.
    project.edit(SPEC, &format!("[{second}, {first}]"), &format!("[{first}]"));
    project.run().exits(12).says("`other`");
    ended(
        run(&project, &["--accept-changes"]),
        0,
        json!({ "done": 3, "skipped": 3 }),
    );
    assert!(!project.path("second.jsonl").exists());
}

#[test]
fn a_queue_that_cannot_be_opened_stops_no_run_that_sends_nothing() {
    let project = job("written").connection(
        "queue",
        r#"azqueue = { account = "a", queue = "told", account_key = "${file:key}" }"#,
    );
    let project = project.file("jobs/key", "this is no key").create();
    project.run().exits(7);
    run(&project, &["--stage", "copy"]).exits(0);
    run(&project, &["--skip", "notify"]).exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}
