//! Tables that `verify` finds to differ, and puts back to be loaded once more.

use serde_json::json;

use crate::harness::SPEC;
use crate::tables::{SCRIPT, into_postgres, postgres, with_sink};

#[test]
fn a_table_that_differs_is_put_back_and_loaded_once_more() {
    for mode in ["replace", "truncate", "upsert", "replace, on_partial: keep"] {
        let database = format!("reopened_{}", mode.len());
        let project = into_postgres(SCRIPT, &database);
        let psql = |text: &str| postgres().psql(&database, text);
        with_sink(&project, &format!("mode: {mode}"));
        project.edit(SPEC, "connection: crm,", "connection: crm, quiet: true,");
        project.edit(SPEC, "rows: 100", "rows: 100, by: key");
        project.edit(SPEC, "retry:", "limits: { page_units: 2 }\nretry:");
        project.run().exits(0);
        let keys = "select count(*) from pg_constraint where contype in ('f', 'p', 'u')";
        let before = psql(keys);
        psql("delete from \"order\" where order_id = 7");
        psql("update country set name = 'elsewhere' where country_id = 2");
        project
            .command(["verify", SPEC])
            .exits(11)
            .says("Order → public.order: 500 rows at the source, 499 at the sink\n")
            .says("2 of 3 tables equal by the number of rows")
            .says("Next: pipeline verify jobs/copy.yaml --reopen");
        project.run().exits(0).says("nothing left to do");
        let found = project
            .command(["verify", SPEC, "--checksum", "--reopen", "--json"])
            .exits(11)
            .json();
        let reopened = found["tables"].as_array().unwrap().iter();
        let reopened: Vec<&str> = reopened
            .filter(|table| table["is_reopened"] == true)
            .map(|table| table["table"].as_str().unwrap())
            .collect();
        assert_eq!(reopened, ["Country", "Order"], "{mode}: {found}");
        assert_eq!(found["next"], json!("pipeline run jobs/copy.yaml"));
        project
            .command(["verify", SPEC])
            .exits(11)
            .says("not loaded to its end yet");
        let plan = project.command(["plan", SPEC, "--exact", "--json"]).exits(0).json();
        assert_eq!(
            plan["line"], "Plan: 2 tables to load (503 rows), 0 to finish, 1 done, 0 skipped, 0 refused",
            "{mode}"
        );
        let run = project.command(["run", SPEC, "--json"]).exits(0).json();
        assert_eq!(run["account"]["rows"]["written"], json!(503), "{mode}: {run}");
        assert_eq!(run["account"]["items"]["done"], json!(3), "{mode}: {run}");
        project.command(["verify", SPEC, "--checksum"]).exits(0).says("3 of 3");
        assert_eq!(psql(keys), before, "{mode}");
        assert_eq!(
            psql("select count(*) from pg_tables where tablename like 'pipeline_%'"),
            "0"
        );
    }
}

#[test]
fn rows_that_are_only_added_are_not_added_again() {
    let project = into_postgres(SCRIPT, "reopened_append");
    with_sink(&project, "mode: append");
    project.run().exits(0);
    postgres().psql("reopened_append", "delete from \"order\" where order_id = 7");
    project
        .command(["verify", SPEC, "--reopen"])
        .exits(11)
        .says("499 at the sink; loading it once more would add the rows that are there a second time")
        .hides("--reopen");
    project.run().exits(0).says("nothing left to do");
    assert_eq!(
        postgres().psql("reopened_append", "select count(*) from \"order\""),
        "499"
    );
    project.command(["verify", SPEC, "--min", "60%"]).exits(0);
    project.command(["verify", SPEC, "--min", "70%"]).exits(11);
    project.command(["verify", SPEC, "--sample", "2"]).exits(2);
}

#[test]
fn a_table_that_somebody_has_dropped_is_made_anew() {
    for mode in ["replace", "append"] {
        let database = format!("dropped_{mode}");
        let project = into_postgres(SCRIPT, &database);
        let psql = |text: &str| postgres().psql(&database, text);
        with_sink(&project, &format!("mode: {mode}"));
        project.run().exits(0);
        psql("drop table \"order\"");
        project
            .command(["verify", SPEC])
            .exits(11)
            .says("500 rows at the source, and no such table at the sink\n")
            .says("Next: pipeline verify jobs/copy.yaml --reopen");
        project.command(["verify", SPEC, "--reopen"]).exits(11).says("put back");
        project.run().exits(0);
        project.command(["verify", SPEC, "--checksum"]).exits(0).says("3 of 3");
        assert_eq!(
            psql("select count(*) from pg_constraint where contype = 'f'"),
            "1",
            "{mode}"
        );
    }
}

#[test]
fn an_upsert_is_not_repeated_for_rows_that_it_cannot_take_away() {
    let project = into_postgres(SCRIPT, "reopened_upsert");
    with_sink(&project, "mode: upsert");
    project.run().exits(0);
    let psql = |text: &str| postgres().psql("reopened_upsert", text);
    psql("insert into \"order\" (order_id, is_paid) values (501, true)");
    project
        .command(["verify", SPEC, "--reopen"])
        .exits(11)
        .says("501 at the sink; loading it once more would take no row away");
    project.run().exits(0).says("nothing left to do");
}
