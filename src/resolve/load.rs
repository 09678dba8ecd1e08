use std::io;
use std::path::{Path, PathBuf};

use crate::spec::{Environment, Problems, SourceFile, Syntax};

use super::files::{JobFiles, resolve};
use super::job::ResolvedJob;

/// What a connections file may be called, beside the spec; the first that exists is read.
const CONNECTIONS_FILES: [&str; 3] = ["connections.toml", "connections.yaml", "connections.yml"];

/// What a job is started with.
pub struct LoadOptions<'a> {
    pub profile: String,
    /// `--var name=value`, in the order of the command line: the last of a name counts.
    pub vars: Vec<(String, String)>,
    /// `--set path=value`, in the order of the command line.
    pub settings: Vec<String>,
    pub environment: &'a Environment<'a>,
}

/// Why a job could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read `{path}`: {reason}; {remedy}")]
    Unreadable {
        path: PathBuf,
        reason: String,
        remedy: &'static str,
    },
    #[error("{0}")]
    Problems(Box<Problems>),
}

impl From<Problems> for LoadError {
    fn from(problems: Problems) -> Self {
        Self::Problems(Box::new(problems))
    }
}

/// Reads a spec and the connections file beside it, and resolves them: everything between text and [`ResolvedJob`].
///
/// # Errors
/// `Unreadable` when a file cannot be read; `Problems` with all that is wrong with what stands in them.
pub fn load(spec_path: &Path, options: &LoadOptions<'_>) -> Result<ResolvedJob, LoadError> {
    let spec = read(spec_path)?;
    let folder = spec_path.parent().unwrap_or(Path::new(""));
    let connections = CONNECTIONS_FILES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.exists())
        .map(|path| read(&path))
        .transpose()?;
    let files = JobFiles {
        spec_path: spec_path.to_owned(),
        spec,
        connections,
    };
    resolve(&files, options).map_err(LoadError::from)
}

fn read(path: &Path) -> Result<SourceFile, LoadError> {
    let unreadable = |reason: String, remedy| LoadError::Unreadable {
        path: path.to_owned(),
        reason,
        remedy,
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(SourceFile::new(path.display().to_string(), &text, Syntax::of(path))),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound => unreadable(
                "there is no such file".to_owned(),
                "give the path of a spec, as in `pipeline validate jobs/reupload.yaml`, or write one with `pipeline init`",
            ),
            io::ErrorKind::PermissionDenied => unreadable("permission denied".to_owned(), "allow this user to read it"),
            io::ErrorKind::IsADirectory => unreadable(
                "it is a folder".to_owned(),
                "give the path of a spec in it, as in `jobs/reupload.yaml`",
            ),
            io::ErrorKind::InvalidData => unreadable("it is not UTF-8 text".to_owned(), "save it as UTF-8"),
            _ => unreadable(error.to_string(), "check the path and the disk"),
        }),
    }
}
