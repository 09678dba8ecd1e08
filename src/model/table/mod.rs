//! Tables: what a catalogue says of them, how their values travel, and which of their rows are meant.

mod carry;
mod column;
mod engine;
mod extras;
mod file_format;
mod file_type;
mod finding;
mod range;
#[expect(
    clippy::module_inception,
    reason = "the folder is named for what it is about, the file for its main type"
)]
mod table;

pub use carry::Carry;
pub use column::{Column, ColumnMapping};
pub use engine::Engine;
pub use extras::Extras;
pub use file_format::{FileFormat, ParquetCompression};
pub use file_type::FileType;
pub use finding::{TableDifference, TableFinding, TableOutcome};
pub use range::{ChunkPolicy, ChunkWay, RowRange};
pub use table::{ForeignKey, Index, Key, Table, TableName};
