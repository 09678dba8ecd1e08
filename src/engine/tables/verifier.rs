use crate::connect::{Connections, ReadRequest, RowsFrom, TableMapping, UnreadRows};
use crate::engine::attempts::repeat;
use crate::engine::item_list::read_tables;
use crate::engine::{Fatal, Stop};
use crate::model::{Failure, ItemId, ItemStatus, RowRange, StageStatus};
use crate::resolve::TableJob;
use crate::stages::tables::{PlannedTable, RowDigest, digest_rows, read_back};
use crate::state::State;

use super::context::{TableEnds, chunk_policy};

/// What was found about one table.
#[derive(Clone, Debug)]
pub struct TableFinding {
    pub table: String,
    /// `None` when it cannot be made from what the source is.
    pub target: Option<String>,
    pub outcome: TableOutcome,
}

#[derive(Clone, Debug)]
pub enum TableOutcome {
    /// Both sides have the same.
    Equal {
        rows: u64,
    },
    /// Rows of source and sink, and their digests where those were computed.
    Different {
        source: u64,
        sink: u64,
        digests: Option<[String; 2]>,
    },
    /// Its rows are not all there yet: nothing is compared.
    NotLoaded,
    /// Set aside by `state skip`: nothing is expected of it.
    LeftOut,
    Unreadable(Failure),
}

/// Compares every table of a job with its source: by the number of rows, or by a digest over the mapped values of all rows, computed here
/// for both sides.
pub async fn verify_tables(
    job: &TableJob,
    state: &State,
    by_checksum: bool,
    mut found: impl FnMut(TableFinding),
) -> Result<(), Fatal> {
    let stop = Stop::default();
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let ends = TableEnds::open(job, &connections).await;
    let ends = ends.map_err(|(name, failure)| Fatal::Connection { name, failure })?;
    let (_, inventory) = read_tables(job, &connections).await.map_err(Fatal::Tables)?;
    let policy = chunk_policy(job);
    for planned in inventory.tables {
        let summary = state.item(ItemId::of(&planned.key))?;
        let is_left_out = (summary.as_ref()).is_some_and(|summary| summary.status == ItemStatus::Skipped);
        let is_loaded = summary.is_some_and(|summary| summary.stage_status("data") == StageStatus::Done);
        let outcome = match &planned.mapping {
            _ if is_left_out => TableOutcome::LeftOut,
            Ok(mapping) if is_loaded => {
                let compared = repeat(&policy, &stop, || compare(&ends, &planned, mapping, by_checksum)).await;
                compared.unwrap_or_else(TableOutcome::Unreadable)
            }
            _ => TableOutcome::NotLoaded,
        };
        let target = planned.mapping.as_ref().ok().map(|mapping| mapping.target.to_string());
        found(TableFinding {
            table: planned.key,
            target,
            outcome,
        });
    }
    Ok(())
}

async fn compare(
    ends: &TableEnds,
    planned: &PlannedTable,
    mapping: &TableMapping,
    by_checksum: bool,
) -> Result<TableOutcome, Failure> {
    let target = RowsFrom::Table(mapping.target.clone());
    if !by_checksum {
        let source = ends.source.count(&planned.from, &RowRange::Whole).await?;
        let sink = ends.sink.count(&target, &RowRange::Whole).await?;
        return Ok(if source == sink {
            TableOutcome::Equal { rows: sink }
        } else {
            TableOutcome::Different {
                source,
                sink,
                digests: None,
            }
        });
    }
    let read = |from: &RowsFrom, columns, unread| ReadRequest {
        from: from.clone(),
        columns,
        range: RowRange::Whole,
        snapshot: None,
        unread,
    };
    // A row that was rejected because it cannot be read is missing at the sink, and no reason to compare nothing.
    let aside = Some(UnreadRows::default());
    let source = digest_rows(&*ends.source, read(&planned.from, mapping.columns.clone(), aside)).await?;
    let sink = digest_rows(&*ends.sink, read(&target, read_back(&mapping.columns), None)).await?;
    Ok(outcome(source, sink))
}

fn outcome(source: RowDigest, sink: RowDigest) -> TableOutcome {
    if source == sink {
        return TableOutcome::Equal { rows: sink.rows };
    }
    TableOutcome::Different {
        source: source.rows,
        sink: sink.rows,
        digests: Some([source.to_string(), sink.to_string()]),
    }
}
