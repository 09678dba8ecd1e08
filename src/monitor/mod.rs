//! Watching a run: the snapshot of it that other processes read, its rates, and the views of it while it goes on.
//!
//! It observes only. It never touches the state, decides nothing, and no failure to show something ever reaches the run. This is
//! one of the two floors that write to the terminal.

mod dashboard;
mod failure_log;
mod keyboard;
mod lines;
mod rate_meter;
mod screen;
mod snapshot;
mod status;
mod table_log;
mod terminal;
mod view;

pub use dashboard::Dashboard;
pub use failure_log::FailureLog;
pub use keyboard::Keyboard;
pub use lines::Lines;
pub use rate_meter::{Rate, RateMeter, Rates};
pub use screen::Screen;
pub use snapshot::{FailureCount, SNAPSHOT_VERSION, Snapshot};
pub use status::{STALE_AFTER, Status};
pub use table_log::TableLog;
pub use terminal::Bars;
pub use view::ProgressView;
