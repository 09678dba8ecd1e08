//! Text to [`Document`]. The only place that names the YAML and TOML crates, each in one file.

mod places;
mod toml;
mod yaml;

use crate::model::format_bytes;

use super::{Document, Problem, SourceFile, Syntax};

/// Maps and lists within each other; deeper is no spec, and would cost stack.
const DEPTH_MAX: usize = 64;
/// Bytes of a text; longer lists belong into a file of their own.
const TEXT_MAX: usize = 4 << 20;

/// Reads a file's text, or says everything about why it cannot be read.
pub fn parse(file: &SourceFile) -> Result<Document, Vec<Problem>> {
    if file.text.len() > TEXT_MAX {
        let problem = Problem::new(format!(
            "`{}` is too large: more than {}",
            file.name,
            format_bytes(TEXT_MAX as u64)
        ));
        return Err(vec![problem.help(
            "long lists belong into a CSV file that the spec names: `csv: list.csv`",
        )]);
    }
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
