use std::path::PathBuf;

use crate::spec;

use super::arguments::write_file;
use super::output::say;
use super::{CommandError, Exit, OutputArguments};

/// `pipeline schema`
#[derive(Clone, Debug)]
pub struct SchemaArguments {
    /// Write both schemas into this folder; without it, the job's goes to stdout.
    pub folder: Option<PathBuf>,
}

/// Prints or writes the JSON schemas that specs are validated against.
pub fn schema(arguments: &SchemaArguments) -> Result<Exit, CommandError> {
    let schemas = spec::schema();
    let Some(folder) = &arguments.folder else {
        OutputArguments::default().print(&schemas.job, || serde_json::Value::Null)?;
        return Ok(Exit::Done);
    };
    for (name, text) in [
        ("job.schema.json", &schemas.job),
        ("connections.schema.json", &schemas.connections),
    ] {
        write_file(&folder.join(name), text.as_bytes())?;
        say(format_args!("written: `{}`", folder.join(name).display()));
    }
    Ok(Exit::Done)
}
