//! Kills of a job that tells of each file at its sink.

use std::collections::BTreeMap;

use serde_json::Value;

use super::containers::{Containers, Reach, azurite};
use super::files::{Amount, Fate, File, count};
use super::job::{end_after_kills, kill_often};
use super::size;

/// Items at once, and files of each: what may be in flight when a kill comes.
const CONCURRENCY: [usize; 2] = [4, 4];

const QUEUE: &str = "told";

fn files() -> Vec<File> {
    Amount {
        items: size(40, 200),
        files: size(25, 50),
        size_max: 16 << 10,
        missing_one_in: 100,
        there_one_in: 40,
    }
    .files()
}

/// How often the queue holds a message about each blob.
fn told() -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for text in azurite().drain_queue(QUEUE) {
        let message: Value = serde_json::from_str(&text).unwrap();
        let blob = message["blob"].as_str().unwrap();
        assert!(blob.starts_with(message["item"].as_str().unwrap()), "{message}");
        *told.entry(blob.to_owned()).or_default() += 1;
    }
    told
}

#[test]
fn after_kills_each_blob_is_told_of_and_no_more_is_repeated_than_was_in_flight() {
    let files = files();
    let containers = Containers::with(&files);
    azurite().create_queue(QUEUE);
    let before = containers.marks();
    let reach = Reach {
        concurrency: CONCURRENCY,
        queue: Some(QUEUE),
        ..Reach::by(&azurite().blob_endpoint)
    };
    let place = containers.job(files.clone(), &reach);
    let (done, present, failed) = (
        count(&files, Fate::Copied),
        count(&files, Fate::There),
        count(&files, Fate::Missing),
    );
    assert!(present > 0 && failed > 0);

    let kills = size(10, 100);
    kill_often(&place, kills, done + present, || containers.at_sink());
    let ended = end_after_kills(&place);

    assert_eq!(ended.code, 6, "{ended:?}");
    ended.assert_files(done, present, failed);
    let effects = ["planned", "done", "blocked", "residual"].map(|column| ended.account("effects", column));
    let expected = [done + present + failed, done + present, failed, 0].map(|count| count as u64);
    assert_eq!(effects, expected, "planned, sent, blocked, residual: {ended:?}");
    containers.assert_sink(&files, &before);

    let told = told();
    let at_sink = containers.marks();
    assert!(told.keys().eq(at_sink.keys()), "each blob is told of, and nothing else");
    let surplus = told.values().sum::<usize>() - told.len();
    eprintln!("{surplus} messages repeated after {kills} kills");
    let in_flight = CONCURRENCY.iter().product::<usize>();
    assert!(surplus <= kills * in_flight, "{surplus} repeated after {kills} kills");

    let again = end_after_kills(&place);
    assert_eq!(again.code, 6, "{again:?}");
    assert!(azurite().drain_queue(QUEUE).is_empty(), "nothing is told again");
}
