use std::fmt;

use serde::{Deserialize, Serialize};

/// How this job was named on the command line, so that every result can end with the command that goes on from there.
///
/// Its texts are the user's own words for the spec and the profile, and are put in quotes where a shell would need them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    /// The spec as it was named: `jobs/reupload.yaml`.
    pub spec: String,
    /// Options that belong to every command about this job (`--profile azure`, `--state DIR`), in order.
    pub options: Vec<String>,
}

impl CommandLine {
    pub fn new(spec: impl Into<String>) -> Self {
        Self {
            spec: spec.into(),
            options: Vec::new(),
        }
    }

    /// Adds an option with its value.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// `pipeline COMMAND SPEC OPTIONS`, for a shell.
    pub fn command(&self, command: &str) -> String {
        let mut line = format!("pipeline {command} {}", quoted(&self.spec));
        for option in &self.options {
            line.push(' ');
            line.push_str(&quoted(option));
        }
        line
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.spec)
    }
}

/// A word as a POSIX shell takes it for one.
fn quoted(word: &str) -> String {
    let harmless = |character: char| character.is_alphanumeric() || "-_./=:,@+%".contains(character);
    let word = super::shown(word);
    if !word.is_empty() && word.chars().all(harmless) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_can_be_pasted() {
        let line = CommandLine::new("my jobs/re'upload.yaml").option("--profile", "azure");
        assert_eq!(
            line.command("run"),
            r"pipeline run 'my jobs/re'\''upload.yaml' --profile azure"
        );
        assert_eq!(
            CommandLine::new("jobs/a.yaml").command("plan"),
            "pipeline plan jobs/a.yaml"
        );
    }
}
