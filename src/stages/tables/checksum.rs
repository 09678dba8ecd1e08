use std::fmt;

use arrow_array::RecordBatch;
use futures::TryStreamExt;

use crate::connect::{ReadRequest, SqlDatabase, cell_text};
use crate::model::{Carry, ColumnMapping, Failure};

/// A digest over rows that does not depend on their order: the sum of the rows' own digests, and their number.
///
/// It is computed here on both sides, over the values as they are carried, so that two databases need have nothing in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowDigest {
    pub rows: u64,
    sum: [u64; 4],
}

impl RowDigest {
    pub fn add(&mut self, batch: &RecordBatch, columns: &[ColumnMapping]) {
        for row in 0..batch.num_rows() {
            let mut hasher = blake3::Hasher::new();
            for (column, values) in columns.iter().zip(batch.columns()) {
                match cell_text(column.carry, values, row) {
                    None => drop(hasher.update(&[0])),
                    Some(text) => {
                        let text = canonical(column.carry, text);
                        hasher.update(&[1]);
                        hasher.update(&(text.len() as u64).to_le_bytes());
                        hasher.update(text.as_bytes());
                    }
                }
            }
            let digest = hasher.finalize();
            for (sum, bytes) in self.sum.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
                let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
                *sum = sum.wrapping_add(word);
            }
            self.rows += 1;
        }
    }
}

/// A value in the one form that both databases give it: numbers without zeros that say nothing, documents with sorted keys.
fn canonical(carry: Carry, text: String) -> String {
    match carry {
        Carry::Decimal if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        Carry::Json => match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(document) => document.to_string(),
            Err(_) => text,
        },
        _ => text,
    }
}

impl fmt::Display for RowDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sum.iter().try_for_each(|word| write!(formatter, "{word:016x}"))
    }
}

/// Reads rows and digests them.
pub async fn digest_rows(database: &dyn SqlDatabase, request: ReadRequest) -> Result<RowDigest, Failure> {
    let columns = request.columns.clone();
    let mut batches = database.read(request).await?;
    let mut digest = RowDigest::default();
    while let Some(batch) = batches.try_next().await? {
        digest.add(&batch, &columns);
    }
    Ok(digest)
}
