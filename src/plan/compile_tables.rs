use crate::resolve::{OnPartial, ResolvedJob, RowMode, TableSelection, TableWork};

use super::{Edge, EdgeKind, Effect, Guarantee, Plan, Scope, Stage, StageKind, fingerprints};

/// Compiles a job of tables: `tables → schema → data ⇒ constraints`, the last behind a barrier, because a key may point at any other table.
pub(super) fn compile_tables(job: &ResolvedJob, work: &TableWork) -> Plan {
    let (source, sink) = (&work.source.connection, &work.sink.connection);
    let stage = |name: &str, kind, scope, what: String, effect, limit| Stage {
        name: name.to_owned(),
        kind,
        scope,
        what,
        effect,
        limit,
    };
    let slots = job.concurrency.items;
    let stages = vec![
        stage("tables", StageKind::Tables, Scope::Job, what_is_read(work), None, 1),
        stage(
            "schema",
            StageKind::Schema,
            Scope::Item,
            format!("tables of {sink}, under {}", work.naming.table.text()),
            Some(effect(
                format!("tables in {sink}"),
                Guarantee::ExactlyOnce,
                "a table that is there already is recognised",
            )),
            slots,
        ),
        stage(
            "data",
            StageKind::Data,
            Scope::Unit,
            format!("{source} → {sink}, {}", work.sink.mode.name()),
            Some(data_effect(work)),
            job.concurrency.units,
        ),
        stage(
            "constraints",
            StageKind::Constraints,
            Scope::Item,
            "indexes, keys, numbering".to_owned(),
            Some(effect(
                format!("indexes and keys in {sink}"),
                Guarantee::ExactlyOnce,
                "one that is there already is recognised by its name",
            )),
            slots,
        ),
    ];
    let edge = |from: &str, to: &str, kind| Edge {
        from: from.to_owned(),
        to: to.to_owned(),
        kind,
    };
    Plan {
        job: job.name.clone(),
        profile: job.profile.clone(),
        stages,
        edges: vec![
            edge("tables", "schema", EdgeKind::Each),
            edge("schema", "data", EdgeKind::Each),
            edge("data", "constraints", EdgeKind::All),
        ],
        concurrency: job.concurrency,
        fingerprints: fingerprints(job),
    }
}

fn what_is_read(work: &TableWork) -> String {
    let connection = &work.source.connection;
    match &work.source.selection {
        TableSelection::Query { .. } => format!("the rows of a query of {connection}"),
        TableSelection::Tables { include, exclude, .. } => {
            let included = if include.is_empty() {
                "all".to_owned()
            } else {
                include.join(", ")
            };
            let excluded = if exclude.is_empty() {
                String::new()
            } else {
                format!(" without {}", exclude.join(", "))
            };
            format!("tables of {connection}: {included}{excluded}")
        }
    }
}

fn effect(what: String, guarantee: Guarantee, reason: &str) -> Effect {
    Effect {
        what,
        guarantee,
        reason: reason.to_owned(),
    }
}

/// | mode | after an interruption | guarantee |
/// |---|---|---|
/// | `replace`, `truncate` | the table is loaded again | exactly once |
/// | `upsert` | the table is loaded again, rows replace themselves | exactly once for each key |
/// | `append` | a chunk whose result a crash swallowed is added again | at least once |
/// | any, with `on_partial: keep` | it goes on behind the chunks that the sink has noted | exactly once |
fn data_effect(work: &TableWork) -> Effect {
    let what = format!("rows in {}", work.sink.connection);
    if work.sink.on_partial == OnPartial::Keep {
        return effect(
            what,
            Guarantee::ExactlyOnce,
            "each chunk is noted at the sink in the transaction of its rows, in a table `pipeline_chunks_…` that goes when all are loaded",
        );
    }
    match work.sink.mode {
        RowMode::Replace => effect(
            what,
            Guarantee::ExactlyOnce,
            "rows are gathered beside the table, which they replace when all of them are there",
        ),
        RowMode::Truncate => effect(
            what,
            Guarantee::ExactlyOnce,
            "a table that was interrupted is emptied and loaded again",
        ),
        RowMode::Upsert => effect(
            what,
            Guarantee::ExactlyOnce,
            "a row that is written again replaces itself",
        ),
        RowMode::Append => effect(
            what,
            Guarantee::AtLeastOnce,
            "a chunk whose result a crash swallowed is added again",
        ),
    }
}
