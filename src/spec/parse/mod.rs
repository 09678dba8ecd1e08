//! Text to [`Document`]. The only place that names the YAML and TOML crates, one file each.

mod toml;
mod yaml;

use super::{Document, Problem, SourceFile, Syntax};

/// Maps and lists within each other; deeper is no spec, and would cost stack.
const DEPTH_MAX: usize = 64;

/// Reads a file's text, or says everything about why it cannot be read.
pub fn parse(file: &SourceFile) -> Result<Document, Vec<Problem>> {
    let root = match file.syntax {
        Syntax::Yaml => yaml::parse(&file.text),
        Syntax::Toml => toml::parse(&file.text),
    }?;
    Ok(Document {
        file: file.clone(),
        root,
    })
}

fn too_deep() -> Problem {
    Problem::new(format!("this is nested more than {DEPTH_MAX} levels deep"))
        .help("a spec needs no more than ten levels")
}
