use std::path::PathBuf;

use crate::connect::{Connections, ReadRequest, RowsFrom, TableMapping, UnreadRows};
use crate::engine::attempts::repeat;
use crate::engine::item_list::read_tables;
use crate::engine::{Fatal, Stop};
use crate::model::{
    Failure, FailureClass, ItemId, ItemStatus, ItemSummary, RowRange, StageStatus, TableDifference, TableFinding,
    TableOutcome,
};
use crate::resolve::{RowMode, TableJob};
use crate::stages::tables::{PlannedTable, RowDigest, digest_rows, read_back, read_rejects, rejects_path};
use crate::state::{State, StateError, StateWriter};

use super::context::{TableEnds, chunk_policy};
use super::put_back::put_table_back;

/// Compares every table of a job with its source: by the number of rows, or by a digest over the mapped values of all rows, computed here
/// for both sides. With a writer, tables that differ are put back to be loaded once more, where that can help.
pub async fn verify_tables(
    job: &TableJob,
    state: &State,
    reopen: Option<&StateWriter>,
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
        let target = planned.mapping.as_ref().map(|mapping| mapping.target.to_string());
        let mut outcome = match (&planned.mapping, summary.clone()) {
            (_, Some(summary)) if summary.status == ItemStatus::Skipped => TableOutcome::LeftOut,
            (Ok(mapping), Some(summary)) if summary.stage_status("data") == StageStatus::Done => {
                let comparison = Comparison {
                    ends: &ends,
                    planned: &planned,
                    mapping,
                    rejected: summary.units.rows.rejected,
                    rejects: match by_checksum {
                        true => rejects(state, &summary)?,
                        false => Vec::new(),
                    },
                };
                let compared = repeat(&policy, &stop, || comparison.run(by_checksum)).await;
                compared.unwrap_or_else(TableOutcome::Unreadable)
            }
            _ => TableOutcome::NotLoaded,
        };
        if let (TableOutcome::Different(difference), Some(summary)) = (&mut outcome, summary) {
            difference.can_be_reloaded = match job.work.sink.mode {
                RowMode::Replace | RowMode::Truncate => true,
                RowMode::Upsert => difference.sink <= difference.source,
                RowMode::Append => difference.is_gone,
            };
            if let (Some(writer), true) = (reopen, difference.can_be_reloaded) {
                put_table_back(state, writer, summary).await?;
                difference.is_reopened = true;
            }
        }
        found(TableFinding {
            table: planned.key,
            target: target.ok(),
            outcome,
        });
    }
    Ok(())
}

/// The files in which rows of a table that were rejected stand.
fn rejects(state: &State, summary: &ItemSummary) -> Result<Vec<PathBuf>, StateError> {
    let mut paths = Vec::new();
    if summary.units.rows.rejected == 0 {
        return Ok(paths);
    }
    let folder = state.folder().rejects();
    for page in state.pages(summary.id())? {
        let number = page.page();
        for (unit, record) in (0..).zip(state.records(page)?) {
            if record.rows.rejected > 0 {
                paths.push(rejects_path(&folder, summary.id(), number, unit));
            }
        }
    }
    Ok(paths)
}

/// A table of which all rows are said to be there.
struct Comparison<'a> {
    ends: &'a TableEnds,
    planned: &'a PlannedTable,
    mapping: &'a TableMapping,
    /// Rows that the ledger has as rejected.
    rejected: u64,
    rejects: Vec<PathBuf>,
}

impl Comparison<'_> {
    async fn run(&self, by_checksum: bool) -> Result<TableOutcome, Failure> {
        let Self {
            ends,
            planned,
            rejected,
            ..
        } = self;
        let target = RowsFrom::Table(self.mapping.target.clone());
        if !by_checksum {
            let source = ends.source.count(&planned.from, &RowRange::Whole).await?;
            let Some(sink) = unless_gone(ends.sink.count(&target, &RowRange::Whole).await)? else {
                return Ok(self.different(source, None));
            };
            // A row that was rejected may have been put there by hand since.
            let is_equal = (source.saturating_sub(*rejected)..=source).contains(&sink);
            return Ok(self.outcome(source, sink, is_equal));
        }
        let columns = &self.mapping.columns;
        let read = |from: &RowsFrom, columns, unread| ReadRequest {
            from: from.clone(),
            columns,
            range: RowRange::Whole,
            snapshot: None,
            unread,
        };
        // A row that cannot be read may have been rejected for it, and is no reason to compare nothing then.
        let aside = (*rejected > 0).then(UnreadRows::default);
        let mut source = digest_rows(&*ends.source, read(&planned.from, columns.clone(), aside)).await?;
        let rows = source.rows;
        let sink = digest_rows(&*ends.sink, read(&target, read_back(columns), None)).await;
        let Some(sink) = unless_gone(sink)? else {
            return Ok(self.different(rows, None));
        };
        self.take_out_rejected(&mut source)?;
        Ok(self.outcome(rows, sink.rows, source == sink))
    }

    /// # Errors
    /// `rejects.file`: what was written down of rejected rows is not all there, and nothing can be said of a digest without them.
    fn take_out_rejected(&self, digest: &mut RowDigest) -> Result<(), Failure> {
        let mut found = 0;
        for path in &self.rejects {
            found += read_rejects(path, |row| digest.take_out(row, &self.mapping.columns))?;
        }
        if found == self.rejected {
            return Ok(());
        }
        let folder = self.rejects.first().and_then(|path| path.parent());
        let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
        Err(Failure::permanent(
            "rejects.file",
            format!(
                "{found} of {} rejected rows stand in `{folder}`, which a digest has to leave out; put the files back, or compare by number, without \
                 `--checksum`",
                self.rejected
            ),
        ))
    }

    fn outcome(&self, source: u64, sink: u64, is_equal: bool) -> TableOutcome {
        match is_equal {
            true => TableOutcome::Equal {
                rows: sink,
                rejected: source.saturating_sub(sink),
            },
            false => self.different(source, Some(sink)),
        }
    }

    /// `sink`: absent, where the table is not there.
    fn different(&self, source: u64, sink: Option<u64>) -> TableOutcome {
        TableOutcome::Different(TableDifference {
            source,
            sink: sink.unwrap_or_default(),
            rejected: self.rejected,
            is_gone: sink.is_none(),
            can_be_reloaded: false,
            is_reopened: false,
        })
    }
}

/// `None` for a table that is not there.
fn unless_gone<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Err(failure) if failure.class == FailureClass::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}
