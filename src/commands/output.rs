use std::io::{self, Write};

use crate::model::redact;
use crate::report::write_json;
use crate::resolve::LoadError;
use crate::spec::Rendering;

use super::CommandError;

/// How results are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputArguments {
    /// One JSON document on stdout instead of text.
    pub json: bool,
}

impl OutputArguments {
    /// Writes a result to stdout. A reader that went away (`| head`) is no error.
    pub fn print(self, text: impl std::fmt::Display, json: impl FnOnce() -> serde_json::Value) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let written = if self.json {
            write_json(&mut out, &json())
        } else {
            write!(out, "{text}")
        };
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}

/// Writes a line for people to stderr: what a command says beside its result.
pub fn say(text: impl std::fmt::Display) {
    // There is nobody left to tell that stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Tells an error on stderr: the problems of a spec with their places, everything else on one line with its remedy.
pub fn explain(error: &CommandError, is_terminal: bool) {
    let CommandError::Load(LoadError::Problems(problems)) = error else {
        return say(format_args!("error: {}", redact(&error.to_string())));
    };
    let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    say(problems.render(match (is_terminal, has_colours) {
        (true, true) => Rendering::Coloured,
        (true, false) => Rendering::Unicode,
        (false, _) => Rendering::Plain,
    }));
}
