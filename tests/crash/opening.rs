//! Kills in the first moments of a run, when the state is made or opened.

use std::time::{Duration, Instant};

use super::job::{Job, There};
use super::process::Moment;
use super::random::Random;
use super::recorded::Recorded;
use super::size;

#[test]
fn kills_while_the_state_is_made_or_opened_damage_nothing() {
    let mut random = Random::seeded();
    let place = Job::new().items(3).files(400).size_max(1 << 10).build();
    // How long the whole of a run takes here, of which the opening is the first part.
    let measured = Job::new().items(1).files(1).build();
    let begun = Instant::now();
    assert_eq!(measured.run().code, 0);
    let opening = begun.elapsed();

    for kill in 0..size(15, 30) {
        let delay = Duration::from_micros(random.below(opening.as_micros() as usize) as u64);
        let killed = place.start().kill_at(Moment::AfterStart(delay), || 0);
        assert!(killed.was_alive, "kill {kill} after {delay:?} came after the end");
        assert!(
            !killed.stderr.contains("damaged"),
            "kill {kill} after {delay:?}: {}",
            killed.stderr
        );
        Recorded::of(&place.state());
    }
    let ended = place.run();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(1_200, 0, 0);
    place.assert_sink(There::LeftAlone);
}

#[test]
fn kills_before_there_is_any_state_leave_a_folder_that_begins_anew() {
    let mut random = Random::seeded();
    for kill in 0..size(15, 100) {
        let place = Job::new().items(1).files(2).build();
        let mut running = place.start();
        // From the moment that the folder is there, its making is under way.
        running.wait_until(|| place.state().path().exists());
        std::thread::sleep(Duration::from_micros(random.below(20_000) as u64));
        running.kill();
        let ended = place.run();
        assert_eq!(ended.code, 0, "kill {kill}: {ended:?}");
        ended.assert_files(2, 0, 0);
        place.assert_sink(There::LeftAlone);
    }
}
