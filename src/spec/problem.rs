use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::secrets::{hide_secrets, mask};
use super::{SourceFile, Span};

/// Columns of a rendered problem.
const WIDTH: usize = 120;

/// One thing that is wrong with a spec: what, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    /// What stands under the caret.
    pub label: Option<String>,
    pub help: Option<String>,
    /// Bytes of the file's text; absent when the problem has no place in it (a flag of the command line).
    pub span: Option<Span>,
}

impl Problem {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            label: None,
            help: None,
            span: None,
        }
    }

    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// How problems are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// ASCII without colours, the same everywhere.
    Plain,
    /// For a terminal that shows Unicode.
    Unicode,
    /// For a terminal that shows Unicode and colours.
    Coloured,
}

/// Every problem found in the files of a job. Secrets written in those files are masked, in the excerpts and in every message.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    located: Vec<Located>,
}

/// A problem with its file; its text is masked already.
#[derive(Clone, Debug)]
struct Located {
    problem: Problem,
    source: Option<NamedSource<Arc<str>>>,
}

impl Problems {
    /// Problems that have no file, such as those of flags.
    pub fn without_file(problems: Vec<Problem>) -> Self {
        let located = problems.into_iter().map(|problem| Located { problem, source: None });
        Self {
            located: located.collect(),
        }
    }

    /// Adds the problems of one file, sorted by position. `secrets` are values known to be secret, by their spans.
    pub fn add(&mut self, file: &SourceFile, mut problems: Vec<Problem>, secrets: &[Span]) {
        problems.sort_by(|left, right| {
            let position = |problem: &Problem| problem.span.as_ref().map_or(0, |span| span.start);
            position(left)
                .cmp(&position(right))
                .then_with(|| left.message.cmp(&right.message))
        });
        problems.dedup();
        let masked = mask(&file.text, secrets);
        let (lines, flags) = match file.flags_from.and_then(|from| masked.split_at_checked(from)) {
            Some((lines, flags)) => (
                Arc::from(lines),
                Some(NamedSource::new("the command line", Arc::from(flags))),
            ),
            None => (masked, None),
        };
        let source = NamedSource::new(&file.name, lines);
        for mut problem in problems {
            problem.message = hide_secrets(&problem.message, &file.text, secrets);
            problem.label = problem.label.map(|label| hide_secrets(&label, &file.text, secrets));
            problem.help = problem.help.map(|help| hide_secrets(&help, &file.text, secrets));
            let from = file.flags_from.unwrap_or(usize::MAX);
            let source = match (&flags, &problem.span) {
                (Some(flags), Some(span)) if span.start >= from => {
                    problem.span = Some(span.start - from..span.end - from);
                    Some(flags.clone())
                }
                _ => Some(source.clone()),
            };
            self.located.push(Located { problem, source });
        }
    }

    pub fn append(&mut self, mut other: Self) {
        self.located.append(&mut other.located);
    }

    pub fn is_empty(&self) -> bool {
        self.located.is_empty()
    }

    pub fn len(&self) -> usize {
        self.located.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.located.iter().map(|located| &located.problem)
    }

    /// `Ok` when there are none.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// All problems, each with its place, an excerpt and its remedy, and a line that counts them.
    pub fn render(&self, rendering: Rendering) -> String {
        let theme = match rendering {
            Rendering::Plain => GraphicalTheme::none(),
            Rendering::Unicode => GraphicalTheme::unicode_nocolor(),
            Rendering::Coloured => GraphicalTheme::unicode(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(WIDTH)
            .with_break_words(false)
            .with_links(false)
            .without_syntax_highlighting();
        let mut out = String::new();
        for located in &self.located {
            // Writing to a `String` cannot fail; an excerpt that cannot be drawn leaves the message.
            if handler.render_report(&mut out, located).is_err() {
                out.push_str(&located.problem.message);
            }
            out.push('\n');
        }
        // The drawing of excerpts pads empty lines.
        let mut trimmed: String = out.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        trimmed.push_str(&self.to_string());
        trimmed.push('\n');
        trimmed
    }
}

/// How many there are.
impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            1 => write!(formatter, "1 problem"),
            count => write!(formatter, "{count} problems"),
        }
    }
}

impl std::error::Error for Problems {}

impl Diagnostic for Problems {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.located.iter().map(|located| located as &dyn Diagnostic)))
    }
}

impl fmt::Display for Located {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem.message)
    }
}

impl std::error::Error for Located {}

impl Diagnostic for Located {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        let label = LabeledSpan::new(self.problem.label.clone(), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}
