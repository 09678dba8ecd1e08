use crate::resolve::{OnPartial, ResolvedJob, RowMode, TableSelection, TableWork};

use super::{Edge, EdgeKind, Effect, Guarantee, Plan, Scope, Stage, StageKind, fingerprints};

/// Compiles a job of tables: `tables → schema → data ⇒ constraints`, the last behind a barrier, because a key may point at any other table.
pub(super) fn compile_tables(job: &ResolvedJob, work: &TableWork) -> Plan {
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
            what_is_made(work),
            Some(schema_effect(work)),
            slots,
        ),
        stage(
            "data",
            StageKind::Data,
            Scope::Unit,
            what_is_moved(work),
            Some(data_effect(work)),
            job.concurrency.units,
        ),
        stage(
            "constraints",
            StageKind::Constraints,
            Scope::Item,
            what_is_added(work),
            constraints_effect(work),
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

fn what_is_made(work: &TableWork) -> String {
    let (sink, name) = (&work.sink.connection, work.naming.table.text());
    if work.sink.is_of_statements() {
        format!("tables of {sink}, under {name}")
    } else {
        format!("folders of {sink}, under {name}")
    }
}

fn schema_effect(work: &TableWork) -> Effect {
    let sink = &work.sink.connection;
    let (what, reason) = match &work.sink.files {
        None => (
            format!("tables in {sink}"),
            "a table that is there already is recognised",
        ),
        Some(_) => (
            format!("folders in {sink}"),
            "a folder is no longer declared complete when its files are about to be written over",
        ),
    };
    effect(what, Guarantee::ExactlyOnce, reason)
}

fn what_is_moved(work: &TableWork) -> String {
    let (source, sink) = (&work.source.connection, &work.sink.connection);
    let mode = work.sink.mode.name();
    match &work.sink.files {
        None => format!("{source} → {sink}, {mode}"),
        Some(files) => format!("{source} → {sink}, {mode}, {}", files.format.name()),
    }
}

fn what_is_added(work: &TableWork) -> String {
    if work.sink.is_of_statements() {
        "indexes, keys, numbering".to_owned()
    } else {
        "nothing: files have columns only".to_owned()
    }
}

fn constraints_effect(work: &TableWork) -> Option<Effect> {
    work.sink.is_of_statements().then(|| {
        effect(
            format!("indexes and keys in {}", work.sink.connection),
            Guarantee::ExactlyOnce,
            "one that is there already is recognised by its name",
        )
    })
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
/// | `replace`, in files | the files of the table are written over | exactly once |
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
    if !work.sink.is_of_statements() {
        return effect(
            what,
            Guarantee::ExactlyOnce,
            "a chunk is one file, written over whole; the folder is declared complete when all are there and older ones are gone",
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
