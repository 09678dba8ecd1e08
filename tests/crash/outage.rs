//! A store that goes away in the middle of a run, and one that denies everything.

use std::net::SocketAddr;

use super::containers::{Containers, azurite};
use super::files::{Amount, Fate, count};
use super::job::end_after_kills;
use super::proxy::Proxy;
use super::servers::Azurite;

const AMOUNT: Amount = Amount {
    items: 12,
    files: 20,
    size_max: 40 << 10,
    missing_one_in: 0,
    there_one_in: 50,
};

fn server() -> SocketAddr {
    let host = azurite().blob_endpoint.trim_start_matches("http://");
    host.split('/').next().unwrap().parse().unwrap()
}

#[test]
fn a_store_that_goes_away_leaves_retryable_failures_and_a_later_run_completes() {
    let files = AMOUNT.files();
    let containers = Containers::with(&files);
    let before = containers.marks();
    let proxy = Proxy::to(server());
    let endpoint = format!("http://{}/{}", proxy.address(), Azurite::ACCOUNT);
    let place = containers.job(files.clone(), &endpoint, Azurite::ACCOUNT_KEY, [3, 4]);

    let mut running = place.start();
    assert!(running.wait_until(|| containers.at_sink() > before.len() + 40));
    proxy.break_off();
    let ended = running.wait();
    assert_eq!(ended.code, 5, "{ended:?}");
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
fn a_wrong_key_stops_the_run_early() {
    let files = AMOUNT.files();
    let containers = Containers::with(&files);
    let before = containers.marks();
    let bad_key = "d3JvbmctYW5kLXNlY3JldA==";
    let place = containers.job(files.clone(), &azurite().blob_endpoint, bad_key, [3, 4]);
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
