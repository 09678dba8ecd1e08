//! `plan --out` and `run --plan`: what was planned is done, and what is no longer as it was planned is left alone.

use pipeline::model::{ObjectVersion, PlannedBasis, PlannedDecision, PlannedListing, PlannedObject, PlannedUnit};
use pipeline::model::{PlanHeader, Timestamp};
use pipeline::state::{PlanFile, PlanFileWriter};

use crate::harness::{Behaviour, File, Gate, Job, Output, Project, SPEC, bytes_of};

const PLAN: &str = "copy.plan";

/// Three items of two files each in folders.
fn job() -> Job {
    let files = || ["one", "two"].map(|name| File::named(name).real_size(200));
    Job::new()
        .item("a", files())
        .item("b", files())
        .item("c", files())
        .source_folder()
}

fn planned(job: Job) -> Project {
    let project = job.create();
    project.command(["plan", SPEC, "--out", PLAN]).exits(0).says(PLAN);
    project
}

fn carry_out(project: &Project) -> Output {
    project.command(["run", "--plan", PLAN])
}

/// Runs the plan: the item `b` must be named and left alone, and the others done.
#[track_caller]
fn leaves_b_alone(project: &Project, because: &str) {
    let before = project.sink();
    carry_out(project)
        .exits(12)
        .says(because)
        .says("`b`")
        .says("Next: pipeline plan jobs/copy.yaml --out copy.plan");
    let after = project.sink();
    for (name, object) in &after {
        if name.starts_with("b/") {
            assert_eq!(before.get(name), Some(object), "{name}");
        }
    }
    for name in ["a/one", "a/two", "c/one", "c/two"] {
        assert!(after.contains_key(name), "{name}");
    }
    assert!(before.keys().all(|name| after.contains_key(name)));
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("plan.drifted")
        .says(because);
    project.command(["why", SPEC, "b"]).exits(0).says(because);
    // A plan that is made anew takes the item up as it is now.
    project.command(["plan", SPEC, "--out", PLAN]).exits(0);
}

#[test]
fn a_plan_is_carried_out_once_and_found_done() {
    let project = planned(job());
    let before = project.tree_without_state();
    assert_eq!(before.keys().filter(|name| name.starts_with("out/")).count(), 0);
    let summary = project.command(["run", "--plan", PLAN, "--json"]).exits(0).json();
    assert_eq!(summary["outcome"], "completed");
    assert_eq!(project.sink(), project.expected_sink());
    carry_out(&project).exits(0).says("nothing left");
    project.run().exits(0).says("nothing left");
}

#[test]
fn a_plan_holds_for_items_and_files_as_they_were_selected() {
    let project = job().create();
    project
        .command(["plan", SPEC, "--only", "[ab]", "--limit", "1", "--out", PLAN])
        .exits(0);
    carry_out(&project).exits(0);
    assert_eq!(project.sink().into_keys().collect::<Vec<_>>(), ["a/one", "a/two"]);
}

#[test]
fn a_file_that_is_added_changed_or_gone_keeps_its_item_back() {
    let project = planned(job());
    project.write(
        "jobs/data/lists/b.csv",
        "Path,Name,Size\nb/one,one,\nb/two,two,\nb/one,three,\n",
    );
    leaves_b_alone(&project, "`b/one` is not in the plan");
    carry_out(&project).exits(0);

    let project = planned(job());
    project.write("jobs/data/lists/b.csv", "Path,Name,Size\nb/one,one,\n");
    leaves_b_alone(&project, "`b/two` is in the plan and not in the list any more");
    carry_out(&project).exits(0);

    let project = planned(job());
    project.write("jobs/originals/b/two", bytes_of("another", 201));
    leaves_b_alone(&project, "`b/two`: it has changed at the source");
    carry_out(&project).exits(0);
    assert_eq!(project.sink(), project.expected_sink());

    let project = planned(job());
    project.remove("jobs/originals/b/two");
    leaves_b_alone(&project, "`b/two`: it has changed at the source, or is gone from there");
}

#[test]
fn a_listing_tells_a_change_as_well() {
    let listing = |project: &Project| {
        project.edit(
            SPEC,
            "    connection: inputs\n    csv: \"lists/{{item.Id}}.csv\"\n    read: { connection: originals, path: \"{{file.Path}}\" }\n",
            "    connection: originals\n    glob: \"{{item.Id}}/*\"\n",
        );
        project.edit(SPEC, "{{file.Name}}", "{{file.name}}");
        project.command(["plan", SPEC, "--out", PLAN]).exits(0);
    };
    let project = job().create();
    listing(&project);
    carry_out(&project).exits(0);
    assert_eq!(project.sink().len(), 6);

    let project = job().create();
    listing(&project);
    project.write("jobs/originals/b/two", bytes_of("another", 201));
    leaves_b_alone(&project, "`b/two`: it has changed at the source");

    let project = job().create();
    listing(&project);
    project.write("jobs/originals/b/three", bytes_of("three", 20));
    leaves_b_alone(&project, "`b/three` is not in the plan");
}

#[test]
fn an_object_that_appears_changes_or_goes_at_the_sink_keeps_its_item_back() {
    for mode in ["create", "skip", "overwrite", "overwrite_if_different"] {
        let project = planned(job().mode(mode));
        project.write("out/b/two", bytes_of("somebody else's", 50));
        leaves_b_alone(&project, "`b/two`: an object has appeared at the sink");
    }
    let project = job().create();
    project.write("out/b/two", bytes_of("was there", 50));
    project.command(["plan", SPEC, "--out", PLAN]).exits(0);
    project.write("out/b/two", bytes_of("was there", 51));
    leaves_b_alone(&project, "`b/two`: the object at the sink is another");
    project.remove("out/b/two");
    leaves_b_alone(&project, "`b/two`: the object at the sink is gone");
}

#[test]
fn items_that_the_list_lost_or_won_are_named() {
    let project = planned(job());
    project.write("jobs/data/items.csv", "Id\na\nc\nd\n");
    project.write("jobs/data/lists/d.csv", "Path,Name,Size\na/one,one,\n");
    carry_out(&project)
        .exits(12)
        .says("not in the item list any more: `b`")
        .says("`d`: its file list: the item is not in the plan");
    let sink: Vec<String> = project.sink().into_keys().collect();
    assert_eq!(sink, ["a/one", "a/two", "c/one", "c/two"]);
}

#[test]
fn what_changes_while_the_run_goes_on_is_left_alone_file_by_file() {
    let gate = Gate::start();
    let names = ["one", "two"];
    for name in names {
        gate.put(&format!("a/{name}"), bytes_of(name, 200), Behaviour::Held);
    }
    let job = Job::new().item("a", names.map(|name| File::named(name).real_size(200)));
    let project = planned(job.mode("overwrite").source_gate(&gate).concurrency(1, 1));
    let run = project.spawn(["run", "--plan", PLAN]);
    gate.wait_until_held(1);
    project.write("out/a/two", bytes_of("somebody else's", 50));
    gate.open();
    run.wait().exits(12).says("`a/two`: an object has appeared at the sink");
    assert_eq!(project.read_bytes("out/a/two"), bytes_of("somebody else's", 50));
    assert_eq!(project.read_bytes("out/a/one"), bytes_of("one", 200));
}

#[test]
fn a_killed_run_of_a_plan_goes_on() {
    let gate = Gate::start();
    let names = ["one", "two", "three"];
    for name in names {
        let behaviour = if name == "two" {
            Behaviour::Held
        } else {
            Behaviour::Sound
        };
        gate.put(&format!("a/{name}"), bytes_of(name, 200), behaviour);
    }
    let job = Job::new().item("a", names.map(|name| File::named(name).real_size(200)));
    let project = planned(job.source_gate(&gate).concurrency(1, 1));
    let run = project.spawn(["run", "--plan", PLAN]);
    gate.wait_until_held(1);
    run.kill();
    gate.open();
    carry_out(&project).exits(0);
    assert_eq!(project.sink().len(), 3);
}

#[test]
fn a_spec_that_was_edited_makes_the_whole_plan_stale() {
    for (from, to, because) in [
        ("{{item.Id}}/{{file.Name}}", "{{item.Id}}-{{file.Name}}", "stage `copy`"),
        (
            "mode: skip",
            "mode: overwrite",
            "`sink.mode` was `skip` and is `overwrite`",
        ),
        ("job: copy", "job: other", "it is of job `copy`"),
    ] {
        let project = planned(job());
        project.edit(SPEC, from, to);
        carry_out(&project)
            .exits(12)
            .says(because)
            .says("nothing was run")
            .says("`pipeline plan jobs/copy.yaml --out copy.plan`");
        assert!(project.sink().is_empty());
    }
    let project = planned(job());
    project.edit(SPEC, "max_attempts: 2", "max_attempts: 5");
    carry_out(&project).exits(0);
}

#[test]
fn a_plan_is_of_its_own_profile_variables_and_selection() {
    let job = job()
        .with("vars", "{ day: { default: \"${env:DAY:-one}\" } }")
        .naming("${day}/{{item.Id}}/{{file.Name}}");
    let project = job.create();
    project
        .command(["plan", SPEC, "--var", "day=x", "--out", PLAN])
        .exits(0)
        .says("--var day=x --plan copy.plan");
    for (flags, because) in [
        (["--var", "day=y"].as_slice(), "was made with `day=x`"),
        (&["--profile", "azure"], "was made for profile `local`"),
        (&["--only", "a"], "cannot be used with"),
        (&["--limit", "1"], "cannot be used with"),
        (&["--start-from", "a"], "cannot be used with"),
        (&["--stage", "copy"], "cannot be used with"),
        (&["--restart"], "cannot be used with"),
        (&["--dry-run"], "cannot be used with"),
    ] {
        let arguments = [&["run", "--plan", PLAN], flags].concat();
        project.command(arguments).exits(2).says(because);
    }
    assert!(project.sink().is_empty());
    project
        .command(["run", SPEC, "--plan", PLAN, "--var", "day=x"])
        .exits(0);
    assert!(project.sink().contains_key("x/a/one"));

    let project = planned(Job::new().with("vars", "{ day: { default: \"${env:DAY:-one}\" } }"));
    let mut command = project.prepare(["run", "--plan", PLAN]);
    let output = command.env("DAY", "two").output().unwrap();
    assert_eq!(output.status.code(), Some(12));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the variable `day` has another value"), "{said}");
}

#[test]
fn what_is_no_whole_plan_is_refused_before_anything_is_done() {
    let project = planned(job());
    let whole = project.read_bytes(PLAN);
    let refuse = |bytes: &[u8], because: &str| {
        project.write(PLAN, bytes);
        carry_out(&project).exits(2).says(because).says("--out");
    };
    refuse(b"", "is not a plan");
    refuse(b"job: copy\n", "is not a plan");
    refuse(&whole[..whole.len() - 1], "damaged (it ends too early)");
    refuse(&whole[..40], "damaged (it ends too early)");
    for place in [10, 60, whole.len() / 2, whole.len() - 3] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        refuse(&damaged, "damaged (");
    }
    let mut newer = whole.clone();
    newer[4] = 2;
    refuse(&newer, "has format 2, newer than format 1");
    project.remove(PLAN);
    carry_out(&project).exits(2).says("cannot read the plan `copy.plan`");
    assert!(project.sink().is_empty());
    project
        .command(["plan", SPEC, "--out", "no/such/folder/x.plan"])
        .exits(1)
        .says("cannot write the plan");
}

#[test]
fn a_plan_holds_no_credential() {
    let gate = Gate::start();
    gate.put("a/one", bytes_of("one", 200), Behaviour::Sound);
    let uri = |name: &str| format!("{}/box/{name}?sv=1&sig=planted", gate.endpoint());
    let file = File::named("one").path(uri("a/one")).real_size(200);
    let job = Job::new().item("a", [file]).source_gate(&gate);
    let project = planned(job);
    let bytes = zstd_frames(&project.read_bytes(PLAN));
    assert!(!bytes.contains("planted") && bytes.contains("a/one"), "{bytes}");
}

/// All that a plan holds, decompressed: each frame begins with the magic number of zstd.
fn zstd_frames(bytes: &[u8]) -> String {
    let starts = (0..bytes.len()).filter(|place| bytes[*place..].starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    let mut text = String::new();
    for start in starts {
        let mut decoder = zstd::stream::read::Decoder::new(&bytes[start..])
            .unwrap()
            .single_frame();
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
        text.push_str(&String::from_utf8_lossy(&plain));
    }
    text
}

fn fixture() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plan-1/copy.plan")
}

fn fixture_header() -> PlanHeader {
    PlanHeader {
        made_by: "0.1.0".to_owned(),
        made: Timestamp(1_800_000_000_000),
        job: "copy".to_owned(),
        spec_path: SPEC.to_owned(),
        profile: "local".to_owned(),
        assignments: vec![("day".to_owned(), "x".to_owned())],
        settings: vec!["limits.memory=64MiB".to_owned()],
        vars: [("day".to_owned(), "x".to_owned())].into(),
        state: None,
        fingerprints: [("copy".to_owned(), "00".to_owned())].into(),
        mode: "skip".to_owned(),
        only: Some("a*".to_owned()),
        start_from: None,
        limit: Some(2),
    }
}

fn fixture_units() -> Vec<PlannedUnit> {
    let unit = |name: &str, decision, code: Option<&'static str>, at_sink| PlannedUnit {
        source: format!("in/{name}"),
        target: format!("a/{name}"),
        basis: PlannedBasis {
            decision,
            code: code.map(Into::into),
            size: Some(7),
            version: Some(ObjectVersion(9)),
            at_sink,
            messages: 3,
        },
    };
    let there = Some(PlannedObject {
        size: 5,
        modified_s: Some(1_800_000_000),
    });
    vec![
        unit("one", PlannedDecision::Copy, None, None),
        unit("two", PlannedDecision::Present, None, there),
        unit("three", PlannedDecision::Refuse, Some("name.collision"), None),
    ]
}

/// With `PIPELINE_WRITE_FIXTURES=1` the fixture is written anew: only while the format has not been released.
#[test]
fn plans_of_the_first_format_are_read() {
    if std::env::var_os("PIPELINE_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(fixture().parent().unwrap()).unwrap();
        let mut writer = PlanFileWriter::create(&fixture(), &fixture_header()).unwrap();
        writer.begin("a", PlannedListing::Listed).unwrap();
        fixture_units().into_iter().for_each(|unit| writer.add(unit).unwrap());
        writer.begin("b", PlannedListing::Completed).unwrap();
        writer.finish().unwrap();
    }
    let plan = PlanFile::open(&fixture()).unwrap();
    assert_eq!(plan.header(), &fixture_header());
    let mut parts = Vec::new();
    let mut read = |key: &str| plan.read_item(pipeline::model::ItemId::of(key), |part| parts.push(part));
    assert!(read("a").unwrap() && read("b").unwrap() && !read("c").unwrap());
    assert_eq!(parts[0].units, fixture_units());
    assert_eq!(parts[1].listing, PlannedListing::Completed);
}

/// Ten thousand units of random names in items of 800: tens of bytes for each, where the name alone has 40.
#[test]
fn a_unit_takes_tens_of_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.plan");
    let mut writer = PlanFileWriter::create(&path, &fixture_header()).unwrap();
    for number in 0..10_000_u64 {
        if number % 800 == 0 {
            writer.begin(&format!("item-{number}"), PlannedListing::Listed).unwrap();
        }
        let mut unit = fixture_units().remove(0);
        let random = pipeline::model::short_digest(&number.to_be_bytes());
        unit.source = format!("uploads/{random:016x}{number:08x}.bin");
        unit.target = format!("item-{random:016x}{number:08x}.bin");
        unit.basis.version = Some(ObjectVersion(random));
        writer.add(unit).unwrap();
    }
    writer.finish().unwrap();
    let per_unit = path.metadata().unwrap().len() / 10_000;
    assert!(per_unit < 40, "{per_unit} bytes a unit");
}
