use crate::harness::{Behaviour, Gate, Job, SPEC, bytes_of};

#[test]
fn the_first_interrupt_drains() {
    let gate = Gate::start();
    for name in ["one", "two", "three"] {
        gate.put(&format!("a/{name}"), bytes_of(name, 1_000), Behaviour::Held);
    }
    let project = Job::new()
        .item("a", ["one", "two", "three"])
        .from_connection(&gate.connection())
        .env("GATE_SAS", "sv=2024-11-04&sig=PLANTED")
        .concurrency(1, 2)
        .create();
    let mut run = project.spawn(["run", SPEC]);
    gate.wait_until_held(2);
    run.signal("INT");
    run.wait_for_line("stopping");
    gate.open();
    run.wait().exits(130);
    assert_eq!(project.sink().len(), 2);
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}
