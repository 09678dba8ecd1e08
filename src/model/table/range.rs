use std::fmt;

use crate::model::Value;

/// How the rows of a table or query are cut into chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkPolicy {
    /// Rows that a chunk is meant to hold.
    pub rows: u64,
    pub way: ChunkWay,
}

/// By what rows are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkWay {
    /// The best that the table allows: its physical blocks where the engine has such, else its key, else not at all.
    Auto,
    /// Ranges of the primary key, else not at all.
    KeyOrWhole,
    /// Ranges of a key; `None`: the first column of the primary key.
    Key(Option<String>),
    /// Ranges of physical blocks.
    Blocks,
    /// One chunk.
    Whole,
}

/// Which rows one chunk holds. A bound is the first value of the next chunk, so that ranges meet without a gap and without rows in two of them.
#[derive(Clone, Debug, PartialEq)]
pub enum RowRange {
    Whole,
    /// `from <= column < below`; an absent bound is open. NULLs belong to the range without `from`.
    Key {
        column: String,
        from: Option<Value>,
        below: Option<Value>,
    },
    /// Physical blocks `from .. below`.
    Blocks {
        from: u64,
        below: Option<u64>,
    },
}

impl RowRange {
    /// Ranges of a key between bounds, the first and the last open.
    pub fn of_key(column: &str, bounds: Vec<Value>) -> Vec<Self> {
        let starts = std::iter::once(None).chain(bounds.iter().cloned().map(Some));
        let ends = bounds.iter().cloned().map(Some).chain(std::iter::once(None));
        starts
            .zip(ends)
            .map(|(from, below)| Self::Key {
                column: column.to_owned(),
                from,
                below,
            })
            .collect()
    }
}

/// For people: `Id from 1 below 50001`.
impl fmt::Display for RowRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => formatter.write_str("all rows"),
            Self::Key { column, from, below } => {
                formatter.write_str(column)?;
                if let Some(from) = from {
                    write!(formatter, " from {from}")?;
                }
                match below {
                    Some(below) => write!(formatter, " below {below}"),
                    None if from.is_none() => formatter.write_str(" of any value"),
                    None => formatter.write_str(" and above"),
                }
            }
            Self::Blocks { from, below: None } => write!(formatter, "blocks {from} and above"),
            Self::Blocks {
                from,
                below: Some(below),
            } => write!(formatter, "blocks {from} to {}", below.saturating_sub(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_key_meet_and_are_open_at_both_ends() {
        let ranges = RowRange::of_key("Id", vec![Value::Integer(10), Value::Integer(20)]);
        let shown: Vec<String> = ranges.iter().map(RowRange::to_string).collect();
        assert_eq!(shown, ["Id below 10", "Id from 10 below 20", "Id from 20 and above"]);
        assert_eq!(RowRange::of_key("Id", Vec::new())[0].to_string(), "Id of any value");
    }
}
