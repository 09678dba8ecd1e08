/// What the units of a job are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnitKind {
    #[default]
    File,
    /// Of rows.
    Chunk,
}

impl UnitKind {
    pub fn plural(self) -> &'static str {
        match self {
            Self::File => "files",
            Self::Chunk => "chunks",
        }
    }
}
