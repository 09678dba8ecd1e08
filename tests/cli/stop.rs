use crate::harness::{Behaviour, Gate, Job, Project, Running, SPEC, bytes_of};

/// Three files behind a gate, two of them in flight at once.
fn held() -> (Gate, Project) {
    let gate = Gate::start();
    for name in ["one", "two", "three"] {
        gate.put(&format!("a/{name}"), bytes_of(name, 1_000), Behaviour::Held);
    }
    let job = Job::new()
        .item("a", ["one", "two", "three"])
        .source_gate(&gate)
        .concurrency(1, 2);
    let project = job.create();
    (gate, project)
}

fn started(gate: &Gate, project: &Project) -> Running {
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(2);
    run
}

#[test]
fn the_first_interrupt_drains_and_the_next_run_completes() {
    let (gate, project) = held();
    let mut run = started(&gate, &project);
    run.signal("INT");
    assert!(
        run.wait_for_line("stopping").contains("2 in flight"),
        "it says what it waits for"
    );
    gate.open();
    run.wait()
        .exits(130)
        .says("stopped by SIGINT")
        .says("pipeline run jobs/copy.yaml");
    assert_eq!(
        project.sink().len(),
        2,
        "what was in flight came to its end, and nothing was begun"
    );
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
    assert_eq!(
        gate.reads().iter().filter(|path| *path == "a/three").count(),
        2,
        "once by the run, once by this test"
    );
}

#[test]
fn the_second_interrupt_gives_up_what_is_in_flight() {
    let (gate, project) = held();
    let mut run = started(&gate, &project);
    run.signal("INT");
    run.wait_for_line("stopping");
    run.signal("INT");
    run.wait_for_line("giving up");
    run.wait().exits(130);
    assert!(project.sink().is_empty());
    assert!(
        project
            .ledger()
            .values()
            .all(|record| record.status.name() == "pending")
    );
    gate.open();
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn a_termination_drains_too() {
    let (gate, project) = held();
    let mut run = started(&gate, &project);
    run.signal("TERM");
    run.wait_for_line("stopping");
    gate.open();
    run.wait().exits(143).says("stopped by SIGTERM");
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn a_run_whose_time_is_over_finishes_what_is_in_flight() {
    let (gate, project) = held();
    let run = project.spawn(["run", SPEC, "--max-duration", "500ms"]);
    gate.wait_until_held(2);
    while !project.command(["status", SPEC]).text().contains("stopping") {}
    gate.open();
    run.wait()
        .exits(8)
        .says("--max-duration")
        .says("pipeline run jobs/copy.yaml");
    assert_eq!(project.sink().len(), 2, "nothing was begun after its time");
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn a_run_ends_after_as_many_failures_as_it_may_have() {
    let gate = Gate::start();
    let names = ["1", "2", "3", "4", "5"];
    for name in names {
        let behaviour = if name < "3" {
            Behaviour::Status(404)
        } else {
            Behaviour::Held
        };
        gate.put(&format!("a/{name}"), bytes_of(name, 1_000), behaviour);
    }
    let job = Job::new().item("a", names).source_gate(&gate).concurrency(1, 1);
    let project = job.create();
    let mut run = project.spawn(["run", SPEC, "--max-failures", "2"]);
    while !run.is_over() && !project.command(["status", SPEC]).text().contains("stopping") {}
    gate.open();
    run.wait().exits(8).says("--max-failures 2");
    assert!(
        project.sink().len() <= 1,
        "only what was begun when the second one failed"
    );
    project.run().exits(6);
    assert_eq!(project.sink().len(), 3);
}

#[test]
fn a_second_run_beside_the_first_is_refused_with_its_name() {
    let (gate, project) = held();
    let run = started(&gate, &project);
    let host = gethostname::gethostname().into_string().unwrap();
    for command in ["run", "verify", "failures", "plan"] {
        project
            .command([command, SPEC])
            .exits(13)
            .says(&format!("process {}", run.pid()))
            .says(&host)
            .says("pipeline run jobs/copy.yaml");
    }
    gate.open();
    run.wait().exits(0);
}

#[test]
fn another_state_folder_lets_a_second_run_in() {
    let (gate, project) = held();
    let run = started(&gate, &project);
    gate.open();
    let second = project.command(["run", SPEC, "--state", "elsewhere"]).exits(0);
    assert!(project.path("elsewhere/format.json").exists());
    run.wait().exits(0);
    second.hides("in use");
    project
        .command(["run", SPEC, "--state", "elsewhere"])
        .exits(0)
        .says("nothing left");
}

#[test]
fn another_process_sees_the_status_while_it_runs_and_afterwards() {
    let (gate, project) = held();
    project.command(["status", SPEC]).exits(1).says("pipeline run");
    let run = started(&gate, &project);
    let mut follower = project.spawn(["status", SPEC, "--follow", "--every", "50ms"]);
    let mut seen;
    loop {
        seen = project.command(["status", SPEC, "--json"]).exits(0).json();
        if seen["snapshot"]["progress"]["in_flight"] == 2 {
            break;
        }
        assert_eq!(seen["running"], true);
    }
    assert_eq!(seen["abandoned"], false);
    assert_eq!(seen["snapshot"]["progress"]["units"]["pending"], 3);
    project
        .command(["status", SPEC])
        .exits(0)
        .says("running")
        .says("3 pending");
    assert!(!follower.is_over(), "it follows as long as the run goes on");
    gate.open();
    run.wait().exits(0);
    let followed = follower.wait().exits(0);
    assert!(followed.stdout.contains("ended"), "{}", followed.stdout);
    let after = project.command(["status", SPEC, "--json"]).exits(0).json();
    assert_eq!((&after["running"], &after["abandoned"]), (&false.into(), &false.into()));
    assert_eq!(after["snapshot"]["progress"]["units"]["done"], 3);
}

#[test]
fn the_status_of_a_killed_run_says_so() {
    let (gate, project) = held();
    let run = started(&gate, &project);
    while !project.state().join("status.json").exists() {
        std::thread::yield_now();
    }
    run.kill();
    project
        .command(["status", SPEC])
        .exits(0)
        .says("not running any more")
        .says("pipeline run jobs/copy.yaml");
    assert_eq!(project.command(["status", SPEC, "--json"]).json()["abandoned"], true);
    gate.open();
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn progress_is_plain_lines_without_a_terminal_and_none_when_quiet() {
    let (gate, project) = held();
    project.edit(SPEC, "sink:", "limits: { progress_every: 200ms }\nsink:");
    let mut run = started(&gate, &project);
    let line = run.wait_for_line("files 0/3");
    assert!(!line.contains('\u{1b}') && !line.contains('\r'), "{line:?}");
    gate.open();
    run.wait().exits(0);
    for quiet in ["--quiet", "--no-progress"] {
        let output = project.command(["run", SPEC, "--restart", "--yes", quiet]).exits(0);
        assert_eq!(output.stderr, "");
        assert!(output.stdout.contains("3"), "the result is still told");
    }
}

#[test]
fn an_interrupt_ends_the_reading_of_a_list_that_does_not_come() {
    let gate = Gate::start();
    let list = b"Path,Name,Size\na/one,one,\n".to_vec();
    gate.put("lists/a.csv", list, Behaviour::Held);
    gate.put("a/one", bytes_of("one", 1_000), Behaviour::Sound);
    let project = Job::new().item("a", ["one"]).source_gate(&gate).create();
    project.edit(
        SPEC,
        "files:\n    connection: inputs",
        "files:\n    connection: originals",
    );
    let mut run = project.spawn(["run", SPEC]);
    gate.wait_until_held(1);
    run.signal("INT");
    run.wait_for_line("stopping");
    run.wait().exits(130);
    gate.open();
    project.run().exits(0);
    assert_eq!(project.sink().len(), 1);
}

#[test]
fn status_without_a_spec_shows_every_job_that_has_been_run() {
    let project = Job::new().items(1).files(2).create();
    project.command(["status"]).exits(2).says("pipeline status");
    project.run().exits(0);
    project.edit(SPEC, "job: copy", "job: other");
    project.run().exits(0);
    let both = project.command(["status"]).exits(0);
    assert!(both.stdout.contains("copy (profile local)"), "{}", both.stdout);
    assert!(both.stdout.contains("other (profile local)"), "{}", both.stdout);
    let json = project.command(["status", "--json"]).exits(0).json();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_terminal_that_only_watches_needs_nothing_of_the_runs_environment() {
    let project = Job::new().items(1).files(1).env("PLACE", "../out").create();
    let (fixed, named) = (r#"fs = { root = "../out" }"#, r#"fs = { root = "${env:PLACE}" }"#);
    project.edit("jobs/connections.toml", fixed, named);
    project.run().exits(0);
    let mut watching = project.prepare(["status", SPEC]);
    watching.env_remove("PLACE");
    let seen = watching.output().expect("the binary starts");
    assert_eq!(seen.status.code(), Some(0), "{}", String::from_utf8_lossy(&seen.stderr));
}
