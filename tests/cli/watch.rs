//! `watch` where there is no terminal: one page, and never a sequence that moves a cursor.

use crate::harness::{Behaviour, File, Gate, Job, SPEC, bytes_of};

#[test]
fn without_a_terminal_a_run_is_shown_once() {
    let gate = Gate::start();
    gate.put("a/one", bytes_of("one", 200), Behaviour::Sound);
    gate.put("a/two", bytes_of("two", 200), Behaviour::Held);
    let files = ["gone", "one", "two"].map(|name| File::named(name).real_size(200));
    let project = Job::new()
        .item("a", files)
        .source_gate(&gate)
        .concurrency(1, 1)
        .create();
    project.command(["watch", SPEC]).exits(1).says("pipeline run");
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(1);
    // The page comes from what the run writes once a second.
    let page = loop {
        let page = project.command(["watch", SPEC, "--once"]);
        if page.code == Some(0) && page.stdout.contains("latest failures") && page.stdout.contains("1 failed") {
            break page;
        }
        std::thread::yield_now();
    };
    for part in [
        "items     [",
        "files     [",
        "items/min",
        "files/min",
        "`a`: `a/gone`",
        "in flight  1 file,",
    ] {
        assert!(page.stdout.contains(part), "{part}: {}", page.stdout);
    }
    assert!(!page.stdout.contains('\x1b'), "{:?}", page.stdout);
    gate.open();
    run.wait().exits(6);
    project.command(["watch", SPEC]).exits(0).says("ended");
}
