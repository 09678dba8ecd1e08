use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Command;

use pipeline::model::{ItemStatus, ItemSummary};
use pipeline::state::{
    Change, Finding, Identity, Journal, PageState, State, StateError, StateFolder, doctor, rebuild, restart,
};

use crate::harness::{Place, done, holder, identity, item, ledger, open_page, records, seal_done};

fn cut(path: &Path, length: u64) {
    OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length)
        .unwrap();
}

/// The error of an opening, and that it names the commands that help.
fn refusal(place: &Place) -> StateError {
    let Err(error) = place.open() else {
        panic!("the state was opened")
    };
    assert!(error.is_locked_or_damaged(), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("pipeline state doctor") && message.contains("pipeline state rebuild"),
        "{message}"
    );
    error
}

#[tokio::test]
async fn an_emptied_or_deleted_database_is_not_taken_for_a_new_one() {
    let place = Place::with_pages(3).await;
    cut(&place.path("db/db"), 0);
    assert!(matches!(refusal(&place), StateError::Emptied { .. }));
    fs::remove_dir_all(place.path("db")).unwrap();
    assert!(matches!(refusal(&place), StateError::Emptied { .. }));
    fs::remove_file(place.path("format.json")).unwrap();
    assert!(
        matches!(refusal(&place), StateError::Emptied { .. }),
        "segments without a database"
    );
}

#[tokio::test]
async fn the_database_of_another_state_is_not_taken_for_this_one() {
    let place = Place::with_pages(3).await;
    let other = Place::with_pages(3).await;
    fs::rename(place.path("db"), place.path("away")).unwrap();
    fs::rename(other.path("db"), place.path("db")).unwrap();
    assert!(matches!(refusal(&place), StateError::Emptied { .. }));
}

#[tokio::test]
async fn a_database_cut_at_any_length_is_refused() {
    const CUTS: u64 = 24;
    let whole = Place::new();
    {
        let state = whole.open().unwrap();
        let writer = state.writer().unwrap();
        for number in 0..400 {
            let mut summary = ItemSummary::new(format!("item {number}"), number);
            let sent = writer.send_durable(open_page(&summary, 0, 400)).await.unwrap();
            sent.wait().await.unwrap();
            if number % 2 == 0 {
                seal_done(&writer, &mut summary, 0, 400).await;
            }
        }
    }
    let database = fs::read(whole.path("db/db")).unwrap();
    for part in 1..CUTS {
        let length = database.len() as u64 * part / CUTS + part % 3;
        fs::write(whole.path("db/db"), &database).unwrap();
        cut(&whole.path("db/db"), length);
        assert!(matches!(refusal(&whole), StateError::Damaged { .. }), "cut at {length}");
    }
}

#[tokio::test]
async fn a_half_written_snapshot_is_no_obstacle() {
    let place = Place::with_pages(3).await;
    fs::write(place.path("db/snap.00000000000FFFFF.generating"), [7; 40]).unwrap();
    assert_eq!(place.open().unwrap().pages(item()).unwrap().len(), 2);
}

#[test]
fn an_unfinished_creation_is_begun_again() {
    let place = Place::new();
    fs::create_dir_all(place.path("db.new")).unwrap();
    fs::write(place.path("db.new/db"), [7; 40]).unwrap();
    drop(place.open().unwrap());
    fs::remove_file(place.path("format.json")).unwrap();
    drop(place.open().unwrap());
    assert!(place.path("format.json").exists());
}

#[test]
fn a_newer_format_and_another_job_are_named() {
    let place = Place::new();
    drop(place.open().unwrap());
    let stranger = Identity {
        job: "other".to_owned(),
        ..identity()
    };
    let refused = State::open(&place.folder, &stranger, &holder()).err().unwrap();
    assert!(
        matches!(&refused, StateError::OtherJob { job, .. } if job == "reupload"),
        "{refused}"
    );
    fs::write(place.path("format.json"), r#"{"format": 99, "new": true}"#).unwrap();
    let refused = place.open().err().unwrap();
    assert!(
        matches!(refused, StateError::NewerFormat { found: 99, .. }),
        "{refused}"
    );
}

#[test]
fn a_file_in_place_of_the_folder_is_named() {
    let place = Place::new();
    let file = place.outside().join("file");
    fs::write(&file, "").unwrap();
    let refused = crate::harness::open(&StateFolder::new(file.join("job"))).err().unwrap();
    assert!(!refused.is_locked_or_damaged());
    assert!(refused.to_string().contains("--state"), "{refused}");
}

#[tokio::test]
async fn a_full_disk_ends_the_writer_and_loses_nothing_acknowledged() {
    let place = Place::new();
    let Some(mounted) = Mounted::on(place.folder.path(), "size=3m") else {
        return;
    };
    let state = place.open().unwrap();
    let writer = state.writer().unwrap();
    let mut durable = 0;
    let error = loop {
        let mut summary = ItemSummary::new(format!("item {durable}"), durable);
        let page = open_page(&summary, 0, 500);
        let sent = match writer.send_durable(page).await {
            Ok(sent) => sent.wait().await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            break error;
        }
        seal_done(&writer, &mut summary, 0, 500).await;
        durable += 1;
    };
    assert!(error.to_string().contains("free some space"), "{error}");
    assert!(!error.is_locked_or_damaged());
    drop(writer);
    drop(state);

    mounted.change("size=30m");
    let state = place.open().unwrap();
    for number in 0..durable {
        let id = ItemSummary::new(format!("item {number}"), number).id();
        let pages = state.pages(id).unwrap();
        assert_eq!(ledger(&state, &pages[0]).len(), 500);
    }
}

#[test]
fn a_disk_too_full_to_begin_on_is_no_damage() {
    let place = Place::new();
    let Some(mounted) = Mounted::on(place.folder.path(), "size=20k") else {
        return;
    };
    let refused = place.open().err().unwrap();
    assert!(refused.to_string().contains("free some space"), "{refused}");
    assert!(!refused.is_locked_or_damaged());
    mounted.change("size=3m");
    place.open().unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    let Some(mounted) = Mounted::on(place.folder.path(), "size=3m") else {
        return;
    };
    drop(place.open().unwrap());
    mounted.change("ro");
    let refused = place.open().err().unwrap();
    assert!(refused.to_string().contains("make the folder writable"), "{refused}");
    assert!(!refused.is_locked_or_damaged());
}

/// A small file system in memory, where this user may mount one.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn on(path: &'a Path, options: &str) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path)
            .status();
        if status.is_ok_and(|status| status.success()) {
            return Some(Self(path));
        }
        eprintln!("left out: this user cannot mount a small file system");
        None
    }

    fn change(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(self.0).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test]
async fn a_restart_forgets_everything_but_the_journals() {
    let place = Place::with_pages(3).await;
    Journal::create(&place.folder, 1).unwrap().close().unwrap();
    cut(&place.path("db/db"), 0);
    restart(&place.folder, &holder()).unwrap();
    let state = place.open().unwrap();
    assert_eq!(state.items().count(), 0);
    assert_eq!(place.folder.journals().unwrap().len(), 1);
    let writer = state.writer().unwrap();
    writer
        .send(open_page(&ItemSummary::new("item".to_owned(), 0), 0, 3))
        .await
        .unwrap();
    writer.close().unwrap();
    drop(state);
    assert_eq!(place.open().unwrap().items().count(), 1);
}

#[tokio::test]
async fn bytes_behind_the_last_sealed_page_are_left_out() {
    let place = Place::with_pages(3).await;
    let segment = place.path("segments/00000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let torn = bytes[..bytes.len() / 2].to_vec();
    bytes.extend(torn);
    fs::write(&segment, &bytes).unwrap();

    let state = place.open().unwrap();
    let writer = state.writer().unwrap();
    let mut summary = state.item(item()).unwrap().unwrap();
    seal_done(&writer, &mut summary, 1, 3).await;
    writer.close().unwrap();
    let pages = state.pages(item()).unwrap();
    let all: Vec<_> = (0..3).map(done).collect();
    assert_eq!(ledger(&state, &pages[0]), records(0, 3, &all));
    assert_eq!(ledger(&state, &pages[1]), records(1, 3, &all));
}

#[tokio::test]
async fn the_doctor_names_damage_and_changes_nothing() {
    let place = Place::with_pages(3).await;
    let sound = doctor(&place.folder, &identity(), &holder()).unwrap();
    assert_eq!(
        (sound.items, sound.sealed_pages, sound.open_pages, sound.blocks),
        (1, 1, 1, 1)
    );

    let segment = place.path("segments/00000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let before = fs::read(place.path("db/db")).unwrap();
    let diagnosis = doctor(&place.folder, &identity(), &holder()).unwrap();
    assert!(!diagnosis.is_sound());
    assert!(
        diagnosis
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::Page { item, page: 0, .. } if item == "item")),
        "{diagnosis:?}"
    );
    assert_eq!(fs::read(place.path("db/db")).unwrap(), before);
    assert!(!place.path("db.examined").exists());

    cut(&place.path("db/db"), 0);
    let diagnosis = doctor(&place.folder, &identity(), &holder()).unwrap();
    assert!(
        matches!(diagnosis.findings[..], [Finding::Database(StateError::Emptied { .. })]),
        "{diagnosis:?}"
    );
}

#[tokio::test]
async fn a_rebuild_keeps_every_sealed_page_and_puts_the_rest_back() {
    let place = Place::with_pages(3).await;
    {
        let state = place.open().unwrap();
        let writer = state.writer().unwrap();
        let mut complete = ItemSummary::new("complete".to_owned(), 1);
        complete.status = ItemStatus::Completed;
        complete.listed = true;
        complete.pages = 1;
        writer.send(open_page(&complete, 0, 5)).await.unwrap();
        seal_done(&writer, &mut complete, 0, 5).await;
        writer.send(Change::Item(complete)).await.unwrap();
    }
    cut(&place.path("db/db"), 0);
    refusal(&place);

    let rebuilt = rebuild(&place.folder, &identity(), &holder()).unwrap();
    assert_eq!((rebuilt.items, rebuilt.pages, rebuilt.units.done), (2, 2, 8));
    assert!(rebuilt.set_aside.unwrap().join("db").exists());
    let state = place.open().unwrap();
    let half = state.item(item()).unwrap().unwrap();
    assert_eq!((half.status, half.pages, half.units.done), (ItemStatus::Pending, 1, 3));
    assert!(matches!(
        state.pages(item()).unwrap()[..],
        [PageState::Sealed { page: 0, .. }]
    ));
    assert_eq!(state.account().unwrap().items.done, 1);
    assert_eq!(state.audit().unwrap(), []);

    let writer = state.writer().unwrap();
    let mut summary = half;
    writer.send(open_page(&summary, 1, 3)).await.unwrap();
    seal_done(&writer, &mut summary, 1, 3).await;
    writer.close().unwrap();
    assert_eq!(state.account().unwrap().units.done, 11);
}
