//! The vocabulary of the project: keys, values, sizes, policies, failures, events and accounts.
//!
//! Plain values only. No I/O, no tokio, no opendal, no sled: every other floor may import this one, and it imports none.

mod account;
mod ceilings;
mod connection;
mod credentials;
mod duration;
mod effect;
mod event;
mod failure;
mod hash;
mod item;
mod ledger;
mod planned;
mod policy;
mod progress;
mod redact;
mod rows;
mod secret;
mod size;
mod speed;
mod stage_record;
mod table;
mod table_progress;
mod timestamp;
mod unit_kind;
mod value;
mod verify_counts;

pub use account::{Account, EffectAccount, ItemAccount, State};
pub use ceilings::Ceilings;
pub use connection::{ConnectionConfig, ConnectionKind, CsvTable, DatabaseAddress, Dialect, MessageEncoding};
pub use credentials::{AzureCredentials, GcsCredentials, HostKeys, S3Credentials, SftpCredentials, WebCredentials};
pub use duration::{format_duration, parse_duration};
pub use effect::{EffectIntent, EffectOutcome, EffectRecord, EffectStatus};
pub use event::Event;
pub use failure::{Failure, FailureClass};
pub use hash::{ContentHash, HashKind};
pub use item::{ItemId, ItemKey, ItemStatus, ItemSummary};
pub use ledger::{PageIntent, UnitIntent, UnitRecord, UnitResult, UnitStatus};
pub use planned::{
    ObjectVersion, PlanHeader, PlannedBasis, PlannedDecision, PlannedItem, PlannedListing, PlannedObject, PlannedUnit,
    short_digest,
};
pub use policy::{Concurrency, Limits, NodeSpeeds, RetryPolicy, SinkMode};
pub use progress::{Outage, Phase, Progress, Throttle};
pub use redact::redact;
pub use rows::RowCount;
pub use secret::{Secret, SecretReference};
pub use size::{format_bytes, format_count, parse_size};
pub use speed::{Speed, parse_bandwidth, parse_rate};
pub use stage_record::{StageRecord, StageStatus};
pub use table::{
    Carry, ChunkPolicy, ChunkWay, Column, ColumnMapping, Engine, Extras, FileFormat, FileType, ForeignKey, Index, Key,
    ParquetCompression, RowRange, Table, TableDifference, TableFinding, TableName, TableOutcome,
};
pub use table_progress::{StageProgress, TableProgress};
pub use timestamp::Timestamp;
pub use unit_kind::UnitKind;
pub use value::{ColumnType, Columns, Row, Value};
pub use verify_counts::VerifyCounts;
