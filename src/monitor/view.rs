use std::time::Duration;

use super::{Bars, Lines, Snapshot};

/// How a run in the foreground is shown while it goes on.
#[derive(Debug)]
pub enum ProgressView {
    /// On a terminal.
    Bars(Bars),
    /// In logs and pipes.
    Lines(Lines),
    /// Not at all, but for notes: they tell what a person who pressed Ctrl-C waits for.
    Quiet,
}

impl ProgressView {
    /// Bars where stderr is a terminal, otherwise one line `every` so often, and nothing where nothing was asked for.
    pub fn choose(quiet: bool, is_terminal: bool, every: Duration) -> Self {
        match (quiet, is_terminal) {
            (true, _) => Self::Quiet,
            (false, true) => Self::Bars(Bars::new()),
            (false, false) => Self::Lines(Lines::new(every)),
        }
    }

    pub fn update(&mut self, snapshot: &Snapshot) {
        match self {
            Self::Bars(bars) => bars.update(snapshot),
            Self::Lines(lines) => lines.update(snapshot),
            Self::Quiet => {}
        }
    }

    /// Shows a line at once, without tearing the bars. Control characters in it are escaped.
    pub fn note(&mut self, text: &str) {
        match self {
            Self::Bars(bars) => bars.note(text),
            Self::Lines(lines) => lines.note(text),
            Self::Quiet => Lines::new(Duration::MAX).note(text),
        }
    }

    /// Clears what would stand in the way of the account.
    pub fn finish(&mut self) {
        match self {
            Self::Bars(bars) => bars.finish(),
            Self::Lines(_) | Self::Quiet => {}
        }
    }
}
