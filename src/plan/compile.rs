use crate::model::SinkMode;
use crate::resolve::{FileWork, Notify, NotifyWhen, ResolvedJob, RowsForm, RowsSource, StepKind, Work};

use super::compile_tables::compile_tables;

use super::{Edge, EdgeKind, Effect, Guarantee, Plan, Scope, Stage, StageKind, fingerprints};

/// Compiles a job into its graph: `items → files → copy`, the first left out where the job itself is the only item.
pub fn compile(job: &ResolvedJob) -> Plan {
    match &job.work {
        Work::Files(work) => compile_files(job, work),
        Work::Tables(work) => compile_tables(job, work),
    }
}

fn compile_files(job: &ResolvedJob, work: &FileWork) -> Plan {
    let mut stages = Vec::new();
    let mut edges = Vec::new();
    if let Some(items) = &work.source.items {
        stages.push(Stage {
            name: "items".to_owned(),
            kind: StageKind::Items,
            scope: Scope::Job,
            what: describe_rows(&items.rows),
            effect: None,
            limit: 1,
        });
        edges.push(Edge {
            from: "items".to_owned(),
            to: "files".to_owned(),
            kind: EdgeKind::Each,
        });
    }
    stages.push(Stage {
        name: "files".to_owned(),
        kind: StageKind::Files,
        scope: Scope::Item,
        what: describe_rows(&work.source.files.rows),
        effect: None,
        limit: if work.source.items.is_some() {
            job.concurrency.items
        } else {
            1
        },
    });
    stages.push(Stage {
        name: "copy".to_owned(),
        kind: StageKind::Copy,
        scope: Scope::Unit,
        what: format!(
            "{} → {} as {}, {}",
            work.source.files.read.connection,
            work.sink.connection,
            work.naming.object.text(),
            work.sink.mode.name()
        ),
        effect: Some(copy_effect(work)),
        limit: job.concurrency.units,
    });
    edges.push(Edge {
        from: "files".to_owned(),
        to: "copy".to_owned(),
        kind: EdgeKind::Each,
    });
    for step in &work.steps {
        let StepKind::Notify(notify) = &step.kind;
        stages.push(notify_stage(job, &step.name, notify));
        edges.push(Edge {
            from: "copy".to_owned(),
            to: step.name.clone(),
            kind: EdgeKind::Each,
        });
    }
    Plan {
        job: job.name.clone(),
        profile: job.profile.clone(),
        stages,
        edges,
        concurrency: job.concurrency,
        fingerprints: fingerprints(job),
    }
}

fn notify_stage(job: &ResolvedJob, name: &str, notify: &Notify) -> Stage {
    let connection = &notify.connection;
    let when = match notify.when {
        NotifyWhen::Written => "for each file that was written",
        NotifyWhen::Present => "for each file that is at the sink",
    };
    Stage {
        name: name.to_owned(),
        kind: StageKind::Notify,
        scope: Scope::Unit,
        what: format!("a message to {connection} {when}"),
        effect: Some(Effect {
            what: format!("messages in {connection}"),
            guarantee: Guarantee::AtLeastOnce,
            reason: "a message whose answer a crash swallowed is sent again with the same id".to_owned(),
        }),
        limit: job.concurrency.units,
    }
}

fn copy_effect(work: &FileWork) -> Effect {
    let what = format!("objects in {}", work.sink.connection);
    match work.sink.mode {
        SinkMode::Create | SinkMode::Skip => Effect {
            what,
            guarantee: Guarantee::ExactlyOnce,
            reason: "an object becomes visible whole or not at all, and one whose result a crash swallowed is \
                     recognised by its intent and its bytes, not written again"
                .to_owned(),
        },
        SinkMode::Overwrite | SinkMode::OverwriteIfDifferent => Effect {
            what,
            guarantee: Guarantee::AtLeastOnce,
            reason: "a copy whose result a crash swallowed is written again with the same bytes".to_owned(),
        },
    }
}

fn describe_rows(rows: &RowsSource) -> String {
    let connection = rows.connection.as_deref().unwrap_or("the spec");
    match &rows.form {
        RowsForm::Csv { path } => format!("csv {} of {connection}", path.text()),
        RowsForm::Jsonl { path } => format!("jsonl {} of {connection}", path.text()),
        RowsForm::List { rows } => format!("list of {} in {connection}", rows.len()),
        RowsForm::Glob { pattern } => format!("listing of {} in {connection}", pattern.text()),
        RowsForm::Query { text, .. } => format!("query of {connection}: {}", one_line(text)),
    }
}

/// A query on one line, cut where it gets long.
fn one_line(text: &str) -> String {
    const SHOWN: usize = 80;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}
