//! Kills of a job between two containers of the emulator.

use std::collections::BTreeMap;

use super::containers::{Containers, Reach, azurite};
use super::files::{Amount, Fate, File, count};
use super::job::{end_after_kills, kill_often};
use super::size;

/// Forty items with twenty-five files each: a few have several parts, some are missing, some are at the sink before.
fn files() -> Vec<File> {
    let amount = Amount {
        items: size(40, 200),
        files: size(25, 50),
        size_max: 200 << 10,
        missing_one_in: 100,
        there_one_in: 40,
    };
    let mut files = amount.files();
    let every = files.len() / 3;
    for large in files.iter_mut().filter(|file| file.fate == Fate::Copied).step_by(every) {
        large.size = 12 << 20;
    }
    files
}

#[test]
fn after_kills_at_random_moments_every_blob_is_there_once_and_whole() {
    let files = files();
    let containers = Containers::with(&files);
    let before = containers.marks();
    assert_eq!(before.len(), count(&files, Fate::There));
    let reach = Reach {
        concurrency: [4, 4],
        ..Reach::by(&azurite().blob_endpoint)
    };
    let place = containers.job(files.clone(), &reach);
    let (done, present, failed) = (
        count(&files, Fate::Copied),
        count(&files, Fate::There),
        count(&files, Fate::Missing),
    );

    kill_often(&place, size(10, 100), done + present, || containers.at_sink());
    let ended = end_after_kills(&place);

    assert_eq!(ended.code, 6, "{ended:?}");
    ended.assert_files(done, present, failed);
    assert_eq!(
        ended.account("items", "failed") + ended.account("items", "done"),
        size(40, 200) as u64
    );
    containers.assert_sink(&files, &before);
    assert_failures_are_the_missing_files(&place, &files);

    // Once more: only what failed is tried again, and nothing at the sink is touched.
    let marks: BTreeMap<_, _> = containers.marks();
    let again = end_after_kills(&place);
    assert_eq!(again.code, 6, "{again:?}");
    again.assert_files(done, present, failed);
    assert_eq!(
        again.json["integrity"]["hashed"], 0,
        "nothing is copied twice: {again:?}"
    );
    assert_eq!(containers.marks(), marks);
}

fn assert_failures_are_the_missing_files(place: &super::job::Place, files: &[File]) {
    let export = place.path().join("failures.csv");
    let mut command = place.command(&["failures"]);
    let listed = command.arg("--export").arg(&export).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let mut rows = csv::Reader::from_path(&export).unwrap();
    let headers = rows.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (target, code) = (column("target"), column("code"));
    let mut found: Vec<(String, String)> = rows
        .records()
        .map(|row| row.unwrap())
        .map(|row| (row[target].to_owned(), row[code].to_owned()))
        .collect();
    found.sort();
    let missing = files.iter().filter(|file| file.fate == Fate::Missing);
    let mut expected: Vec<(String, String)> = missing
        .map(|file| (file.target(), "store.not_found".to_owned()))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
}
