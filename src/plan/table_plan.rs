use crate::model::{ColumnMapping, Extras, TableName};

/// What would happen to one table, and why.
#[derive(Clone, Debug)]
pub struct TableDecision {
    pub key: String,
    /// Empty when the table cannot be taken over.
    pub target: TableName,
    pub decision: TableChoice,
    /// Rows, as the catalogue estimates them or as they were counted.
    pub rows: Option<u64>,
    pub is_counted: bool,
    pub columns: Vec<ColumnMapping>,
    /// In their order: those before the rows come, then those behind the barrier.
    pub statements: Vec<String>,
    /// Keys that an earlier run has taken away at the sink, and that are given back behind the rows.
    pub owed: Vec<String>,
    /// What the sink does not get, and why.
    pub left_out: Vec<String>,
    /// What the table at the source has and the one that the run makes will not have.
    pub not_carried: Extras,
    /// Why its rows are not cut although the spec asks for it.
    pub uncut: Option<String>,
    /// In what the table that stands at the sink is another, in words.
    pub drift: Vec<String>,
    /// What a look at every row has found, where it was asked for.
    pub probed: Option<Vec<ProbedColumn>>,
}

/// Values of a column that do not go over as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbedColumn {
    /// Its name at the source.
    pub column: String,
    /// What is the matter with how many of its values.
    pub cases: Vec<(String, u64)>,
}

/// | what the state says | choice |
/// |---|---|
/// | nothing, or the rows are not all there | load |
/// | the rows are there, indexes and keys are not | finish |
/// | completed | done |
/// | set aside | skip |
/// | – and it cannot be mapped, does not fit what is there, or cannot be gone on with | refuse |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableChoice {
    Load,
    Finish,
    Done,
    Skip,
    /// Every reason, with its place and its remedy.
    Refuse(Vec<String>),
}

impl TableChoice {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Finish => "finish",
            Self::Done => "done",
            Self::Skip => "skip",
            Self::Refuse(_) => "refuse",
        }
    }
}
