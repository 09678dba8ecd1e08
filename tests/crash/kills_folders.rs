//! Kills of a job between two folders, for each policy about what is at the sink already.

use super::files::{Fate, count};
use super::job::{Job, Place, There, end_after_kills, kill_often};
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
