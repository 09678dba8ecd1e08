use crate::harness::{Behaviour, Gate, Job, SPEC, bytes_of};

#[test]
fn small_files_whose_size_is_not_listed_fill_the_whole_limit() {
    let gate = Gate::start();
    let names = ["one", "two", "three", "four", "five", "six"];
    for name in names {
        gate.put(&format!("a/{name}"), bytes_of(name, 500), Behaviour::Held);
    }
    let project = Job::new()
        .item("a", names)
        .source_gate(&gate)
        .with(
            "concurrency",
            "{ limit: 4, items: { limit: 1, units: { limit: 6, parts: { limit: 4 } } } }",
        )
        .create();
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(4);
    gate.open();
    run.wait().exits(0);
    assert_eq!(gate.most_held(), 4, "and not more than the limit");
    assert_eq!(project.sink().len(), 6);
}

#[test]
fn items_and_files_keep_to_their_limits() {
    let gate = Gate::start();
    let names = ["one", "two", "three", "four"];
    let mut job = Job::new();
    for item in ["a", "b", "c"] {
        job = job.item(item, names);
        for name in names {
            gate.put(&format!("{item}/{name}"), bytes_of(name, 500), Behaviour::Held);
        }
    }
    let project = job.source_gate(&gate).concurrency(2, 3).create();
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(6);
    let reads = gate.reads();
    for item in ["a/", "b/"] {
        assert_eq!(
            reads.iter().filter(|path| path.starts_with(item)).count(),
            3,
            "{reads:?}"
        );
    }
    gate.open();
    run.wait().exits(0);
    assert_eq!(gate.most_held(), 6);
    assert_eq!(project.sink().len(), 12);
}
