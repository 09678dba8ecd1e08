use std::time::{Duration, Instant};

use crate::harness::{Behaviour, Gate, Job, SPEC, bytes_of};

#[test]
fn throttling_shrinks_what_is_in_flight_and_successes_bring_it_back() {
    let gate = Gate::start();
    let sound: Vec<String> = (0..12).map(|number| format!("sound-{number}")).collect();
    let names = ["busy", "held", "held-too"]
        .into_iter()
        .chain(sound.iter().map(String::as_str));
    for name in names.clone() {
        let behaviour = match name {
            "busy" => Behaviour::Busy(1),
            "held" | "held-too" => Behaviour::Held,
            _ => Behaviour::Sound,
        };
        gate.put(&format!("a/{name}"), bytes_of(name, 1_000), behaviour);
    }
    // Two at once, both held once the busy one has succeeded: nothing grows back before the test has looked.
    let project = Job::new()
        .item("a", names)
        .source_gate(&gate)
        .with("concurrency", "{ limit: 4, items: { limit: 1, units: { limit: 2 } } }")
        .with(
            "retry",
            "{ max_attempts: 2, initial_delay: 10ms, max_delay: 10ms, outage: 0s }",
        )
        .create();
    let begun = Instant::now();
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(2);
    let throttle = loop {
        let seen = project.command(["status", SPEC, "--json"]).json();
        let throttle = seen["snapshot"]["progress"]["throttles"][0].clone();
        if throttle.is_object() {
            break throttle;
        }
    };
    assert_eq!((&throttle["lowest"], &throttle["ceiling"]), (&2.into(), &4.into()));
    assert_eq!(throttle["limit"], 2);
    project
        .command(["status", SPEC])
        .exits(0)
        .says("limited    copy 2/4, limited by 503 from originals");
    gate.open();
    run.wait().exits(0).hides("limited by");
    assert!(
        begun.elapsed() >= Duration::from_secs(1),
        "the delay that the answer names is kept, though the policy's own is short"
    );
    assert_eq!(project.sink().len(), 15, "nothing fails for it");
    project.command(["status", SPEC]).exits(0).hides("limited by");
    project
        .command(["report", SPEC])
        .exits(0)
        .says("throttled copy down to 2/4 by 503 from originals, cut 1 time\n");
}

#[test]
fn a_source_that_throttles_every_time_fails_its_file_alone() {
    let gate = Gate::start();
    gate.put("a/busy", bytes_of("busy", 1_000), Behaviour::Status(503));
    gate.put("a/sound", bytes_of("sound", 1_000), Behaviour::Sound);
    let project = Job::new().item("a", ["busy", "sound"]).source_gate(&gate).create();
    project.run().exits(5).says("throttled store.throttled");
    assert_eq!(project.sink().len(), 1);
}
