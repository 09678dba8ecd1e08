use crate::model::Account;
use crate::report::shown;
use crate::state::{self, Diagnosis, Finding};

use super::arguments::identity;
use super::output::say;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline state doctor` and `pipeline state rebuild`
#[derive(Clone, Debug)]
pub struct StateArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
}

/// Examines a state without changing it.
pub fn doctor(arguments: &StateArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let folder = arguments.job.state_folder(&job);
    let diagnosis = state::doctor(&folder, &identity(&job), &arguments.job.holder("state doctor"))?;
    let findings: Vec<String> = diagnosis.findings.iter().map(describe).collect();
    let next = arguments
        .job
        .command_line()
        .command(if diagnosis.is_sound() { "run" } else { "state rebuild" });
    let document = || {
        serde_json::json!({
            "schema_version": 1,
            "sound": diagnosis.is_sound(),
            "items": diagnosis.items,
            "sealed_pages": diagnosis.sealed_pages,
            "open_pages": diagnosis.open_pages,
            "whole_blocks": diagnosis.blocks,
            "findings": findings,
            "next": next,
        })
    };
    arguments.output.print(page(&diagnosis, &findings, &next), document)?;
    Ok(if diagnosis.is_sound() { Exit::Done } else { Exit::State })
}

fn page(diagnosis: &Diagnosis, findings: &[String], next: &str) -> String {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&format!("- {}\n", shown(finding)));
    }
    let verdict = if diagnosis.is_sound() {
        "the state is sound"
    } else {
        "the state is damaged"
    };
    text.push_str(&format!(
        "{verdict}: {} items, {} sealed pages, {} pages that are not sealed, {} whole blocks in the ledger\nNext: {next}\n",
        diagnosis.items, diagnosis.sealed_pages, diagnosis.open_pages, diagnosis.blocks
    ));
    text
}

fn describe(finding: &Finding) -> String {
    match finding {
        Finding::Database(error) => error.to_string(),
        Finding::Page { item, page, problem } => format!("page {page} of item `{item}` cannot be read: {problem}"),
        Finding::Account { item, claimed, counted } => {
            format!(
                "item `{item}` claims {}, its pages hold {}",
                units(claimed),
                units(counted)
            )
        }
        Finding::Torn { segment, offset } => {
            format!("segment {segment} ends in a torn block at byte {offset}; nothing refers to it")
        }
    }
}

fn units(account: &Account) -> String {
    format!(
        "{} done, {} present, {} failed, {} pending",
        account.done, account.present, account.failed, account.pending
    )
}

/// Makes a new database from the sealed pages; the damaged one is moved aside.
pub fn rebuild(arguments: &StateArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let folder = arguments.job.state_folder(&job);
    let rebuilt = state::rebuild(&folder, &identity(&job), &arguments.job.holder("state rebuild"))?;
    for damaged in &rebuilt.damaged {
        say(format_args!("left out: {damaged}"));
    }
    let next = arguments.job.command_line().command("run");
    let aside = rebuilt.set_aside.as_ref().map(|path| path.display().to_string());
    let document = || {
        serde_json::json!({
            "schema_version": 1,
            "items": rebuilt.items,
            "pages": rebuilt.pages,
            "files": rebuilt.units,
            "set_aside": aside,
            "left_out": rebuilt.damaged.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "next": next,
        })
    };
    let text = format!(
        "kept {} items with {} sealed pages ({}); everything else is done again\n{}Next: {next}\n",
        rebuilt.items,
        rebuilt.pages,
        units(&rebuilt.units),
        aside
            .as_ref()
            .map(|path| format!("the old database is in `{path}`\n"))
            .unwrap_or_default(),
    );
    arguments.output.print(text, document)?;
    Ok(Exit::Done)
}
