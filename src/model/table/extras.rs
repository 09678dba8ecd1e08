/// What a table has besides columns, keys and indexes. A table that is made after it gets nothing of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Columns with a default value, in their order, without those that are numbered or computed.
    pub defaults: Vec<String>,
    /// Columns that the database sets anew with each change of their row, in their order.
    pub updates: Vec<String>,
    /// Conditions on rows. Most have names that the database gave them, which tell nobody anything.
    pub checks: u64,
    /// By their names, in their order.
    pub triggers: Vec<String>,
    /// On the table and on its columns.
    pub comments: u64,
    /// Its rows lie in several places, which is nothing that their readers see.
    pub is_partitioned: bool,
    /// Columns, keys, indexes and rows that become something simpler, in words.
    pub simplified: Vec<String>,
}

impl Extras {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
