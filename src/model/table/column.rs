use super::Carry;

/// A column as its database's catalogue describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The type in the catalogue's words, in small letters, with its arguments: `decimal(10,2)`, `int unsigned`.
    pub native: String,
    pub is_nullable: bool,
    /// Numbered by the database: identity, serial, auto_increment.
    pub is_identity: bool,
    /// Computed from other columns: it is read like any other and becomes an ordinary column at the sink.
    pub is_computed: bool,
}

/// How one column of a source becomes one of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMapping {
    pub source: String,
    pub source_native: String,
    pub carry: Carry,
    pub target: String,
    pub target_native: String,
    pub is_nullable: bool,
    pub is_identity: bool,
    /// What a value may lose on its way, in words; empty when nothing does.
    pub losses: Vec<String>,
}
