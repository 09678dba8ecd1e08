//! One item of many files, whose work is recorded page by page.

use super::job::{Job, List, Place, There, end_after_kills, kill_often};
use super::process::Moment;
use super::recorded::Recorded;
use super::size;

const FILES: usize = 300;

fn paged(list: List) -> Job {
    // Overwriting would touch a file again that is copied again.
    Job::new()
        .items(1)
        .files(size(FILES, 3_000))
        .list(list)
        .mode("overwrite")
        .page_units(16)
        .size_max(8 << 10)
}

#[test]
fn sealed_pages_of_a_list_are_not_worked_on_again() {
    sealed_pages_stay(&paged(List::Csv).build());
}

#[test]
fn sealed_pages_of_a_listing_are_not_worked_on_again() {
    sealed_pages_stay(&paged(List::Glob).build());
}

fn sealed_pages_stay(place: &Place) {
    let files = place.files.len();
    kill_often(place, size(5, 50), files, || place.at_sink().len());
    let recorded = Recorded::of(&place.state());
    let objects = place.at_sink();
    assert!(
        recorded.settled.len() > 1,
        "several pages are sealed before the end: {recorded:?}"
    );

    let ended = end_after_kills(place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(files, 0, 0);
    place.assert_sink(There::Overwritten);
    let now = place.at_sink();
    for target in &recorded.targets {
        assert_eq!(now[target], objects[target], "`{target}` was not written again");
    }
    assert_eq!(Recorded::of(&place.state()).pages, files.div_ceil(16));
}

#[test]
fn a_list_in_another_order_is_refused_instead_of_losing_files() {
    let place = paged(List::Csv).build();
    let files = place.files.len();
    let killed = place
        .start()
        .kill_at(Moment::AtSink(files / 3), || place.at_sink().len());
    assert!(killed.was_alive);
    let list = place.path().join("lists/WI-000.csv");
    let text = std::fs::read_to_string(&list).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    std::fs::write(&list, lines.join("\n") + "\n").unwrap();

    let refused = place.run();
    assert_eq!(refused.code, 6, "{refused:?}");
    assert_eq!(refused.json["account"]["failed_listings"], 1, "{refused:?}");
    assert!(
        refused.json["failures"].to_string().contains("list.changed"),
        "{refused:?}"
    );
    assert_eq!(refused.json["account"]["balanced"], true, "{refused:?}");

    std::fs::write(&list, text).unwrap();
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(files, 0, 0);
    place.assert_sink(There::Overwritten);
}
