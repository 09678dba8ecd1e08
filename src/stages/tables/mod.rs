//! The work on tables: what they become, how their rows are cut, and a chunk's way from one database to the other.

mod added;
mod bookkeeping;
mod checksum;
mod chunks;
mod ends;
mod inventory;
mod load;
mod patterns;
mod probe;
mod rejects;
mod same_json;

pub use added::{chunk_name, take_up_added};
pub use bookkeeping::{Bookkeeping, Committed, TakeUp, take_up};
pub use checksum::{RowDigest, digest_rows, read_back};
pub use chunks::{check_chunks, plan_chunks, uncut};
pub use ends::{open_sink, open_source};
pub use inventory::{PlannedTable, TableInventory, read_inventory, staging};
pub use load::{LoadRequest, Loaded, load};
pub use probe::probe_table;
pub use rejects::{RejectedRow, Rejects, read_rejects, rejects_path, remove_rejects};
