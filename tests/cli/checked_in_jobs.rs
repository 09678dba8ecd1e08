use std::path::Path;

use crate::harness::{Output, Project};

/// A copy of the jobs that are checked in.
fn project() -> Project {
    project_with(&[])
}

fn project_with(environment: &[(&str, &str)]) -> Project {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let project = Project::new(environment.collect());
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    for name in [
        "reupload.yaml",
        "copy-folder.toml",
        "replicate-tables.yaml",
        "chunked-query.yaml",
        "data/crm.sql",
        "connections.toml",
        "data/failed_workitems.csv",
        "data/files.csv",
    ] {
        project.write(&format!("jobs/{name}"), std::fs::read(jobs.join(name)).unwrap());
    }
    project
}

fn specs() -> Vec<String> {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let mut specs: Vec<String> = std::fs::read_dir(jobs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("connections.") && (name.ends_with(".yaml") || name.ends_with(".toml")))
        .collect();
    specs.sort();
    specs
}

#[test]
fn the_reupload_moves_every_byte_and_has_nothing_left_the_second_time() {
    let project = project();
    project
        .command(["run", "jobs/reupload.yaml"])
        .exits(0)
        .says("residual 0");
    let results = project.tree("out/results");
    assert_eq!(results.len(), 1_054);
    let expected = project.expected("jobs/reupload.yaml");
    assert!(results == expected, "the same names with the same bytes");
    assert_eq!(results.values().filter(|object| object.size == 64 << 20).count(), 1);
    assert!(results.values().any(|object| object.size == 0));

    // What the ledger has is not asked about again: not the source, whose lists are gone, and not the sink, which lacks a file.
    project.remove("jobs/data/files.csv");
    let (first, _) = results.first_key_value().unwrap();
    project.remove(&format!("out/results/{first}"));
    project
        .command(["run", "jobs/reupload.yaml"])
        .exits(0)
        .says("nothing left to do");
    assert_eq!(project.tree("out/results").len(), 1_053);
    project.command(["verify", "jobs/reupload.yaml", "--reopen"]).exits(11);
    project.command(["run", "jobs/reupload.yaml"]).exits(0);
    assert!(project.tree("out/results") == expected);
}

#[test]
fn the_folder_is_copied() {
    let project = project();
    project.command(["run", "jobs/copy-folder.toml"]).exits(0);
    assert_eq!(project.tree("out/copies"), project.tree("jobs/data"));
    project
        .command(["run", "jobs/copy-folder.toml"])
        .exits(0)
        .says("nothing left");
}

#[test]
fn the_tables_are_replicated_and_equal() {
    let project = project();
    let spec = "jobs/replicate-tables.yaml";
    let run = project.command(["run", spec, "--json"]).exits(0).json();
    assert_eq!(run["account"]["items"]["done"], 33, "{run}");
    assert_eq!(run["account"]["rows"]["rejected"], 0, "{run}");
    project.command(["run", spec]).exits(0).says("nothing left to do");
    project
        .command(["verify", spec, "--checksum"])
        .exits(0)
        .says("33 of 33 tables equal");
}

#[test]
fn the_tables_of_a_sql_server_have_a_profile_of_their_own() {
    let arguments = ["validate", "jobs/replicate-tables.yaml", "--profile", "mssql"];
    project().command(arguments).exits(2).says("CRM_PASSWORD");
    let given = [
        ("CRM_HOST", "crm"),
        ("CRM_USER", "reader"),
        ("CRM_PASSWORD", "x"),
        ("PGPASSWORD", "y"),
    ];
    project_with(&given)
        .command(arguments)
        .exits(0)
        .says("is valid on profile `mssql`");
}

#[test]
fn every_job_validates_and_plans() {
    let project = project();
    for spec in specs() {
        let spec = format!("jobs/{spec}");
        project.command(["validate", &spec]).exits(0).says("is valid");
        project.command(["plan", &spec]).exits(0).says("Plan: ");
    }
    assert!(!project.path("out").exists(), "a plan writes nothing");
}

/// The commands of a fenced block that start the binary through cargo, as their arguments.
fn cargo_runs(page: &str) -> Vec<Vec<&str>> {
    let blocks = page
        .split("```")
        .skip(1)
        .step_by(2)
        .filter(|block| block.starts_with("sh\n"));
    let lines = blocks
        .flat_map(str::lines)
        .filter_map(|line| line.trim().strip_prefix("cargo run --release -- "));
    lines
        .map(|line| line.split('#').next().unwrap_or_default().split_whitespace().collect())
        .collect()
}

#[test]
fn what_the_readme_says_works() {
    let Ok(page) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")) else {
        panic!("there is a README.md");
    };
    let commands = cargo_runs(&page);
    assert!(!commands.is_empty(), "the README shows how to start");
    let project = project();
    for arguments in commands {
        let output: Output = project.command(arguments.iter().copied());
        assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.text());
    }
}

#[test]
fn a_query_is_loaded_in_chunks_and_equal() {
    let project = project();
    let spec = "jobs/chunked-query.yaml";
    let run = project.command(["run", spec, "--json"]).exits(0);
    let told = &run.stderr;
    assert!(
        told.contains("[1/1] chunked-query → order_lines_flat: 120,000 rows in 3 chunks"),
        "{told}"
    );
    let run = run.json();
    assert_eq!(run["account"]["chunks"]["done"], 3, "{run}");
    assert_eq!(run["account"]["rows"]["written"], 120_000, "{run}");
    project.command(["verify", spec, "--checksum"]).exits(0);

    let status = project.command(["status", spec, "--json"]).exits(0).json();
    let table = &status["snapshot"]["progress"]["tables"]["chunked-query"];
    assert_eq!(table["target"], "order_lines_flat", "{status}");
    assert_eq!(table["rows"]["written"], 120_000, "{status}");
    let stages: Vec<&str> = (table["stages"].as_array().unwrap().iter())
        .map(|stage| stage["stage"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["schema", "data", "constraints"]);
    project
        .command(["status", spec])
        .exits(0)
        .says("tables     1: 1 done")
        .says("rows       120,000 written");
    project
        .command(["why", spec, "chunked-query"])
        .exits(0)
        .says("chunks   3: 3 done")
        .says("data        done");
}
