use std::path::{Path, PathBuf};

use crate::spec::{Node, SourceFile, Syntax, parse, set};

use super::files::project;

/// What a spec says of itself before it is resolved: enough to find its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peek {
    pub name: String,
    /// The folder in which `.pipeline` lies.
    pub project: PathBuf,
    /// The names of the job's variables.
    pub variables: Vec<String>,
}

/// Looks into a spec; `None` where it cannot be read or does not name its job: loading it tells why.
pub fn peek(spec_path: &Path, settings: &[String]) -> Option<Peek> {
    let text = std::fs::read_to_string(spec_path).ok()?;
    let file = SourceFile::new(spec_path.display().to_string(), &text, Syntax::of(spec_path));
    let mut document = parse(&file).ok()?;
    set(&mut document, settings);
    let name = document.get("/job")?.as_text()?;
    let variables = document.get("/vars").map(Node::entries).unwrap_or_default();
    Some(Peek {
        name: name.to_owned(),
        project: project(spec_path.parent().unwrap_or(Path::new(""))),
        variables: variables.iter().map(|entry| entry.key.clone()).collect(),
    })
}
