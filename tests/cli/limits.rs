//! Rates, bandwidths, and the bounds of connections.

use std::time::{Duration, Instant};

use crate::harness::{Behaviour, Gate, Job, SPEC, bytes_of};

/// A job of so many items with so many files each, all of which are held at the source.
fn held(items: usize, files: usize) -> (Gate, Job) {
    let gate = Gate::start();
    let names: Vec<String> = (0..files).map(|file| format!("file-{file}")).collect();
    let mut job = Job::new();
    for item in (0..items).map(|item| format!("item-{item}")) {
        job = job.item(&item, names.iter().map(String::as_str));
        for name in &names {
            gate.put(&format!("{item}/{name}"), bytes_of(name, 500), Behaviour::Held);
        }
    }
    (gate, job)
}

/// How long a run of the job takes that must end well.
fn time(job: Job) -> Duration {
    let project = job.create();
    let begun = Instant::now();
    project.run().exits(0);
    begun.elapsed()
}

#[test]
fn each_item_slot_keeps_to_its_share_of_a_connection() {
    let (gate, job) = held(2, 4);
    let project = job
        .concurrency(2, 4)
        .source_gate(&gate)
        .connection("originals", &gate.connection_with("per_slot = { limit = 1 }"))
        .create();
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(2);
    let mut items: Vec<String> = gate.reads().iter().map(|path| path[..6].to_owned()).collect();
    items.sort_unstable();
    assert_eq!(items, ["item-0", "item-1"], "one of each slot");
    gate.open();
    run.wait().exits(0);
    assert_eq!(gate.most_held(), 2);
    assert_eq!(project.sink().len(), 8);
}

#[test]
fn a_connection_keeps_to_its_limit_over_all_slots() {
    let (gate, job) = held(2, 4);
    let project = job
        .concurrency(2, 4)
        .source_gate(&gate)
        .connection("originals", &gate.connection_with("limit = 3"))
        .create();
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(3);
    gate.open();
    run.wait().exits(0);
    assert_eq!(gate.most_held(), 3);
    assert_eq!(project.sink().len(), 8);
}

#[test]
fn a_list_that_comes_from_a_full_connection_does_not_block_its_own_files() {
    let job = Job::new()
        .items(3)
        .files(5)
        .source_folder()
        .connection(
            "inputs",
            r#"fs = { root = "data", limit = 1, per_slot = { limit = 1 } }"#,
        )
        .connection("originals", r#"fs = { root = "originals", limit = 1 }"#)
        .connection("results", r#"fs = { root = "../out", limit = 1 }"#)
        .with("limits", "{ page_units: 2 }");
    let (project, ended) = job.run();
    ended.exits(0);
    assert_eq!(project.sink().len(), 15);
}

#[test]
fn files_begin_no_faster_than_the_rates_of_their_nodes() {
    // Two of ten may go at once, as a tenth of a second's worth and the first.
    let least = Duration::from_millis(750);
    let of_run = Job::new().items(2).files(5);
    assert!(time(of_run.with("concurrency", "{ rate: 10/s }")) >= least);
    let of_item = Job::new().items(1).files(10);
    assert!(time(of_item.with("concurrency", "{ items: { units: { rate: 10/s } } }")) >= least);
    let of_items = Job::new().items(10).files(1);
    assert!(time(of_items.with("concurrency", "{ items: { limit: 10, rate: 10/s } }")) >= least);
    let of_connection = Job::new().items(2).files(5);
    let slow = r#"sample = { seed = 1, size_max = "8KiB", rate = "10/s" }"#;
    assert!(time(of_connection.connection("originals", slow)) >= least);
}

#[test]
fn bytes_flow_no_faster_than_the_bandwidths_of_their_nodes() {
    // Three files of 1 MiB at 3 MiB a second, of which a tenth of a second's worth may come at once.
    let job = || Job::new().item("a", ["x.1MiB.bin", "y.1MiB.bin", "z.1MiB.bin"]);
    let least = Duration::from_millis(800);
    assert!(time(job().with("concurrency", "{ bandwidth: 3MiB/s }")) >= least);
    assert!(time(job().with("concurrency", "{ items: { bandwidth: 3MiB/s } }")) >= least);
    let of_item = "{ items: { units: { bandwidth: 3MiB/s } } }";
    assert!(time(job().with("concurrency", of_item)) >= least);
    let of_file = "{ items: { units: { parts: { bandwidth: 1MiB/s } } } }";
    assert!(time(job().with("concurrency", of_file)) >= least);
    let slow = r#"sample = { seed = 1, bandwidth = "3MiB/s" }"#;
    assert!(time(job().connection("originals", slow)) >= least);
    let slow = r#"fs = { root = "../out", bandwidth = "3MiB/s" }"#;
    assert!(time(job().connection("results", slow)) >= least);
}

#[test]
fn a_stop_does_not_wait_for_a_slow_rate() {
    for rate in [
        "{ rate: 1/h }",
        "{ items: { rate: 1/h } }",
        "{ items: { units: { rate: 1/h } } }",
    ] {
        let project = Job::new().items(5).files(5).with("concurrency", rate).create();
        let run = project.spawn(["run", SPEC]);
        let is_begun = || {
            let seen = project.command(["status", SPEC, "--json"]);
            seen.code == Some(0) && seen.json()["snapshot"]["progress"]["units"]["done"] != 0
        };
        while !is_begun() {}
        run.signal("INT");
        run.wait().exits(130);
        assert!(project.sink().len() < 25);
    }
}

#[test]
fn an_end_that_does_not_answer_in_time_is_a_time_out() {
    let (gate, job) = held(1, 1);
    let job = job.source_gate(&gate);
    let slow = gate.connection_with(r#"timeout = "200ms", retry = { max_attempts = 1 }"#);
    let (_, ended) = job.connection("originals", &slow).run();
    ended.exits(5).says("transient store.timeout");
}

#[test]
fn a_rate_that_lets_nothing_through_is_told_with_its_place() {
    let project = Job::new()
        .with("concurrency", "{ rate: 0/s, items: { units: { bandwidth: fast } } }")
        .create();
    project
        .command(["validate", SPEC])
        .exits(2)
        .says("`0/s` lets nothing through")
        .says("`bandwidth`: text `fast` is not a bandwidth");
}
