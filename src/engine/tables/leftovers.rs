use std::collections::HashSet;

use crate::connect::{Connections, Ddl};
use crate::engine::item_list::read_tables;
use crate::engine::{Fatal, Stop};
use crate::model::{Failure, ItemId, TableName};
use crate::resolve::{OnPartial, TableJob};
use crate::stages::tables::Bookkeeping;
use crate::state::State;

use super::bookkeeping::{is_any_partial, is_partial};
use super::context::TableEnds;

/// Drops the tables that runs of this job have made for themselves at the sink and that no run will ask for again, and gives their names.
///
/// | table | state of what it was made for | |
/// |---|---|---|
/// | rows gathered for one that is to be replaced | nothing is known of it | stays: it is another job's |
/// | | loaded, or set aside | goes |
/// | | half-way, `on_partial: reload` | goes: it would be made anew |
/// | | half-way, `on_partial: keep` | stays |
/// | notes of chunks | any table of the job is half-way, `on_partial: keep` | stays |
/// | | none is | goes |
pub async fn remove_leftovers(job: &TableJob, state: &State) -> Result<Vec<TableName>, Fatal> {
    let stop = Stop::default();
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let ends = TableEnds::open(job, &connections).await;
    let ends = ends.map_err(|(name, failure)| Fatal::Connection { name, failure })?;
    let sink = &job.work.sink.connection;
    let at_sink = |failure: Failure| Fatal::Tables(failure.context(format_args!("`{sink}`")));
    let (_, inventory) = read_tables(job, &connections).await.map_err(Fatal::Tables)?;
    let standing = ends.sink.tables().await.map_err(at_sink)?;
    let standing: HashSet<TableName> = standing.into_iter().map(|table| table.name).collect();
    let is_kept = job.work.sink.on_partial == OnPartial::Keep;
    let mut leftovers = Vec::new();
    for planned in &inventory.tables {
        let Some(staging) = &planned.staging else { continue };
        let summary = state.item(ItemId::of(&planned.key))?;
        if summary.is_some_and(|summary| summary.attempts > 0 && !(is_kept && is_partial(&summary))) {
            leftovers.push(staging.name.clone());
        }
    }
    let schema = job.work.sink.schema.as_deref().unwrap_or(ends.sink.default_schema());
    let notes = Bookkeeping::table(&job.name, &job.profile, schema, ends.sink.engine());
    if standing.contains(&notes) && !(is_kept && is_any_partial(state)?) {
        leftovers.push(notes);
    }
    let ddl = Ddl::new(ends.sink.engine());
    let statements: Vec<String> = leftovers.iter().map(|name| ddl.drop_table(name)).collect();
    if !statements.is_empty() {
        ends.sink.execute(&statements).await.map_err(at_sink)?;
    }
    Ok(leftovers)
}
