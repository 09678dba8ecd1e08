//! What is told of jobs of tables, and the commands around them.

use serde_json::json;

use crate::harness::SPEC;
use crate::tables::{SCRIPT, into_postgres, into_sqlite, postgres};

#[test]
fn a_job_whose_other_tables_are_done_is_complete_without_those_set_aside() {
    let project = into_postgres(SCRIPT, "aside");
    let psql = |text: &str| postgres().psql("aside", text);
    psql("create table country (other int not null)");
    project.edit(SPEC, "mode: replace", "mode: append");
    let run = project.command(["run", SPEC, "--json"]).exits(6).json();
    assert_eq!(run["account"]["items"]["failed"], json!(2), "{run}");
    project.command(["state", "skip", SPEC, "Country"]).exits(0);
    project
        .run()
        .exits(6)
        .says("points at `public.country`, which is set aside")
        .says("`state skip` of `Country` and `--undo`");
    project.command(["state", "skip", SPEC, "Order"]).exits(0);
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["items"]["skipped"], json!(2), "{run}");
    assert_eq!(run["account"]["failed_listings"], json!(0), "{run}");
    assert_eq!(psql("select count(*) from \"order\""), "500", "its rows stay");
    let report = project.command(["report", SPEC, "--json"]).exits(0).json();
    assert_eq!(report["account"]["failed_listings"], json!(0), "{report}");
    project
        .command(["verify", SPEC])
        .exits(0)
        .says("1 of 1 table equal")
        .says("2 tables are set aside");
    project.command(["state", "skip", SPEC, "Country", "--undo"]).exits(0);
    project.run().exits(6);
}

#[test]
fn constraints_alone_say_which_rows_they_wait_for() {
    let project = into_sqlite(SCRIPT);
    project.command(["run", SPEC, "--stage", "schema"]).exits(0);
    project
        .command(["run", SPEC, "--stage", "constraints"])
        .exits(5)
        .says("3 tables")
        .says("Next: pipeline run jobs/copy.yaml --stage data")
        .hides("with failures");
    project.command(["run", SPEC, "--stage", "data"]).exits(0);
    project.command(["run", SPEC, "--stage", "constraints"]).exits(0);
    project.command(["verify", SPEC]).exits(0);
}
