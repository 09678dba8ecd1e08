//! The library without the binary: the example, run as it stands.

use crate::harness::{Job, SPEC};

#[path = "../../examples/embed.rs"]
#[expect(dead_code, reason = "the example has a `main` of its own")]
mod embed;

#[test]
fn the_example_runs_a_job_and_is_told_of_each_file() {
    let project = Job::new().create();
    let run = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime
            .block_on(embed::embed(&project.path(SPEC), &project.path("state")))
            .unwrap()
    };
    let first = run();
    assert!(first.report.is_complete());
    assert_eq!((first.units_finished, first.events_lost), (6, 0));
    assert_eq!(first.last.units, first.report.units);
    assert_eq!(first.last.in_flight, 0);
    assert_eq!(project.sink(), project.expected_sink());
    let second = run();
    assert!(second.report.did_nothing());
    assert_eq!((second.units_finished, second.last.units.done), (0, 6));
}

#[test]
fn the_example_runs_a_job_of_tables_chunk_by_chunk() {
    let project = Job::new().create();
    project.write(
        "jobs/crm.sql",
        "create table T (Id integer primary key, Label text);\n\
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) insert into T select i, 'label ' || i from n;",
    );
    project.write(
        "jobs/connections.toml",
        "[local]\ncrm.sqlite = { path = \"crm.sqlite\", script = \"crm.sql\" }\ncampaign.sqlite = { path = \"campaign.sqlite\" }\n",
    );
    project.write(
        SPEC,
        "job: job\nsource: { tables: { connection: crm, chunks: { rows: 250 } } }\nsink: { connection: campaign }\n",
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ran = runtime
        .block_on(embed::embed(&project.path(SPEC), &project.path("state")))
        .unwrap();
    assert!(ran.report.is_complete());
    assert_eq!((ran.units_finished, ran.events_lost), (4, 0));
    assert_eq!(
        (ran.last.units.done, ran.last.units.rows.written, ran.last.rows_moved),
        (4, 1_000, 1_000)
    );
}
