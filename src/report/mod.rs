//! Everything that is shown as a result: the plan before a run, the account and the summary after it, failures, verification.
//!
//! Pure: values go in, text and JSON come out. It prints nothing, reads no clock, opens no file and decides nothing about a unit;
//! the only I/O is writing to a `Write` that a caller hands in. Every name and message of foreign origin passes through
//! [`shown`] on its way to people and through [`redact`](crate::model::redact) on its way into JSON or CSV.

mod account;
mod command_line;
mod decision;
mod exported_file;
mod failures;
mod graph;
mod history;
mod item_files;
mod job_report;
mod json;
mod plan;
mod plan_json;
mod plan_line;
mod rate;
mod speed;
mod summary;
mod table_plan;
mod table_verify;
mod text;
mod throttle;
mod verify;
mod why;

pub use account::AccountReport;
pub use command_line::CommandLine;
pub use decision::{decision_json, decision_line};
pub use exported_file::ExportedFile;
pub use failures::{FailedUnit, FailureCsv, FailureGroup, FailureGroups, FailureJson, FailureTotal, FailuresReport};
pub use graph::{GraphFormat, graph};
pub use history::{HistoryReport, ListedItems};
pub use item_files::ItemFiles;
pub use job_report::JobReport;
pub use json::{SCHEMA_VERSION, write_json};
pub use plan::PlanReport;
pub use rate::{format_byte_rate, format_rate, rate_over};
pub use summary::{Integrity, Outcome, RunSummary};
pub use table_plan::TablePlanReport;
pub use table_verify::TableVerifyReport;
pub use text::{counted, shorten, shown, shown_short};
pub use throttle::limited;
pub use verify::{Difference, Finding, VerifyReport};
pub use why::WhyReport;
