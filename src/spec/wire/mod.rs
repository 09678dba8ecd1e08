//! The shapes of a spec and of a connections file as they are written. They are the source of the JSON schemas; their docs are the
//! descriptions that editors show.

mod common;
mod connection;
mod job;
mod policy;
mod scalar;
mod source;
mod step;
mod store;
mod tables;

pub use common::{Common, CommonSpec};
pub use connection::{
    AzureQueueSpec, ConnectionSpec, ConnectionsSpec, CsvSqliteSpec, DatabaseSpec, EncryptionSpec, JsonlQueueSpec,
    MessageEncodingSpec, SqliteSpec,
};
pub use job::{HashSpec, JobSpec, NamingSpec, SinkModeSpec, SinkSpec, VarSpec};
pub use policy::{
    ConcurrencyItemsSpec, ConcurrencyPartsSpec, ConcurrencySpec, ConcurrencyUnitsSpec, LimitsSpec, PerSlotSpec,
    RetrySpec,
};
pub use scalar::ScalarSpec;
pub use source::{ColumnTypeSpec, FilesSpec, ItemsSpec, QuerySpec, ReadSpec, SourceSpec};
pub use step::{EachSpec, MessageSpec, NotifySpec, NotifyWhenSpec, StepSpec};
pub use store::{
    AzblobSpec, AzdlsSpec, FsSpec, GcsSpec, HostKeyCheckSpec, HttpSpec, MemorySpec, NullSpec, S3Spec, SampleSpec,
    SftpSpec, WebdavSpec,
};
pub use tables::{
    ChunksBySpec, ChunksSpec, CompressionSpec, ContractSpec, OnBadRowSpec, OnPartialSpec, RowsSpec, TableFormatSpec,
    TableOrderSpec, TablesSpec,
};

/// Of a duration: numbers with units, `10s` or `1h30m`.
pub(super) const DURATION_PATTERN: &str = r"^([0-9]+(ms|s|m|h|d))+$";
/// Of a size: a number with a unit, `8MiB`.
pub(super) const SIZE_PATTERN: &str = r"^[0-9]+(\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?$";
/// Of a rate: a number and a time, `500/s`.
pub(super) const RATE_PATTERN: &str = r"^[0-9]+(\.[0-9]+)? ?/ ?(s|m|h)$";
/// Of a bandwidth: a size for each second, `50MiB/s`.
pub(super) const BANDWIDTH_PATTERN: &str = r"^[0-9]+(\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)? ?/ ?s$";
/// Of a job's name, which is also a folder's.
pub(super) const JOB_PATTERN: &str = r"^[a-z0-9][a-z0-9_-]*$";
/// Of names that templates, references and queries take up.
pub(super) const NAME_PATTERN: &str = r"^[A-Za-z_][A-Za-z0-9_-]*$";
/// Of a queue's name, which stands in an address: the rule of Azure Storage.
pub(super) const QUEUE_PATTERN: &str = r"^[a-z0-9](-?[a-z0-9]){2,}$";
