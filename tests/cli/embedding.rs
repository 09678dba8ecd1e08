//! The library without the binary: the example, run as it stands.

use crate::harness::{Job, SPEC};

#[path = "../../examples/embed.rs"]
#[expect(dead_code, reason = "the example has a `main` of its own")]
mod embed;

#[test]
fn the_example_runs_a_job_and_is_told_of_each_file() {
    let project = Job::new().create();
    let run = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime
            .block_on(embed::embed(&project.path(SPEC), &project.path("state")))
            .unwrap()
    };
    let first = run();
    assert!(first.report.is_complete());
    assert_eq!((first.files_finished, first.events_lost), (6, 0));
    assert_eq!(first.last.units, first.report.units);
    assert_eq!(first.last.in_flight, 0);
    assert_eq!(project.sink(), project.expected_sink());
    let second = run();
    assert!(second.report.did_nothing());
    assert_eq!((second.files_finished, second.last.units.done), (0, 6));
}
