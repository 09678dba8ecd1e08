use crate::harness::{File, Job, SPEC};

#[test]
fn a_dry_run_is_a_plan() {
    let project = Job::new().create();
    let (plan, dry) = (
        project.plan().exits(0),
        project.command(["run", SPEC, "--dry-run"]).exits(0),
    );
    assert_eq!(plan.stdout, dry.stdout);
    let plan = project.command(["plan", SPEC, "--json", "--sizes"]).exits(0);
    let dry = project.command(["run", SPEC, "-n", "--json", "--sizes"]).exits(0);
    assert_eq!(plan.json(), dry.json());
    assert!(!project.path("out").exists());
}

#[test]
fn a_plan_writes_nothing_outside_the_state() {
    let project = Job::new().create();
    let before = project.tree(".");
    project.plan().exits(0);
    project.command(["plan", SPEC, "--sizes", "--json"]).exits(0);
    assert_eq!(
        project.tree("."),
        before,
        "before the first run there is no state either"
    );
    project.run().exits(0);
    let before = project.tree_without_state();
    project.plan().exits(0);
    assert_eq!(project.tree_without_state(), before);
}

#[test]
fn the_exit_code_tells_whether_there_is_work() {
    let project = Job::new().create();
    let detailed = ["plan", SPEC, "--detailed-exitcode"];
    project.command(detailed).exits(2);
    project
        .command(["run", SPEC, "--dry-run", "--detailed-exitcode"])
        .exits(2);
    project.plan().exits(0);
    project.run().exits(0);
    project.command(detailed).exits(0).says("settled");
}

#[test]
fn with_detailed_exit_codes_an_error_is_1() {
    let project = Job::new().create();
    project.edit(SPEC, "mode: skip", "mode: skipp");
    project.command(["plan", SPEC, "--detailed-exitcode"]).exits(1);
    project.command(["run", SPEC, "-n", "--detailed-exitcode"]).exits(1);
    project.command(["plan", SPEC]).exits(2);
    project
        .command(["plan", "jobs/none.yaml", "--detailed-exitcode"])
        .exits(1);
    project
        .command(["plan", SPEC, "--detailed-exitcode", "--nonsense"])
        .exits(1);
    let project = Job::new().create();
    project.write("jobs/data/items.csv", "Id\na\na\n");
    project.command(["plan", SPEC, "--detailed-exitcode"]).exits(1);
    project.command(["plan", SPEC]).exits(7);
}

#[test]
fn a_graph_is_drawn_without_asking_anything() {
    let project = Job::new().create();
    project.remove("jobs/data/items.csv");
    for (format, start) in [("tree", ""), ("mermaid", "flowchart"), ("dot", "digraph")] {
        let output = project.command(["plan", SPEC, "--graph", format]).exits(0);
        assert!(output.stdout.starts_with(start), "{}", output.stdout);
        for stage in ["items", "files", "copy"] {
            assert!(output.stdout.contains(stage), "{format}: {}", output.stdout);
        }
    }
}

#[test]
fn sizes_come_from_the_list_or_when_they_are_asked_for() {
    let project = Job::new().item("a", ["x.1KiB.bin", "y.2KiB.bin"]).create();
    let inventory = project.plan_json()["inventory"].clone();
    assert_eq!(
        (&inventory["bytes"], &inventory["sizes_unknown"]),
        (&0.into(), &2.into())
    );
    project.plan().says("size unknown");
    let asked = project.command(["plan", SPEC, "--sizes", "--json"]).exits(0).json()["inventory"].clone();
    assert_eq!((&asked["bytes"], &asked["sizes_unknown"]), (&3_072.into(), &0.into()));
    let listed = Job::new()
        .item("a", [File::named("x.1KiB.bin").listed_size(1_024)])
        .create();
    assert_eq!(listed.plan_json()["inventory"]["bytes"], 1_024);
}

#[test]
fn the_last_lines_tell_the_sum_and_what_to_do_next() {
    let project = Job::new().create();
    let plan = project.plan().exits(0);
    let (sum, next) = (
        plan.stdout.find("Plan: 6 to copy").unwrap(),
        plan.stdout.find("pipeline run jobs/copy.yaml").unwrap(),
    );
    assert!(sum < next, "{}", plan.stdout);
}

#[test]
fn the_decision_about_every_file_is_shown_when_asked_for() {
    let project = Job::new().item("a", ["one", "../two"]).item("b", ["three"]).create();
    let all = project.command(["plan", SPEC, "--files"]).exits(0);
    for line in ["copy", "`a`: `a/one`", "`b`: `b/three`"] {
        assert!(all.stdout.contains(line), "{line}: {}", all.stdout);
    }
    assert_eq!(all.stdout.lines().filter(|line| line.starts_with("refuse ")).count(), 1);
    let json = project.command(["plan", SPEC, "--files", "--json"]).exits(0).json();
    let files = json["files"].as_array().expect("a list of files");
    assert_eq!(files.len(), 3);
    assert_eq!(files.iter().filter(|file| file["decision"] == "refuse").count(), 1);
    assert_eq!(
        project.command(["run", SPEC, "-n", "--files", "--json"]).json()["files"],
        json["files"]
    );
}
