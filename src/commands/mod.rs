//! One file per command: plain argument structs in, text on stdout, an exit code out. The exit-code table is here too.
//!
//! A command loads the job, opens what it needs, calls the floors below and prints. It decides nothing about units.

mod arguments;
mod cleanup;
mod error;
mod exit;
mod failures;
mod history;
mod init;
mod items;
mod job_vars;
mod ledger_database;
mod ledger_file;
mod output;
mod plan;
mod plan_file;
mod report;
mod retry;
mod run;
mod run_watcher;
mod schema;
mod signals;
mod state;
mod state_export;
mod state_import;
mod state_skip;
mod state_unlock;
mod status;
mod validate;
mod verify;
mod watch;
mod why;

pub use arguments::{DEFAULT_PROFILE, JobArguments, SelectionArguments};
pub use cleanup::{CleanupArguments, cleanup};
pub use error::CommandError;
pub use exit::Exit;
pub use failures::{FailuresArguments, failures};
pub use history::{HistoryArguments, StatusArgument, history};
pub use init::{InitArguments, init};
pub use output::{OutputArguments, explain};
pub use plan::{GraphArgument, PlanArguments, plan};
pub use plan_file::PlanToRun;
pub use report::{ReportArguments, report};
pub use retry::{RetryArguments, retry};
pub use run::{RunArguments, run};
pub use schema::{SchemaArguments, schema};
pub use state::{StateArguments, doctor, rebuild};
pub use state_export::{StateExportArguments, state_export};
pub use state_import::{StateImportArguments, state_import};
pub use state_skip::{StateSkipArguments, state_skip};
pub use state_unlock::{StateUnlockArguments, state_unlock};
pub use status::{StatusArguments, status};
pub use validate::{ValidateArguments, validate};
pub use verify::{VerifyArguments, verify};
pub use watch::{WatchArguments, watch};
pub use why::{WhyArguments, why};
