use crate::connect::{Connections, Ddl};
use crate::engine::item_list::read_tables;
use crate::engine::{Fatal, Selection, Stop};
use crate::model::{Extras, Failure, FailureClass, ItemId, ItemStatus, ItemSummary, RowRange, StageStatus, TableName};
use crate::plan::{TableChoice, TableDecision};
use crate::resolve::{RowMode, TableJob};
use crate::stages::tables::{PlannedTable, check_chunks, probe_table, uncut};
use crate::state::State;

use super::bookkeeping::{bookkeeping, bookkeeping_table};
use super::context::TableEnds;
use super::drift::drift;
use super::place::place;
use super::taken_up::Begun;

/// What is looked at besides the catalogues.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableLook {
    /// Count the rows.
    pub exact: bool,
    /// Look for values that do not go over as they are.
    pub probe: bool,
}

/// What a run would do with each table of a job.
#[derive(Clone, Debug, Default)]
pub struct TablePreview {
    pub decisions: Vec<TableDecision>,
    /// Patterns of the spec that fit no table of the source.
    pub unused_patterns: Vec<String>,
}

/// Looks at both databases and decides about every table as a run would; nothing is written.
///
/// Rows are counted or looked at only where that is asked for: it takes a scan of each table. One that rows were added to by an interrupted run is
/// cut into chunks, as the run that goes on with it does.
pub async fn preview_tables(
    job: &TableJob,
    state: Option<&State>,
    selection: &Selection,
    look: TableLook,
) -> Result<TablePreview, Fatal> {
    let stop = Stop::default();
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let ends = TableEnds::open(job, &connections).await;
    let ends = ends.map_err(|(name, failure)| Fatal::Connection { name, failure })?;
    let (entries, inventory) = read_tables(job, &connections).await.map_err(Fatal::Tables)?;
    let entries = selection.clone().apply(entries).map_err(Fatal::Selection)?;
    let notes = bookkeeping_table(job, &*ends.sink);
    // A table of notes that is not there has none of an interrupted run.
    let may_be_begun = match &notes {
        Some(table) if state.is_some() => {
            let sink = &job.work.sink.connection;
            let tables = ends.sink.tables().await;
            let tables =
                tables.map_err(|failure| Fatal::Tables(failure.context(format_args!("connection `{sink}`"))))?;
            tables.iter().any(|found| found.name == *table)
        }
        _ => true,
    };
    let state_of_begun = state.filter(|_| may_be_begun);
    let mut decisions = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(planned) = inventory.tables.get(entry.ordinal as usize) else {
            continue;
        };
        let summary = match state {
            Some(state) => state.item(ItemId::of(&planned.key))?,
            None => None,
        };
        let mut decision = decide(job, planned, summary.as_ref(), &ends);
        if let (TableChoice::Load, Some(state), Some(summary)) = (&decision.decision, state_of_begun, &summary) {
            take_up(job, planned, state, summary, &ends, &mut decision).await?;
        }
        if let (Ok(mapping), true) = (&planned.mapping, look.probe) {
            let probed = probe_table(&*ends.source, ends.sink.engine(), planned, mapping).await;
            decision.probed = read_by_plan(probed, planned, &mut decision)?;
        }
        if look.exact {
            let counted = ends.source.count(&planned.from, &RowRange::Whole).await;
            if let Some(rows) = read_by_plan(counted, planned, &mut decision)? {
                (decision.rows, decision.is_counted) = (Some(rows), true);
            }
        }
        decisions.push(decision);
    }
    Ok(TablePreview {
        decisions,
        unused_patterns: inventory.unused_patterns,
    })
}

/// What follows from the state alone.
fn choice(summary: Option<&ItemSummary>) -> TableChoice {
    let is_done = |stage: &str| summary.is_some_and(|summary| summary.stage_status(stage) == StageStatus::Done);
    match summary.map(|summary| summary.status) {
        Some(ItemStatus::Skipped) => TableChoice::Skip,
        Some(ItemStatus::Completed) => TableChoice::Done,
        _ if is_done("data") => TableChoice::Finish,
        _ => TableChoice::Load,
    }
}

fn decide(job: &TableJob, planned: &PlannedTable, summary: Option<&ItemSummary>, ends: &TableEnds) -> TableDecision {
    let mut decision = TableDecision {
        key: planned.key.clone(),
        target: TableName::default(),
        decision: choice(summary),
        rows: planned.source.rows_estimate,
        is_counted: false,
        columns: Vec::new(),
        statements: Vec::new(),
        owed: summary.map_or_else(Vec::new, |summary| summary.owed().to_vec()),
        left_out: Vec::new(),
        not_carried: Extras::default(),
        uncut: None,
        drift: Vec::new(),
        probed: None,
    };
    let mapping = match &planned.mapping {
        Ok(mapping) => mapping,
        Err(problems) => {
            let told = problems.iter().map(|problem| {
                let (place, message, help) = (&problem.place, &problem.message, &problem.help);
                format!("{place}: {message}; {help}")
            });
            decision.decision = TableChoice::Refuse(told.collect());
            return decision;
        }
    };
    decision.target = mapping.target.clone();
    decision.columns.clone_from(&mapping.columns);
    decision.left_out.clone_from(&mapping.left_out);
    if let Some(existing) = &planned.existing {
        decision.drift = drift(existing, mapping);
    }
    if job.work.sink.mode == RowMode::Replace || planned.existing.is_none() {
        decision.not_carried.clone_from(&planned.source.extras);
        let computed = planned.source.columns.iter().filter(|column| column.is_computed);
        let told = computed.map(|column| format!("column `{}` is computed", column.name));
        decision.not_carried.simplified.extend(told);
    }
    let (engine, policy) = (ends.source.engine(), &job.work.source.chunks);
    if decision.decision == TableChoice::Load {
        if let Some(failure) = check_chunks(engine, &planned.source, policy) {
            decision.decision = TableChoice::Refuse(vec![failure.message]);
            return decision;
        }
        decision.uncut = uncut(engine, &planned.source, policy);
    }
    let ddl = Ddl::new(ends.sink.engine());
    match place(planned, mapping, job, ddl, false) {
        Ok(place) => {
            decision.statements.extend(ddl.create_schema(&place.into.schema));
            decision.statements.extend(place.statements);
            let constraints = ddl.constraints(mapping).into_iter();
            decision.statements.extend(constraints.map(|statement| statement.text));
        }
        Err(failure) if decision.decision == TableChoice::Load => {
            decision.decision = TableChoice::Refuse(vec![failure.message]);
        }
        Err(_) => {}
    }
    decision
}

/// What was read of a table. One that may not be read is refused, and the others are looked at all the same.
fn read_by_plan<T>(
    answer: Result<T, Failure>,
    planned: &PlannedTable,
    decision: &mut TableDecision,
) -> Result<Option<T>, Fatal> {
    match answer {
        Ok(read) => Ok(Some(read)),
        Err(failure) if failure.code == Failure::NO_PRIVILEGE => {
            if decision.decision == TableChoice::Load {
                decision.decision = TableChoice::Refuse(vec![failure.message]);
            }
            Ok(None)
        }
        Err(failure) => Err(Fatal::Tables(failure.context(&planned.key))),
    }
}

/// Refuses a table that a run would not take up again, for what an interrupted one has left of it.
async fn take_up(
    job: &TableJob,
    planned: &PlannedTable,
    state: &State,
    summary: &ItemSummary,
    ends: &TableEnds,
    decision: &mut TableDecision,
) -> Result<(), Fatal> {
    let Ok(mapping) = &planned.mapping else {
        return Ok(());
    };
    let notes = bookkeeping_table(job, &*ends.sink);
    let notes = notes.map(|table| bookkeeping(&table, ends.sink.engine(), planned, mapping, summary));
    let begun = Begun {
        job,
        source: &*ends.source,
        sink: &*ends.sink,
        planned,
        mapping,
        bookkeeping: notes.as_ref(),
    };
    let mut records = Vec::new();
    if begun.is_told_by_ledger() {
        for page in state.pages(summary.id())? {
            records.extend(state.records(page)?);
        }
    }
    match begun.kept(&records).await {
        Ok(_) => {}
        Err(failure) if failure.class == FailureClass::Permanent => {
            decision.decision = TableChoice::Refuse(vec![failure.message]);
        }
        Err(failure) => return Err(Fatal::Tables(failure.context(&planned.key))),
    }
    Ok(())
}
