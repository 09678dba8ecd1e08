//! Runs a compiled job: item slots, units inside them, attempts, permits, and the one dispatcher that owns the run's state.
//!
//! Order, always: intent durable → effect → result durable → counted. Workers send events and nothing else; executing one item is a
//! function of that item, what is already done of it, permits, a stop signal and a sink for events.

mod assess;
mod attempts;
mod breaker;
mod context;
mod count;
mod dispatcher;
mod due;
mod effects;
mod events;
mod failed;
mod files;
mod found;
mod frame;
mod health;
mod import;
mod item;
mod item_list;
mod lister;
mod mark_set;
mod name_index;
mod names;
mod options;
mod outcome;
mod owed;
mod page;
mod part;
mod permits;
mod planned;
mod preview;
mod put_back;
mod retry_selection;
mod run_handle;
mod runner;
mod selection;
mod standing;
mod stop;
mod tables;
mod unit;
mod verifier;

pub use context::Meters;
pub use failed::{each_failure, in_list_order};
pub use frame::close_state;
pub use import::{DoneFile, Imported, import_done};
pub use item_list::{ItemEntry, list_items, read_items};
pub use options::RunOptions;
pub use outcome::{Fatal, RunReport, Vanished};
pub use preview::{PreviewOptions, Visit, preview};
pub use put_back::{PutBack, put_back};
pub use retry_selection::RetrySelection;
pub use run_handle::RunHandle;
pub use runner::Runner;
pub use selection::Selection;
pub use stop::{Stop, StopCause};
pub use tables::{TableLook, TablePreview, preview_tables, put_table_back, remove_leftovers, verify_tables};
pub use verifier::{Finding, VerifyOptions, verify};
