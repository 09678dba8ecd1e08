use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::spec;

use super::output::say;
use super::{CommandError, Exit};

/// `pipeline init`
#[derive(Clone, Debug)]
pub struct InitArguments {
    /// The spec to begin; its file name without extension is the job's name.
    pub spec: PathBuf,
}

/// Writes a commented starting spec, and connections for it where the folder has none. Never over a file that is there.
pub fn init(arguments: &InitArguments) -> Result<Exit, CommandError> {
    let path = &arguments.spec;
    let name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let name: String = name
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect();
    let failed = |source| CommandError::Write {
        path: path.clone(),
        source,
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    write_new(path, &spec::starting_spec(&name))?;
    let connections = path.with_file_name("connections.toml");
    if !connections.exists() {
        write_new(&connections, spec::STARTING_CONNECTIONS)?;
        write_example(&path.with_file_name(EXAMPLE_FOLDER))?;
    }
    say(format_args!("Next: pipeline validate {}", path.display()));
    Ok(Exit::Done)
}

/// The folder that the starting connections read from.
const EXAMPLE_FOLDER: &str = "data";

/// Gives the starting spec something to copy, so that it can be run at once. A folder that is there is left as it is.
fn write_example(folder: &Path) -> Result<(), CommandError> {
    if folder.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(|source| CommandError::Write {
        path: folder.to_owned(),
        source,
    })?;
    write_new(&folder.join("example.txt"), "Put the files to be copied here.\n")
}

fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let failed = |source| CommandError::Write {
        path: path.to_owned(),
        source,
    };
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(CommandError::Usage(format!(
                "`{}` is there already and was left as it is; choose another name",
                path.display()
            )));
        }
        opened => opened.map_err(failed)?,
    };
    file.write_all(text.as_bytes()).map_err(failed)?;
    say(format_args!("written: `{}`", path.display()));
    Ok(())
}
