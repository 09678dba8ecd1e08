//! `plan` and `run` decide alike, file by file, over varied starting states of sink and ledger.

use std::collections::BTreeMap;
use std::fs::File as OsFile;
use std::time::{Duration, SystemTime};

use pipeline::model::{UnitRecord, UnitStatus};

use crate::harness::{Behaviour, File, Gate, Job, Object, Project, SPEC, Tree, bytes_of};

const MODES: [&str; 4] = ["create", "skip", "overwrite", "overwrite_if_different"];

fn set_age(project: &Project, name: &str, ago: Duration) {
    let file = OsFile::options().write(true).open(project.path(name)).unwrap();
    file.set_modified(SystemTime::now() - ago).unwrap();
}

const HOUR: Duration = Duration::from_secs(3_600);

/// Two items of eight files each with every state of a target in them, and one file that is missing at the source.
fn varied(mode: &'static str) -> Project {
    let names = [
        "absent",
        "same",
        "other-size",
        "older",
        "newer",
        "missing-source",
        "missing-there",
        "same-bytes",
    ];
    let files = || names.map(|name| File::named(name).real_size(200));
    let project = Job::new()
        .item("a", files())
        .item("b", files())
        .source_folder()
        .mode(mode)
        .with("limits", "{ page_units: 3 }")
        .create();
    for item in ["a", "b"] {
        for name in names {
            set_age(&project, &format!("jobs/originals/{item}/{name}"), 2 * HOUR);
        }
        for (name, size, ago) in [
            ("same", 200, HOUR),
            ("other-size", 150, HOUR),
            ("older", 200, 3 * HOUR),
            ("newer", 200, HOUR),
            ("missing-there", 200, HOUR),
        ] {
            project.write(&format!("out/{item}/{name}"), bytes_of("something else", size));
            set_age(&project, &format!("out/{item}/{name}"), ago);
        }
        let path = format!("{item}/same-bytes");
        project.write(
            &format!("out/{path}"),
            project.read_bytes(&format!("jobs/originals/{path}")),
        );
        for name in ["missing-source", "missing-there"] {
            project.remove(&format!("jobs/originals/{item}/{name}"));
        }
    }
    project
}

type Ledger = BTreeMap<(String, String), UnitRecord>;

/// Runs, and compares what was decided before with what then stands in the ledger and at the sink.
fn compare(project: &Project, label: &str) {
    let decisions = project.decisions();
    let counted = project.plan_json()["inventory"]["decisions"].clone();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for unit in &decisions {
        *counts.entry(unit.decision.name()).or_default() += 1;
    }
    for (name, count) in &counts {
        assert_eq!(counted[*name], *count, "{label}: {name} in {counted}");
    }
    let (before, sink_before) = (project.ledger(), project.sink());
    let settled = before.values().filter(|record| is_settled(record)).count() as u64;
    assert_eq!(counted["settled"].as_u64().unwrap_or(0), settled, "{label}");

    let output = project.run();
    assert!(matches!(output.code, Some(0 | 5 | 6)), "{label}: {}", output.text());
    let (after, sink) = (project.ledger(), project.sink());
    assert_eq!(
        after.len() as u64,
        decisions.len() as u64 + settled,
        "{label}: each file is decided about once"
    );
    for unit in &decisions {
        let place = (unit.item.clone(), unit.source.clone());
        let record = &after[&place];
        let source = std::fs::read(project.path(&format!("jobs/originals/{}", unit.source))).ok();
        let copied = source.as_deref().map(Object::of);
        let (there, was_there) = (sink.get(&unit.target), sink_before.get(&unit.target));
        let name = unit.decision.name();
        let what = format!("{label}: {name} {} → {record:?}", unit.target);
        match (name, copied) {
            ("copy" | "overwrite", Some(copied)) => {
                assert_eq!(record.status, UnitStatus::Done, "{what}");
                assert_eq!(there, Some(&copied), "{what}");
                assert_eq!(was_there.is_some(), name == "overwrite", "{what}");
            }
            ("copy" | "overwrite", None) | ("refuse", _) => {
                assert_eq!(record.status, UnitStatus::Failed, "{what}");
                assert_eq!(there, was_there, "{what}");
            }
            ("present", _) => {
                assert_eq!(record.status, UnitStatus::Present, "{what}");
                assert_eq!(there, was_there, "{what}");
            }
            ("compare", Some(copied)) => {
                assert!(is_settled(record) || record.status == UnitStatus::Failed, "{what}");
                assert_eq!(record.status == UnitStatus::Done, there == Some(&copied), "{what}");
            }
            ("compare", None) => assert_eq!(record.status, UnitStatus::Failed, "{what}"),
            _ => panic!("{what}"),
        }
    }
    untouched(&before, &sink_before, &after, &sink, label);
}

fn is_settled(record: &UnitRecord) -> bool {
    matches!(record.status, UnitStatus::Done | UnitStatus::Present)
}

/// What was settled before is as it was.
fn untouched(before: &Ledger, sink_before: &Tree, after: &Ledger, sink: &Tree, label: &str) {
    for (place, record) in before.iter().filter(|(_, record)| is_settled(record)) {
        assert_eq!(&after[place], record, "{label}");
        assert_eq!(
            sink.get(&record.target),
            sink_before.get(&record.target),
            "{label}: {place:?}"
        );
    }
}

#[test]
fn over_a_varied_sink_in_all_modes() {
    for mode in MODES {
        let project = varied(mode);
        compare(&project, &format!("{mode}, first run"));
        compare(&project, &format!("{mode}, with failures"));
        // Targets come and go between runs.
        project.write("out/a/missing-source", bytes_of("appeared", 90));
        project.write("jobs/originals/a/missing-source", bytes_of("a/missing-source", 200));
        std::fs::remove_file(project.path("out/a/same")).unwrap();
        project.write("jobs/originals/b/missing-there", bytes_of("b/missing-there", 200));
        compare(&project, &format!("{mode}, the causes half cured"));
        project.write("jobs/originals/a/missing-there", bytes_of("a/missing-there", 200));
        project.write("jobs/originals/b/missing-source", bytes_of("b/missing-source", 200));
        compare(&project, &format!("{mode}, the causes cured"));
        compare(&project, &format!("{mode}, once more"));
    }
}

#[test]
fn over_an_empty_sink_and_over_a_full_one_in_all_modes() {
    for mode in MODES {
        let empty = Job::new().source_folder().mode(mode).create();
        compare(&empty, &format!("{mode}, empty sink"));
        let full = Job::new().source_folder().mode(mode).create();
        for (name, _) in full.tree("jobs/originals") {
            full.write(
                &format!("out/{name}"),
                full.read_bytes(&format!("jobs/originals/{name}")),
            );
        }
        compare(&full, &format!("{mode}, full sink"));
    }
}

#[test]
fn behind_a_page_that_a_killed_run_left_open() {
    for mode in MODES {
        let gate = Gate::start();
        let names = ["one", "two", "three", "four", "five"];
        for name in names {
            let behaviour = if name == "three" {
                Behaviour::Held
            } else {
                Behaviour::Sound
            };
            gate.put(&format!("a/{name}"), bytes_of(&format!("a/{name}"), 200), behaviour);
        }
        let job = Job::new()
            .item("a", names.map(|name| File::named(name).real_size(200)))
            .mode(mode);
        let project = job.source_gate(&gate).concurrency(1, 1).create();
        project.write("out/a/five", bytes_of("was there", 120));
        let run = project.spawn(["run", SPEC]);
        gate.wait_until_held(1);
        while !project.path("out/a/two").exists() {
            std::thread::yield_now();
        }
        run.kill();
        // The result of the third may have been lost on its way: here it stands at the sink and the ledger knows nothing of it.
        if mode == "skip" || mode == "create" {
            project.write("out/a/three", bytes_of("a/three", 200));
        }
        // The same objects from a folder, so that the comparison below can read them.
        for name in names {
            project.write(&format!("jobs/originals/a/{name}"), bytes_of(&format!("a/{name}"), 200));
        }
        gate.open();
        compare(&project, &format!("{mode}, killed"));
        compare(&project, &format!("{mode}, killed, once more"));
    }
}
