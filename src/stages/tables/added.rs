use crate::connect::OUTCOME_UNKNOWN;
use crate::model::{Failure, RowRange, UnitRecord, UnitStatus};

use super::Committed;

/// What a chunk is called among those of its job.
pub fn chunk_name(table: &str, range: &RowRange) -> String {
    format!("{table}: {range}")
}

/// Decides how a table is taken up whose rows an earlier run has added to others, where only the ledger knows which: the chunks that are there, by
/// name, or `None` where there are none.
///
/// | done by the ledger | a commit was never answered | cut as before | blocks of a source that is not quiet | |
/// |---|---|---|---|---|
/// | none | no | – | – | from the beginning |
/// | some | no | yes | no | the others are loaded |
/// | some | no | no | – | refused |
/// | some | no | yes | yes | refused: a row that was written anew stands in another block |
/// | any | yes | – | – | refused |
///
/// # Errors
/// `tables.partial`.
pub fn take_up_added(
    records: &[UnitRecord],
    chunks: &[RowRange],
    is_quiet: bool,
    table: &str,
) -> Result<Option<Committed>, Failure> {
    let is_done = |record: &&UnitRecord| record.status == UnitStatus::Done;
    let done: Committed = records
        .iter()
        .filter(is_done)
        .map(|record| (record.source.clone(), record.rows))
        .collect();
    let is_unanswered = |record: &UnitRecord| {
        let failure = record.failure.as_ref();
        record.status == UnitStatus::Failed && failure.is_some_and(|failure| failure.code == OUTCOME_UNKNOWN)
    };
    // Pages behind the one in which the run was interrupted were never begun.
    let is_cut_as_before = records.len() <= chunks.len()
        && records
            .iter()
            .zip(chunks)
            .all(|(record, range)| record.source == chunk_name(table, range));
    let is_of_blocks = chunks.iter().any(|range| matches!(range, RowRange::Blocks { .. }));
    let why = if records.iter().any(is_unanswered) {
        "whether another is was never answered"
    } else if done.is_empty() {
        return Ok(None);
    } else if !is_cut_as_before {
        "the source is cut otherwise now"
    } else if is_of_blocks && !is_quiet {
        "its blocks may hold other rows by now, unless the source is `quiet: true`"
    } else {
        return Ok(Some(done));
    };
    Err(Failure::permanent(
        "tables.partial",
        format!(
            "{} of {} chunks of `{table}` are at the sink already, and {why}; so that no row is there twice, delete what this job has added, and \
             start it over with `run --restart --only '{table}'`",
            done.len(),
            records.len().max(chunks.len())
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RowCount, UnitIntent, Value};

    fn record(range: &RowRange, status: UnitStatus, code: Option<&'static str>) -> UnitRecord {
        let intent = UnitIntent {
            source: chunk_name("Orders", range),
            target: "orders".to_owned(),
            size: None,
            existed: false,
            refusal: None,
            effects: Vec::new(),
        };
        UnitRecord {
            status,
            rows: RowCount {
                written: 7,
                rejected: 0,
            },
            failure: code.map(|code| Failure::transient(code, "x")),
            ..UnitRecord::pending(&intent)
        }
    }

    fn keys(bounds: &[i64]) -> Vec<RowRange> {
        RowRange::of_key("Id", bounds.iter().map(|&bound| Value::Integer(bound)).collect())
    }

    #[test]
    fn chunks_that_are_there_are_not_added_again() {
        let chunks = keys(&[10, 20]);
        let of = |statuses: [UnitStatus; 3]| -> Vec<UnitRecord> {
            let of_one = |(range, status): (&RowRange, UnitStatus)| record(range, status, None);
            chunks.iter().zip(statuses).map(of_one).collect()
        };
        use UnitStatus::{Done, Failed, Pending};
        let names = |records: &[UnitRecord], chunks: &[RowRange]| {
            let taken = take_up_added(records, chunks, false, "Orders");
            taken
                .map(|done| done.map(|done| done.len()))
                .map_err(|failure| failure.code)
        };
        assert_eq!(names(&[], &chunks), Ok(None));
        assert_eq!(names(&of([Failed, Pending, Pending]), &chunks), Ok(None));
        assert_eq!(names(&of([Done, Failed, Done]), &chunks), Ok(Some(2)));
        assert_eq!(
            names(&of([Done, Failed, Done]), &keys(&[10, 21])),
            Err("tables.partial".into())
        );
        assert_eq!(
            names(&of([Done, Failed, Done]), &keys(&[10])),
            Err("tables.partial".into())
        );
        let unanswered: Vec<_> = chunks
            .iter()
            .map(|range| record(range, Failed, Some(OUTCOME_UNKNOWN)))
            .collect();
        assert_eq!(names(&unanswered, &chunks), Err("tables.partial".into()));
    }

    #[test]
    fn blocks_are_gone_on_with_only_where_nobody_writes() {
        let chunks = [
            RowRange::Blocks {
                from: 0,
                below: Some(9),
            },
            RowRange::Blocks { from: 9, below: None },
        ];
        let records = [
            record(&chunks[0], UnitStatus::Done, None),
            record(&chunks[1], UnitStatus::Pending, None),
        ];
        let taken = |is_quiet| take_up_added(&records, &chunks, is_quiet, "Orders");
        assert_eq!(taken(false).unwrap_err().code, "tables.partial");
        assert_eq!(taken(true).unwrap().unwrap().len(), 1);
    }
}
