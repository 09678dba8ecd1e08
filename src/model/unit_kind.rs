use serde::{Deserialize, Serialize};

/// What the units of a job are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    #[default]
    File,
    /// Of rows.
    Chunk,
}

impl UnitKind {
    pub fn singular(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Chunk => "chunk",
        }
    }

    pub fn plural(self) -> &'static str {
        match self {
            Self::File => "files",
            Self::Chunk => "chunks",
        }
    }

    /// What the items are that hold them.
    pub fn items(self) -> &'static str {
        match self {
            Self::File => "items",
            Self::Chunk => "tables",
        }
    }
}
