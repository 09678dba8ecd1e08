//! Completions for shells, generated from the command line itself.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::commands::{CommandError, Exit, OutputArguments};

use super::Cli;

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that is to complete
    shell: Shell,
}

/// Prints the script that a shell has to read to complete the command line.
pub fn completions(Completions { shell }: &Completions) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut Cli::command(), "pipeline", &mut script);
    let script = String::from_utf8_lossy(&script);
    OutputArguments::default().print(&script, || script.as_ref().into())?;
    Ok(Exit::Done)
}
