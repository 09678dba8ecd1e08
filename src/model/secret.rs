use std::fmt;
use std::path::PathBuf;

/// A secret's value. It can be used and compared, never printed: `Debug` and `Display` both hide it, and it has no serialisation.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, for the one call that hands it to a client library.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

/// Where a secret is to be found; a spec holds only this. Resolved when its connection is first opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// `${env:NAME}`
    Environment(String),
    /// `${file:PATH}`: the file's text without its last line break.
    File(PathBuf),
}

impl fmt::Display for SecretReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(formatter, "${{env:{name}}}"),
            Self::File(path) => write!(formatter, "${{file:{}}}", path.display()),
        }
    }
}
