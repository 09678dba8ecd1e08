use std::path::Path;
use std::sync::Arc;

/// Which of the two spellings a file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Yaml,
    Toml,
}

impl Syntax {
    /// By the file's extension; anything but `.toml` is YAML.
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("toml") => Self::Toml,
            _ => Self::Yaml,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
        }
    }
}

/// A text with the name it has for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub name: String,
    pub text: Arc<str>,
    pub syntax: Syntax,
    /// Where the lines of the file end and flags of the command line begin, when there are any.
    pub flags_from: Option<usize>,
}

impl SourceFile {
    /// A byte order mark is not part of the text.
    pub fn new(name: impl Into<String>, text: &str, syntax: Syntax) -> Self {
        Self {
            name: name.into(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text).into(),
            syntax,
            flags_from: None,
        }
    }
}
