use std::io;
use std::path::{Path, PathBuf};

use crate::engine::{Fatal, in_list_order};
use crate::model::Account;
use crate::report::{ExportedFile, counted};
use crate::state::State;

use super::ledger_file::LedgerFile;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline state export`
#[derive(Clone, Debug)]
pub struct StateExportArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// Its ending decides the form.
    pub out: PathBuf,
}

/// Writes the whole ledger to a file.
pub async fn state_export(arguments: &StateExportArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let state = arguments.job.open_existing_state(&job, "state export")?;
    let path = arguments.out.clone();
    let written = tokio::task::spawn_blocking(move || export(&state, &path)).await;
    let (items, files) = written.map_err(|error| Fatal::Internal(error.to_string()))??;
    let out = arguments.out.display().to_string();
    let next = arguments.job.command_line().command("report");
    let text = format!(
        "{} of {} written to `{out}`\nNext: {next}\n",
        counted(files, "file", "files"),
        counted(items, "item", "items")
    );
    let document =
        || serde_json::json!({ "schema_version": 1, "items": items, "files": files, "out": out, "next": next });
    arguments.output.print(text, document)?;
    Ok(Exit::Done)
}

/// Writes the file as a whole or not at all. Returns how many items and files it holds.
fn export(state: &State, path: &Path) -> Result<(u64, u64), CommandError> {
    let failed = |source: io::Error| CommandError::Write {
        path: path.to_owned(),
        source,
    };
    let form = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let temporary = path.with_extension("partial");
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let Some(mut out) = LedgerFile::create(&temporary, form).map_err(failed)? else {
        let (known, path) = (LedgerFile::ENDINGS, path.display());
        return Err(CommandError::Usage(format!(
            "`--out {path}`: the ending says how the ledger is written, and has to be {known}"
        )));
    };
    let counts = write(state, &mut out, failed)?;
    let finished = out.finish(&state.runs()?);
    finished.map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)?;
    Ok(counts)
}

fn write(
    state: &State,
    out: &mut LedgerFile,
    failed: impl Fn(io::Error) -> CommandError,
) -> Result<(u64, u64), CommandError> {
    let (mut items, mut files) = (0, 0);
    for id in in_list_order(state, |_| true)? {
        let Some(mut summary) = state.item(id)? else { continue };
        let pages = state.pages(id)?;
        // A killed run leaves a summary that lags behind the pages.
        summary.units = pages.iter().fold(Account::default(), |mut sum, page| {
            sum += page.account();
            sum
        });
        out.item(&summary).map_err(&failed)?;
        items += 1;
        for page in pages {
            for record in state.records(page)? {
                out.file(&ExportedFile::new(&summary.key, &record)).map_err(&failed)?;
                files += 1;
            }
        }
    }
    Ok((items, files))
}
