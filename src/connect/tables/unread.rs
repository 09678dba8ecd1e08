//! Rows that a reader sets aside instead of ending with the first of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;

use crate::model::Failure;

/// A row with values that are not of the kind that their columns are carried as.
#[derive(Clone, Debug)]
pub struct UnreadRow {
    /// The row by itself; what could not be read is NULL in it.
    pub row: RecordBatch,
    /// The columns whose values could not be read, by their places.
    pub columns: Vec<usize>,
    /// What is the matter with the first of them.
    pub failure: Failure,
}

/// Where a reader puts such rows, for its caller to take. A row is there before the batch is given on from which it is left out.
#[derive(Clone, Debug, Default)]
pub struct UnreadRows(Arc<Mutex<Vec<UnreadRow>>>);

impl UnreadRows {
    /// The rows that were put there since they were last taken.
    pub fn take(&self) -> Vec<UnreadRow> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the named rows out of a batch.
    ///
    /// # Errors
    /// `rows.shape`: they are not rows of the batch, which is a defect of the reader.
    pub(super) fn sift(&self, batch: &RecordBatch, unread: UnreadValues) -> Result<RecordBatch, Failure> {
        let mut is_read = vec![true; batch.num_rows()];
        let mut aside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, (columns, failure)) in unread.rows {
            let Some(is_read) = is_read.get_mut(row) else {
                return Err(Failure::permanent(
                    "rows.shape",
                    "a row that could not be read is in no batch",
                ));
            };
            *is_read = false;
            let row = batch.slice(row, 1);
            aside.push(UnreadRow { row, columns, failure });
        }
        filter_record_batch(batch, &BooleanArray::from(is_read))
            .map_err(|error| Failure::permanent("rows.shape", format!("a batch cannot be sifted: {error}")))
    }
}

/// What could not be read in a batch: by row, the columns, and what is the matter with the first of them.
#[derive(Debug, Default)]
pub(super) struct UnreadValues {
    rows: BTreeMap<usize, (Vec<usize>, Failure)>,
}

impl UnreadValues {
    pub fn note(&mut self, row: usize, column: usize, failure: Failure) {
        self.rows
            .entry(row)
            .or_insert_with(|| (Vec::new(), failure))
            .0
            .push(column);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, Int32Array};

    use super::*;

    #[test]
    fn rows_are_taken_out_with_all_that_could_not_be_read_in_them() {
        let values: ArrayRef = Arc::new(Int32Array::from_iter([Some(1), None, Some(3), None]));
        let batch = RecordBatch::try_from_iter([("n", values)]).unwrap();
        let mut unread = UnreadValues::default();
        for (row, column) in [(3, 1), (1, 0), (1, 2)] {
            unread.note(row, column, Failure::data("rows.value", format!("{row} {column}")));
        }
        let aside = UnreadRows::default();
        let rest = aside.sift(&batch, unread).unwrap();
        assert_eq!(rest.column(0).as_primitive::<Int32Type>().values(), &[1, 3]);
        let told: Vec<_> = aside
            .take()
            .into_iter()
            .map(|row| (row.row.num_rows(), row.columns, row.failure.message))
            .collect();
        assert_eq!(
            told,
            [(1, vec![0, 2], "1 0".to_owned()), (1, vec![1], "3 1".to_owned())]
        );
        assert!(aside.take().is_empty());
    }
}
