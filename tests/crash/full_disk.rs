//! Disks that get full: the sink's and the state's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::job::{Job, There};

/// A small file system in memory; unmounted when dropped.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// `None`, with a message, where this user may not mount.
    fn mount(path: &Path, bytes: usize) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let size = format!("size={bytes}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { path: path.to_owned() });
        }
        eprintln!("skipped: mounting a small file system takes root");
        None
    }

    /// Makes it larger.
    fn grow(&self, bytes: usize) {
        let size = format!("remount,size={bytes}");
        let grown = Command::new("mount").args(["-o", &size]).arg(&self.path).status();
        assert!(grown.unwrap().success(), "the file system grows");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

#[test]
fn a_full_sink_fails_its_files_clearly_and_with_room_a_run_completes() {
    let place = Job::new().items(4).files(30).size_max(400 << 10).build();
    let Some(disk) = SmallDisk::mount(&place.sink(), 4 << 20) else {
        return;
    };
    let full = place.run();
    assert_eq!(full.code, 6, "{full:?}");
    assert!(full.json["failures"].to_string().contains("store.full"), "{full:?}");
    assert_eq!(full.json["account"]["balanced"], true, "{full:?}");
    assert!(
        full.account("files", "failed") > 0 && full.account("files", "done") > 0,
        "{full:?}"
    );
    let at_sink = place.at_sink();
    assert_eq!(
        at_sink.len() as u64,
        full.account("files", "done"),
        "nothing is there but what is done"
    );
    for file in &place.files {
        if at_sink.contains_key(&file.target()) {
            let bytes = std::fs::read(place.sink().join(file.target())).unwrap();
            assert!(bytes == file.bytes(), "`{}` is whole", file.target());
        }
    }

    disk.grow(64 << 20);
    let ended = place.run();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(120, 0, 0);
    place.assert_sink(There::LeftAlone);
}

/// Runs a job whose state gets `bytes` of disk: it stops with a remedy, and goes on when there is room.
fn state_on_a_disk_of(bytes: usize) {
    let place = Job::new().items(30).files(40).size_max(1 << 10).units(8).build();
    let Some(disk) = SmallDisk::mount(place.state().path(), bytes) else {
        return;
    };
    // The second one finds the disk full from its start.
    for _ in 0..2 {
        let full = place.run();
        assert_eq!(full.code, 7, "{full:?}");
        assert!(!full.stderr.contains("Os {"), "told in words: {full:?}");
        assert!(full.stderr.contains("free some space"), "{full:?}");
    }
    disk.grow(64 << 20);
    let ended = place.run();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.assert_files(1_200, 0, 0);
    place.assert_sink(There::LeftAlone);
}

#[test]
fn a_disk_too_small_for_any_state_stops_the_run_with_a_remedy() {
    state_on_a_disk_of(128 << 10);
}

#[test]
fn a_state_disk_that_gets_full_in_mid_run_loses_nothing() {
    state_on_a_disk_of(576 << 10);
}
