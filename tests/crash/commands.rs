//! Commands that change a state, killed at moments spread over all of their work: the same command again comes to its end, and nothing is lost.

use std::time::{Duration, Instant};

use pipeline::model::UnitStatus;

use crate::harness::{File, Job, Project, SPEC};
use crate::size;

/// Kills `command` in a new project at each of a row of moments, runs it again, and looks at what there is then.
fn kill_all_along(make: impl Fn() -> Project, command: &[&str], check: impl Fn(&Project)) {
    let whole = make();
    let begun = Instant::now();
    whole.command(command.iter().copied()).exits(0);
    let duration = begun.elapsed();
    check(&whole);
    let moments = u32::try_from(size(6, 60)).unwrap();
    for moment in 0..moments {
        let project = make();
        let run = project.spawn(command.iter().copied());
        // The moment itself is what is varied, so there is no event to wait for.
        std::thread::sleep(duration * moment / moments + Duration::from_millis(1));
        run.kill();
        project.command(command.iter().copied()).exits(0);
        project.command(["state", "doctor", SPEC]).exits(0);
        check(&project);
    }
}

fn names(count: usize) -> Vec<File> {
    (0..count)
        .map(|number| File::named(format!("{number:02}.bin")).real_size(300))
        .collect()
}

/// Four items of twelve files in pages of five, every third of which was not there when they were copied.
fn with_failures() -> Project {
    let keys = ["a", "b", "c", "d"];
    let job = keys.iter().fold(Job::new(), |job, key| job.item(key, names(12)));
    let project = job.source_folder().with("limits", "{ page_units: 5 }").create();
    let gone: Vec<String> = keys
        .iter()
        .flat_map(|key| {
            (0..12)
                .step_by(3)
                .map(move |number| format!("jobs/originals/{key}/{number:02}.bin"))
        })
        .collect();
    let bytes: Vec<Vec<u8>> = gone.iter().map(|name| project.read_bytes(name)).collect();
    gone.iter().for_each(|name| project.remove(name));
    project.run().exits(6);
    gone.iter()
        .zip(bytes)
        .for_each(|(name, bytes)| project.write(name, bytes));
    project
}

#[track_caller]
fn is_whole(project: &Project) {
    assert_eq!(project.sink(), project.expected_sink());
    let ledger = project.ledger();
    assert_eq!(ledger.len(), 48);
    let is_settled = |status| matches!(status, UnitStatus::Done | UnitStatus::Present);
    assert!(ledger.values().all(|record| is_settled(record.status)));
    project.run().exits(0).says("nothing left");
}

#[test]
fn retry_goes_on_after_a_kill() {
    kill_all_along(with_failures, &["retry", SPEC], is_whole);
}

#[test]
fn cleanup_takes_nothing_that_is_needed() {
    let make = || {
        let project = with_failures();
        // Pages that are sealed anew leave dead ones behind, and each run leaves a journal.
        project.run().exits(0);
        (0..3).for_each(|_| drop(project.run().exits(0)));
        project
    };
    kill_all_along(make, &["cleanup", SPEC, "--keep-journals", "1"], |project| {
        is_whole(project);
        project.command(["verify", SPEC, "--checksum"]).exits(0);
    });
}

#[test]
fn an_import_is_whole_after_it_was_given_again() {
    let make = || {
        let job = ["a", "b", "c", "d"]
            .iter()
            .fold(Job::new(), |job, key| job.item(key, names(12)));
        let project = job.source_folder().with("limits", "{ page_units: 5 }").create();
        let mut done = "item,target,size\n".to_owned();
        for key in ["a", "b", "c"] {
            for number in 0..8 {
                let name = format!("{key}/{number:02}.bin");
                project.write(
                    &format!("out/{name}"),
                    project.read_bytes(&format!("jobs/originals/{name}")),
                );
                done.push_str(&format!("{key},{name},300\n"));
            }
        }
        project.write("done.csv", done);
        project
    };
    kill_all_along(make, &["state", "import", SPEC, "--done", "done.csv"], |project| {
        let present = |project: &Project| {
            let report = project.command(["report", SPEC, "--json"]).exits(0).json();
            report["account"]["files"]["present"].as_u64()
        };
        assert_eq!(present(project), Some(24));
        project.run().exits(0);
        assert_eq!((project.sink(), present(project)), (project.expected_sink(), Some(24)));
        project.run().exits(0).says("nothing left");
    });
}
