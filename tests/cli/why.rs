use crate::harness::{Behaviour, Gate, Job, SPEC, bytes_of};

#[test]
fn everything_about_an_item_is_told() {
    let (project, output) = Job::new()
        .item("item-1", ["one.bin", "two.missing.bin"])
        .item("item-2", ["three.bin"])
        .run();
    output.exits(6);
    project
        .command(["why", SPEC, "item-1"])
        .exits(0)
        .says("`item-1`: failed")
        .says("store.not_found")
        .says("stage copy")
        .says("sha256:")
        .says("Next: pipeline run jobs/copy.yaml");
    let json = project.command(["why", SPEC, "item-1", "--json"]).exits(0).json();
    assert_eq!(json["attempts"], 1, "{json}");
    assert_eq!(json["stages"]["copy"], 1, "{json}");
    assert_eq!(
        json["shown"][0]["target"], "item-1/two.missing.bin",
        "what is left to do comes first: {json}"
    );
    assert_eq!(json["shown"][1]["status"], "done", "{json}");
    project
        .command(["why", SPEC, "item-2"])
        .exits(0)
        .says("nothing is left to do")
        .says("Next: pipeline verify");
    let short = project
        .command(["why", SPEC, "item-1", "--show", "1", "--json"])
        .exits(0)
        .json();
    assert_eq!(short["hidden"], 1, "{short}");
}

#[test]
fn what_a_file_owes_is_told_with_its_step() {
    let queue = r#"jsonl-queue = { path = "queue.jsonl" }"#;
    let project = Job::new()
        .item("a", ["one.bin"])
        .connection("queue", queue)
        .with(
            "then",
            r#"[{ notify: { connection: queue, each: file, when: written, message: { name: "{{target.name}}" } } }]"#,
        )
        .create();
    project.command(["run", SPEC, "--skip", "notify"]).exits(0);
    project
        .command(["why", SPEC, "a"])
        .exits(0)
        .says("notify: left out")
        .says("stage notify");
}

#[test]
fn a_key_that_no_run_has_met_is_refused_with_the_one_that_was_meant() {
    let (project, output) = Job::new().items(3).files(1).run();
    output.exits(0);
    project
        .command(["why", SPEC, "item-22"])
        .exits(2)
        .says("did you mean `item-2`?")
        .says("pipeline history jobs/copy.yaml");
    let fresh = Job::new().create();
    fresh.command(["why", SPEC, "item-1"]).exits(1).says("pipeline run");
}

#[test]
fn while_a_run_holds_the_state_it_is_named() {
    let gate = Gate::start();
    gate.put("a/one", bytes_of("one", 100), Behaviour::Held);
    let project = Job::new().item("a", ["one"]).source_gate(&gate).create();
    let running = project.spawn(["run", SPEC]);
    gate.wait_until_held(1);
    for command in [&["why", SPEC, "a"][..], &["history", SPEC]] {
        project
            .command(command.iter().copied())
            .exits(13)
            .says(&format!("process {}", running.pid()))
            .says("pipeline run jobs/copy.yaml");
    }
    gate.open();
    running.wait().exits(0);
}
