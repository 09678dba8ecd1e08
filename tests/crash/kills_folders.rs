//! Kills of a job between two folders, for each policy about what is at the sink already.

use std::time::Duration;

use super::files::{Fate, count};
use super::job::{Job, Place, There, end_after_kills, kill_often};
use super::process::Moment;
use super::random::Random;
use super::recorded::Recorded;
use super::size;

fn killed(mode: &'static str) -> Place {
    let place = Job::new()
        .items(8)
        .files(size(30, 200))
        .there_one_in(60)
        .mode(mode)
        .build();
    let objects = place.files.len();
    let before = place.at_sink();
    kill_often(&place, size(5, 50), objects, || place.at_sink().len());
    if mode != "overwrite" && mode != "overwrite_if_different" {
        let now = place.at_sink();
        before
            .iter()
            .for_each(|(name, object)| assert_eq!(now.get(name), Some(object), "`{name}`"));
    }
    place
}

fn counts(place: &Place) -> (usize, usize) {
    (count(&place.files, Fate::Copied), count(&place.files, Fate::There))
}

#[test]
fn under_skip_what_was_there_counts_as_present_after_kills() {
    let place = killed("skip");
    let (copied, there) = counts(&place);
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(copied, there, 0);
    place.assert_sink(There::LeftAlone);
}

#[test]
fn under_create_what_a_killed_run_wrote_is_no_conflict() {
    let place = killed("create");
    let (copied, there) = counts(&place);
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 6, "{ended:?}");
    ended.assert_files(copied, 0, there);
    place.assert_sink(There::LeftAlone);
}

#[test]
fn under_overwrite_everything_is_written_after_kills() {
    let place = killed("overwrite");
    let (copied, there) = counts(&place);
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(copied + there, 0, 0);
    place.assert_sink(There::Overwritten);
}

#[test]
fn under_overwrite_if_different_other_objects_are_replaced_after_kills() {
    let place = killed("overwrite_if_different");
    let (copied, there) = counts(&place);
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    // An object of before that a killed run had replaced already is the same as its source now.
    let (done, present) = (ended.account("files", "done"), ended.account("files", "present"));
    assert!(done as usize >= copied && present as usize <= there, "{ended:?}");
    ended.assert_files(done as usize, present as usize, 0);
    assert_eq!(done as usize + present as usize, copied + there);
    place.assert_sink(There::Overwritten);
}

#[test]
fn kills_while_failed_files_are_tried_again_keep_the_account_right() {
    let mut random = Random::seeded();
    let place = Job::new().items(6).files(30).missing_one_in(4).build();
    let (copied, missing) = (count(&place.files, Fate::Copied), count(&place.files, Fate::Missing));
    let ended = place.run();
    assert_eq!(ended.code, 6, "{ended:?}");
    ended.assert_files(copied, 0, missing);
    let objects = place.at_sink();

    for _ in 0..size(8, 100) {
        // Some hit the run while it takes pages up again, some while it ends.
        let moment = Moment::AfterStart(Duration::from_micros(random.below(150_000) as u64));
        place.start().kill_at(moment, || 0);
        Recorded::of(&place.state());
    }
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 6, "{ended:?}");
    ended.assert_files(copied, 0, missing);
    assert_eq!(place.at_sink(), objects, "what was copied is not touched");

    // What was missing appears: the next run fetches it, and only that.
    for file in place.files.iter().filter(|file| file.fate == Fate::Missing) {
        std::fs::write(place.path().join("source").join(file.source()), file.bytes()).unwrap();
    }
    let killed = place
        .start()
        .kill_at(Moment::AtSink(copied + missing / 2), || place.at_sink().len());
    assert!(killed.was_alive, "{}", killed.stderr);
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(copied + missing, 0, 0);
    let now = place.at_sink();
    objects
        .iter()
        .for_each(|(name, object)| assert_eq!(&now[name], object, "`{name}`"));
}

#[test]
fn kills_when_everything_is_written_but_not_yet_recorded_lose_nothing() {
    let mut random = Random::seeded();
    let mut landed = 0;
    for kill in 0..size(6, 60) {
        let place = Job::new().items(2).files(10).mode("create").build();
        let mut running = place.start();
        running.wait_until(|| place.at_sink().len() == 20);
        std::thread::sleep(Duration::from_micros(random.below(5_000) as u64));
        landed += usize::from(running.kill().was_alive);
        let ended = end_after_kills(&place);
        assert_eq!(ended.code, 0, "kill {kill}: {ended:?}");
        ended.assert_files(20, 0, 0);
    }
    assert!(landed > 0, "no kill came between the last write and the end");
}
