use serde_json::json;

use crate::harness::{File, Inbox, Job, SPEC};
use crate::told::{blob, blobs, ended, job, names, run, step, told};

/// The same, told to a queue that the test holds in hand.
fn job_to(inbox: &Inbox) -> Job {
    job("written")
        .file("jobs/sas", "sv=2024-11-04&sig=planted")
        .connection("queue", &inbox.connection())
}

#[test]
fn each_file_at_the_sink_is_told_of_once() {
    let project = job("written").create();
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    let messages = told(&project);
    assert_eq!(blobs(&messages), names(&project));
    for message in &messages {
        let item = message["body"]["item"].as_str().unwrap();
        assert!(blob(message).starts_with(&format!("{item}/")), "{message}");
        assert_eq!(message["id"].as_str().unwrap().len(), 32, "{message}");
    }
    project.run().exits(0).says("nothing left");
    assert_eq!(told(&project), messages, "nothing is told twice");
}

#[test]
fn a_file_that_was_there_is_told_of_when_the_step_says_so() {
    for (when, expected) in [
        ("written", json!({ "done": 5, "present": 1 })),
        ("present", json!({ "done": 6 })),
    ] {
        let project = job(when).create();
        project.write("out/item-1/file-1-002.bin", "was there");
        ended(run(&project, &[]), 0, expected);
        let expected: Vec<String> = names(&project)
            .into_iter()
            .filter(|name| when == "present" || name != "item-1/file-1-002.bin")
            .collect();
        assert_eq!(blobs(&told(&project)), expected);
    }
}

#[test]
fn fields_keep_their_types_and_a_text_is_the_whole_body() {
    let steps = r#"[
      { notify: { connection: queue, each: file, message: { size: "{{file.Size}}", text: "{{file.Size}} bytes", flag: true, blob: "{{target.name}}" } } },
      { notify: { name: words, connection: queue, each: file, message: "{{item.Id}};{{target.name}}" } }]"#;
    let (one, two) = (
        File::named("one").listed_size(7).real_size(7),
        File::named("two").real_size(3),
    );
    let project = job("written")
        .item("a", [one, two])
        .source_folder()
        .with("then", &steps.replace('\n', " "))
        .create();
    project.edit(SPEC, "    read:", "    types: { Size: integer }\n    read:");
    let json = ended(run(&project, &[]), 6, json!({ "done": 4 - 1, "failed": 1 }));
    let mut bodies: Vec<String> = told(&project)
        .iter()
        .map(|message| message["body"].to_string())
        .collect();
    bodies.sort();
    assert_eq!(
        bodies,
        [
            r#""a;a/one""#,
            r#""a;a/two""#,
            r#"{"blob":"a/one","flag":true,"size":7,"text":"7 bytes"}"#
        ]
    );
    assert_eq!(
        json["account"]["files"]["done"], 2,
        "NULL in a text fails the message alone: {json}"
    );
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("template.null")
        .says("a/two");
    ended(run(&project, &[]), 6, json!({ "done": 3, "failed": 1 }));
    assert_eq!(told(&project).len(), 3, "no other body comes of another run");
}

#[test]
fn a_column_that_a_list_lacks_fails_its_messages_alone() {
    let steps = step("written").replace("{{item.Id}}", "{{file.Tag}}");
    let project = job("written")
        .item("a", ["one"])
        .item("b", ["two"])
        .with("then", &steps)
        .create();
    project.write("jobs/data/lists/a.csv", "Path,Name,Size,Tag\na/one,one,,red\n");
    let json = ended(run(&project, &[]), 6, json!({ "done": 1, "failed": 1 }));
    assert_eq!(json["account"]["files"]["done"], 2);
    assert_eq!(blobs(&told(&project)), ["a/one"]);
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("template.unknown_field")
        .says("b/two");
}

#[test]
fn a_queue_that_fails_fails_its_messages_and_the_next_run_sends_only_those() {
    let project = job("written").create();
    std::fs::create_dir(project.path("told.jsonl")).unwrap();
    let json = ended(run(&project, &[]), 6, json!({ "failed": 6 }));
    assert_eq!(
        (&json["account"]["files"]["done"], &json["account"]["items"]["failed"]),
        (&6.into(), &2.into())
    );
    assert_eq!(json["next"], "pipeline failures jobs/copy.yaml");
    let listed = project.command(["failures", SPEC, "--json"]).exits(0).json();
    assert_eq!(listed["total"], 6, "{listed}");
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("queue.missing")
        .says("step `notify`")
        .says("item-1/file-1-001.bin");
    let written = project.written();

    std::fs::remove_dir(project.path("told.jsonl")).unwrap();
    ended(run(&project, &["--no-failed"]), 6, json!({ "failed": 6 }));
    assert!(told(&project).is_empty(), "--no-failed leaves them");
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    assert_eq!(blobs(&told(&project)), names(&project));
    assert_eq!(project.written(), written, "no file is copied again");
}

#[test]
fn a_queue_that_asks_for_patience_ends_with_5_and_sees_the_same_ids_again() {
    let inbox = Inbox::start();
    inbox.refuse(503);
    let project = job_to(&inbox).items(1).create();
    let json = ended(run(&project, &[]), 5, json!({ "failed": 3 }));
    assert_eq!(json["retries"], 3, "one repetition of each: {json}");
    inbox.accept();
    ended(run(&project, &[]), 0, json!({ "done": 3 }));
    let first = inbox.received();

    // The same files told again by a job that has forgotten everything.
    ended(run(&project, &["--restart", "--yes"]), 0, json!({ "present": 3 }));
    assert_eq!(inbox.received().len(), 3, "they were there");
    std::fs::remove_dir_all(project.path("out")).unwrap();
    ended(run(&project, &["--restart", "--yes"]), 0, json!({ "done": 3 }));
    let mut again = inbox.received().split_off(3);
    let mut ids: Vec<_> = first.iter().map(|message| message.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each message has an id of its own");
    let mut first = first;
    for messages in [&mut first, &mut again] {
        messages.sort_by(|one, other| one.id.cmp(&other.id));
    }
    assert_eq!(again, first);
}

#[test]
fn a_queue_that_denies_everything_stops_the_run_early() {
    let inbox = Inbox::start();
    inbox.refuse(403);
    let project = job_to(&inbox).items(1).files(60).concurrency(1, 2).create();
    let json = run(&project, &[]).exits(7).says("denied").json();
    assert_eq!(json["account"]["balanced"], true, "{json}");
    assert!(project.sink().len() < 20, "{} files were copied", project.sink().len());
    inbox.accept();
    ended(run(&project, &[]), 0, json!({ "done": 60 }));
    assert_eq!(inbox.received().len(), 60);
}

#[test]
fn a_failed_file_gets_its_message_once_it_is_cured() {
    let project = job("written").item("a", ["one", "two"]).source_folder().create();
    std::fs::rename(project.path("jobs/originals/a/two"), project.path("kept")).unwrap();
    ended(run(&project, &[]), 6, json!({ "done": 1, "blocked": 1 }));
    assert_eq!(blobs(&told(&project)), ["a/one"]);
    std::fs::rename(project.path("kept"), project.path("jobs/originals/a/two")).unwrap();
    ended(run(&project, &[]), 0, json!({ "done": 2 }));
    assert_eq!(blobs(&told(&project)), ["a/one", "a/two"]);
}

#[test]
fn why_a_body_cannot_be_rendered_is_still_told_after_its_file_is_cured() {
    let steps = step("written").replace("{{item.Id}}", "{{file.Tag}}");
    let project = job("written")
        .item("a", ["one"])
        .source_folder()
        .with("then", &steps)
        .create();
    std::fs::rename(project.path("jobs/originals/a/one"), project.path("kept")).unwrap();
    ended(run(&project, &[]), 6, json!({ "blocked": 1 }));
    std::fs::rename(project.path("kept"), project.path("jobs/originals/a/one")).unwrap();
    ended(run(&project, &[]), 6, json!({ "failed": 1 }));
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("template.unknown_field");
}

#[test]
fn a_file_that_is_put_back_is_not_told_of_again() {
    let project = job("written").create();
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    let messages = told(&project);
    project.remove("out/item-1/file-1-002.bin");
    project.command(["verify", SPEC, "--reopen"]).exits(11);
    std::fs::rename(project.path("out"), project.path("kept")).unwrap();
    project.write("out", "no folder");
    ended(run(&project, &[]), 6, json!({ "done": 6 }));
    project.remove("out");
    std::fs::rename(project.path("kept"), project.path("out")).unwrap();
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    assert_eq!(project.sink(), project.expected_sink());
    assert_eq!(told(&project), messages);
}

#[test]
fn an_interrupt_waits_for_messages_under_way_and_leaves_the_others_owed() {
    let inbox = Inbox::start();
    inbox.hold();
    let project = job_to(&inbox).items(1).files(6).concurrency(1, 2).create();
    let mut running = project.spawn(["run", SPEC, "--json"]);
    inbox.wait_until_held(2);
    running.signal("INT");
    assert!(
        running.wait_for_line("stopping").contains("2 in flight"),
        "it says what it waits for"
    );
    inbox.release();
    let json = running.wait().exits(130).json();
    assert_eq!(json["account"]["effects"]["done"], 2, "{json}");
    assert_eq!(json["account"]["effects"]["pending"], 4, "{json}");
    ended(run(&project, &[]), 0, json!({ "done": 6 }));
    assert_eq!(inbox.received().len(), 6, "none is sent twice");
}

#[test]
fn the_second_interrupt_leaves_messages_under_way_owed_and_they_keep_their_ids() {
    let inbox = Inbox::start();
    inbox.hold();
    let project = job_to(&inbox).items(1).files(3).concurrency(1, 2).create();
    let mut running = project.spawn(["run", SPEC]);
    inbox.wait_until_held(2);
    running.signal("INT");
    running.wait_for_line("stopping");
    running.signal("INT");
    running.wait_for_line("giving up");
    running.wait().exits(130).says("residual 0");
    assert_eq!(project.sink().len(), 2, "the files themselves are there");
    inbox.release();
    ended(run(&project, &[]), 0, json!({ "done": 3 }));
    let received = inbox.received();
    let mut ids: Vec<&str> = received.iter().map(|message| message.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{received:?}");
    assert!(received.len() <= 5, "{received:?}");
}

#[test]
fn a_failed_message_stands_in_the_journal_by_its_file() {
    let project = job("written").item("a", ["one"]).create();
    std::fs::create_dir(project.path("told.jsonl")).unwrap();
    project.run().exits(6);
    let journal = project.tree(".pipeline/copy/local");
    let journal = journal.keys().find(|name| name.contains("journal")).unwrap();
    let text = project.read_bytes(&format!(".pipeline/copy/local/{journal}"));
    let text = String::from_utf8(text.clone()).unwrap_or_else(|_| {
        let unpacked = zstd::decode_all(&text[..]).unwrap();
        String::from_utf8(unpacked).unwrap()
    });
    let failed = text.lines().find(|line| line.contains("queue.missing")).unwrap();
    assert!(failed.contains("a/one"), "{failed}");
}
