//! A store that goes away in the middle of a run, and one that denies everything.

use std::collections::BTreeMap;

use super::containers::{Containers, Reach, azurite};
use super::files::{Amount, Fate, count};
use super::job::{List, end_after_kills};
use super::proxy::Proxy;
use super::servers::Azurite;

const AMOUNT: Amount = Amount {
    items: 12,
    files: 20,
    size_max: 40 << 10,
    missing_one_in: 0,
    there_one_in: 50,
};

#[test]
fn a_store_that_stays_away_ends_the_run_and_a_later_one_completes() {
    let files = AMOUNT.files();
    let containers = Containers::with(&files);
    let before = containers.marks();
    let proxy = Proxy::start();
    let endpoint = proxy.endpoint();
    let reach = Reach {
        outage: "1s",
        ..Reach::by(&endpoint)
    };
    let place = containers.job(files.clone(), &reach);

    let mut running = place.start();
    assert!(running.wait_until(|| containers.at_sink() > before.len() + 40));
    proxy.break_off();
    let ended = running.wait();
    assert_eq!(ended.code, 7, "{ended:?}");
    // Both ends are behind the same way; either may be missed first.
    let told = ["originals", "results"]
        .map(|connection| format!("connection `{connection}` is gone: it gave no answer for 1.0 s"));
    assert!(told.iter().any(|told| ended.stderr.contains(told)), "{ended:?}");
    assert!(ended.stderr.contains("Next: pipeline run"), "{ended:?}");
    assert!(
        ended.account("files", "pending") > 0,
        "no copies of one error for all: {ended:?}"
    );
    assert!(ended.account("files", "failed") > 0, "{ended:?}");
    assert!(ended.account("files", "done") >= 40, "{ended:?}");
    assert_eq!(ended.json["account"]["balanced"], true, "{ended:?}");
    assert!(ended.json["retries"].as_u64().unwrap() > 0, "{ended:?}");

    proxy.mend();
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(count(&files, Fate::Copied), count(&files, Fate::There), 0);
    containers.assert_sink(&files, &before);
}

#[test]
fn a_listing_that_breaks_off_goes_on_behind_its_finished_pages() {
    // One item of many pages, so that the way breaks while it is being listed.
    let files = Amount {
        items: 1,
        files: 100,
        there_one_in: 0,
        ..AMOUNT
    }
    .files();
    let containers = Containers::with(&files);
    let proxy = Proxy::start();
    let endpoint = proxy.endpoint();
    let reach = Reach {
        list: List::Glob,
        page_units: 16,
        outage: "0s",
        ..Reach::by(&endpoint)
    };
    let place = containers.job(files.clone(), &reach);
    let mut running = place.start();
    assert!(running.wait_until(|| containers.at_sink() > 20));
    proxy.break_off();
    let ended = running.wait();
    assert_eq!(ended.code, 7, "{ended:?}");
    assert_eq!(ended.json["account"]["balanced"], true, "{ended:?}");

    proxy.mend();
    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(files.len(), 0, 0);
    containers.assert_sink(&files, &BTreeMap::new());
}

#[test]
fn a_connection_that_is_gone_pauses_the_run_until_it_is_back() {
    let files = AMOUNT.files();
    let containers = Containers::with(&files);
    let before = containers.marks();
    let proxy = Proxy::start();
    let endpoint = proxy.endpoint();
    let reach = Reach {
        outage: "10m",
        ..Reach::by(&endpoint)
    };
    let place = containers.job(files.clone(), &reach);
    let mut running = place.start();
    assert!(running.wait_until(|| containers.at_sink() > before.len() + 20));
    proxy.break_off();
    assert!(
        running.wait_until(|| place.probes().is_some_and(|probes| probes >= 2)),
        "it is noticed, and asked for"
    );
    proxy.mend();
    let ended = running.wait();
    assert_eq!(ended.code, 5, "{ended:?}");
    assert_eq!(ended.account("files", "pending"), 0, "{ended:?}");
    // Besides those that showed it, only those whose last attempt was under way.
    assert!((1..=40).contains(&ended.account("files", "failed")), "{ended:?}");

    let ended = end_after_kills(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(count(&files, Fate::Copied), count(&files, Fate::There), 0);
    containers.assert_sink(&files, &before);
}

#[test]
fn an_outage_shorter_than_the_policy_is_waited_out() {
    let files = AMOUNT.files();
    let containers = Containers::with(&files);
    let before = containers.marks();
    let proxy = Proxy::start();
    let endpoint = proxy.endpoint();
    let reach = Reach {
        max_attempts: 200,
        ..Reach::by(&endpoint)
    };
    let place = containers.job(files.clone(), &reach);
    let mut running = place.start();
    assert!(running.wait_until(|| containers.at_sink() > before.len() + 20));
    proxy.break_off();
    assert!(running.wait_until(|| place.retries() > 0), "attempts are repeated");
    proxy.mend();
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(count(&files, Fate::Copied), count(&files, Fate::There), 0);
    containers.assert_sink(&files, &before);
}

#[test]
fn a_write_of_a_killed_run_that_arrives_late_is_no_conflict() {
    let files = Amount {
        items: 1,
        files: 2,
        there_one_in: 0,
        ..AMOUNT
    };
    let files = files.files();
    let containers = Containers::with(&files);
    let proxy = Proxy::start();
    let endpoint = proxy.endpoint();
    let reach = Reach {
        mode: "create",
        concurrency: [1, 1],
        ..Reach::by(&endpoint)
    };
    let place = containers.job(files.clone(), &reach);
    proxy.delay_next_write();
    let mut running = place.start();
    assert!(running.wait_until(|| proxy.holds_a_write()));
    assert!(running.kill().was_alive);
    assert_eq!(containers.at_sink(), 0, "the write is still under way");

    // The next run looks, finds nothing, and writes: only then does the old write arrive.
    let ended = place.run();
    assert!(proxy.has_delivered_the_write());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(2, 0, 0);
    containers.assert_sink(&files, &BTreeMap::new());
}

#[test]
fn a_wrong_key_stops_the_run_early() {
    let files = AMOUNT.files();
    let containers = Containers::with(&files);
    let before = containers.marks();
    let bad_key = "d3JvbmctYW5kLXNlY3JldA==";
    let reach = Reach {
        key: bad_key,
        ..Reach::by(&azurite().blob_endpoint)
    };
    let place = containers.job(files.clone(), &reach);
    let denied = place.run();
    assert_eq!(denied.code, 7, "{denied:?}");
    assert!(denied.stderr.contains("denied"), "{denied:?}");
    assert!(
        denied.stderr.contains("pipeline run"),
        "it names the next command: {denied:?}"
    );
    assert!(!denied.stderr.contains(bad_key), "{denied:?}");
    assert_eq!(containers.marks(), before);

    let failures = place.command(&["failures"]).output().unwrap();
    let text = String::from_utf8(failures.stdout).unwrap();
    let listed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let total = listed["total"].as_u64().unwrap_or_else(|| panic!("{text}"));
    assert!((5..=60).contains(&total), "a few of {} files: {text}", files.len());

    // With the right key it goes on where it stopped.
    let place = place.with_environment("CRASH_ACCOUNT_KEY", Azurite::ACCOUNT_KEY);
    let ended = place.run();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(count(&files, Fate::Copied), count(&files, Fate::There), 0);
    containers.assert_sink(&files, &before);
}
