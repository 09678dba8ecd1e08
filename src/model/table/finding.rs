use crate::model::Failure;

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
    /// Both sides have the same, but for the rows that the ledger has as rejected.
    Equal {
        rows: u64,
        rejected: u64,
    },
    Different(TableDifference),
    /// Its rows are not all there yet: nothing is compared.
    NotLoaded,
    /// Set aside by `state skip`: nothing is expected of it.
    LeftOut,
    Unreadable(Failure),
}

impl TableOutcome {
    /// Rows of the source that the ledger has as rejected.
    pub fn rejected(&self) -> u64 {
        match self {
            Self::Equal { rejected, .. } => *rejected,
            Self::Different(difference) => difference.rejected,
            Self::NotLoaded | Self::LeftOut | Self::Unreadable(_) => 0,
        }
    }
}

/// How the two sides of a table differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDifference {
    /// Rows.
    pub source: u64,
    pub sink: u64,
    /// Of those of the source, what the ledger has as rejected.
    pub rejected: u64,
    /// The table itself is not at the sink any more.
    pub is_gone: bool,
    /// Whether loading the table once more can bring it into order: `append` would add rows that are there, and `upsert` takes none away.
    pub can_be_reloaded: bool,
    /// It was put back, and the next run loads it.
    pub is_reopened: bool,
}
