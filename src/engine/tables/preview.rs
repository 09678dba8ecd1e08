use crate::connect::{Connections, Ddl};
use crate::engine::item_list::read_tables;
use crate::engine::{Fatal, Selection, Stop};
use crate::model::{ItemId, ItemStatus, ItemSummary, RowRange, StageStatus, TableName};
use crate::plan::{TableChoice, TableDecision};
use crate::resolve::TableJob;
use crate::stages::tables::{PlannedTable, check_chunks, probe_table};
use crate::state::State;

use super::context::TableEnds;
use super::drift::drift;
use super::place::place;

/// What is looked at besides the catalogues.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableLook {
    /// Count the rows.
    pub exact: bool,
    /// Look for values that do not go over as they are.
    pub probe: bool,
}

/// Looks at both databases and decides about every table as a run would; nothing is written.
///
/// Rows are counted or looked at only where that is asked for: it takes a scan of each table.
pub async fn preview_tables(
    job: &TableJob,
    state: Option<&State>,
    selection: &Selection,
    look: TableLook,
) -> Result<Vec<TableDecision>, Fatal> {
    let stop = Stop::default();
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let ends = TableEnds::open(job, &connections).await;
    let ends = ends.map_err(|(name, failure)| Fatal::Connection { name, failure })?;
    let (entries, inventory) = read_tables(job, &connections).await.map_err(Fatal::Tables)?;
    let entries = selection.clone().apply(entries).map_err(Fatal::Selection)?;
    let ddl = Ddl::new(ends.sink.engine());
    let mut decisions = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(planned) = inventory.tables.get(entry.ordinal as usize) else {
            continue;
        };
        let summary = match state {
            Some(state) => state.item(ItemId::of(&planned.key))?,
            None => None,
        };
        let mut decision = decide(job, planned, summary.as_ref(), ddl);
        if let (Ok(mapping), true) = (&planned.mapping, look.probe) {
            let probed = probe_table(&*ends.source, ends.sink.engine(), planned, mapping).await;
            let probed = probed.map_err(|failure| Fatal::Tables(failure.context(&planned.key)))?;
            decision.probed = Some(probed);
        }
        if look.exact {
            let counted = ends.source.count(&planned.from, &RowRange::Whole).await;
            let rows = counted.map_err(|failure| Fatal::Tables(failure.context(&planned.key)))?;
            (decision.rows, decision.is_counted) = (Some(rows), true);
        }
        decisions.push(decision);
    }
    Ok(decisions)
}

fn decide(job: &TableJob, planned: &PlannedTable, summary: Option<&ItemSummary>, ddl: Ddl) -> TableDecision {
    let mut decision = TableDecision {
        key: planned.key.clone(),
        target: TableName::default(),
        decision: TableChoice::Load,
        rows: planned.source.rows_estimate,
        is_counted: false,
        columns: Vec::new(),
        statements: Vec::new(),
        owed: summary.map_or_else(Vec::new, |summary| summary.owed().to_vec()),
        left_out: Vec::new(),
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
    let is_done = |stage: &str| summary.is_some_and(|summary| summary.stage_status(stage) == StageStatus::Done);
    decision.decision = match summary.map(|summary| summary.status) {
        Some(ItemStatus::Skipped) => TableChoice::Skip,
        Some(ItemStatus::Completed) => TableChoice::Done,
        _ if is_done("data") => TableChoice::Finish,
        _ => TableChoice::Load,
    };
    if decision.decision == TableChoice::Load
        && let Some(failure) = check_chunks(&planned.source, &job.work.source.chunks)
    {
        decision.decision = TableChoice::Refuse(vec![failure.message]);
        return decision;
    }
    match place(planned, mapping, job, ddl, false) {
        Ok(place) => {
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
