//! A state folder as version 0.1 wrote it. It must stay readable; `PIPELINE_WRITE_FIXTURES=1` writes it anew, which is right only
//! together with a new format version.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pipeline::model::Timestamp;
use pipeline::state::{Change, JobRecord, PageState, RunOutcome, RunRecord};

use crate::harness::{Place, done, failed, intent, item, ledger, records, results};

const ENTRIES: [&str; 5] = ["format.json", "db.commits", "db/conf", "db/db", "segments/00000001.seg"];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-1")
}

/// The database file is mostly zeros, so it is kept compressed.
fn stored(entry: &str) -> PathBuf {
    fixture().join(format!("{}.zst", entry.replace('/', "-")))
}

#[tokio::test]
async fn a_folder_of_format_1_is_read() {
    if std::env::var_os("PIPELINE_WRITE_FIXTURES").is_some() {
        write_fixture().await;
    }
    let place = Place::new();
    for entry in ENTRIES {
        let path = place.path(entry);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, zstd::decode_all(fs::File::open(stored(entry)).unwrap()).unwrap()).unwrap();
    }
    let state = place.open().unwrap();
    let pages = state.pages(item()).unwrap();
    let all: Vec<_> = (0..3).map(done).collect();
    assert_eq!(ledger(&state, &pages[0]), records(0, 3, &all));
    let PageState::Open {
        intent: found,
        records: merged,
        ..
    } = &pages[1]
    else {
        panic!("{pages:?}")
    };
    assert_eq!(found, &intent(1, 3));
    assert_eq!(merged, &records(1, 3, &[done(0), failed(1)]));
    assert_eq!(state.item(item()).unwrap().unwrap().key, "item");
    assert_eq!(state.runs().unwrap(), [run()]);
    assert_eq!(state.vars().unwrap(), Some(run().vars));
    assert_eq!(state.fingerprints().unwrap(), Some(run().vars));
}

fn run() -> RunRecord {
    RunRecord {
        number: 1,
        started: Timestamp(1_800_000_000_000),
        ended: Some(Timestamp(1_800_000_060_000)),
        outcome: Some(RunOutcome::Failures),
        pid: 7,
        host: "host".to_owned(),
        spec_path: "jobs/reupload.yaml".to_owned(),
        profile: "local".to_owned(),
        vars: BTreeMap::from([("export_id".to_owned(), "7".to_owned())]),
    }
}

async fn write_fixture() {
    let place = Place::with_pages(3).await;
    {
        let state = place.open().unwrap();
        let writer = state.writer().unwrap();
        let summary = state.item(item()).unwrap().unwrap();
        let changes = [
            results(&summary, 1, vec![failed(1)]),
            Change::Job(JobRecord::Run(run())),
            Change::Job(JobRecord::Vars(run().vars)),
            Change::Job(JobRecord::Fingerprints(run().vars)),
        ];
        for change in changes {
            writer.send(change).await.unwrap();
        }
        writer.close().unwrap();
    }
    fs::create_dir_all(fixture()).unwrap();
    for entry in ENTRIES {
        let bytes = fs::read(place.path(entry)).unwrap();
        fs::write(stored(entry), zstd::encode_all(&bytes[..], 19).unwrap()).unwrap();
    }
}
