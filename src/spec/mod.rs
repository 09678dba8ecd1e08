//! The only floor that sees text: parsing, positions, the schema, the wire types, and the problems shown to a person.
//!
//! YAML and TOML are two spellings of one [`Document`]; it is interpolated as a tree, checked against the schema that the wire types
//! generate, and only then deserialised. This floor knows no defaults, looks nothing up, and reads no file and no environment:
//! texts, variables and the environment come in as arguments.

mod document;
mod interpolate;
mod parse;
mod problem;
mod schema;
mod secrets;
mod settings;
mod source_file;
mod validate;
mod wire;
mod wording;

pub use document::{Document, Entry, Node, NodeValue, Span};
pub use interpolate::{Environment, Interpolation, Treatment, interpolate, missing_environment, references};
pub use parse::parse;
pub use problem::{Problem, Problems, Rendering};
pub use schema::{Schemas, schema};
pub use secrets::{SECRET_FIELDS, plain_text_secrets};
pub use settings::set;
pub use source_file::{SourceFile, Syntax};
pub use validate::{Reading, closest, read_connections, read_job, used_connections};
pub use wire::{
    AzblobSpec, AzdlsSpec, AzureQueueSpec, ChunksBySpec, ChunksSpec, ColumnTypeSpec, Common, CommonSpec,
    CompressionSpec, ConcurrencyItemsSpec, ConcurrencyPartsSpec, ConcurrencySpec, ConcurrencyUnitsSpec, ConnectionSpec,
    ConnectionsSpec, ContractSpec, CsvSqliteSpec, DatabaseSpec, EachSpec, EncryptionSpec, FilesSpec, FsSpec, GcsSpec,
    HashSpec, HostKeyCheckSpec, HttpSpec, ItemsSpec, JobSpec, JsonlQueueSpec, LimitsSpec, MemorySpec,
    MessageEncodingSpec, MessageSpec, NamingSpec, NotifySpec, NotifyWhenSpec, NullSpec, OnBadRowSpec, OnPartialSpec,
    QuerySpec, ReadSpec, RetrySpec, RowsSpec, S3Spec, SampleSpec, ScalarSpec, SftpSpec, SinkModeSpec, SinkSpec,
    SourceSpec, SqliteSpec, StepSpec, TableFormatSpec, TableOrderSpec, TablesSpec, VarSpec, WebdavSpec,
};

/// A commented spec to start from, for a job of this name. It is valid as it stands, with the `local` profile of
/// [`STARTING_CONNECTIONS`].
pub fn starting_spec(name: &str) -> String {
    include_str!("starting_spec.yaml").replacen("job: new-job", &format!("job: {name}"), 1)
}

/// The connections file that goes with [`starting_spec`].
pub const STARTING_CONNECTIONS: &str = include_str!("starting_connections.toml");
