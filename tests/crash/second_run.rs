//! A second run beside the first.

use super::job::{Job, There};

#[test]
fn a_second_run_is_refused_with_the_holders_name_and_does_no_harm() {
    let place = Job::new().items(4).files(30).build();
    let mut first = place.start();
    assert!(
        first.wait_until(|| place.at_sink().len() > 10),
        "the first one is at work"
    );
    // Held still, so that it is certainly there when the second one comes.
    first.hold();
    let at_sink = place.at_sink();

    let second = place.start_as("second").wait();
    assert_eq!(second.code, 13, "{second:?}");
    assert!(second.stderr.contains(&format!("process {}", first.id())), "{second:?}");
    assert!(second.stderr.contains("pipeline run"), "{second:?}");
    assert_eq!(place.at_sink(), at_sink);

    first.signal("CONT");
    let first = first.wait();
    assert_eq!(first.code, 0, "{first:?}");
    first.assert_files(120, 0, 0);
    place.assert_sink(There::LeftAlone);
}

#[test]
fn the_lock_of_a_killed_run_is_no_obstacle() {
    let place = Job::new().items(2).files(20).build();
    let mut first = place.start();
    assert!(first.wait_until(|| place.at_sink().len() > 5));
    assert!(first.kill().was_alive);
    let ended = place.run();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(40, 0, 0);
}

#[test]
fn of_two_runs_started_at_once_one_works_and_the_other_is_refused() {
    for _ in 0..3 {
        let place = Job::new().items(4).files(100).build();
        let running = [place.start_as("one"), place.start_as("other")];
        let mut ended = running.map(|run| run.wait());
        ended.sort_by_key(|run| run.code);
        assert_eq!(ended.each_ref().map(|run| run.code), [0, 13], "{ended:?}");
        assert!(ended[1].stderr.contains("is in use by process"), "{ended:?}");
        ended[0].assert_files(400, 0, 0);
        place.assert_sink(There::LeftAlone);
    }
}
