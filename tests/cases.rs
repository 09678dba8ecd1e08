//! Golden diagnostics: each folder of `tests/cases/` holds a spec that is wrong, and the text that a person is shown.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use pipeline::resolve::{LoadError, LoadOptions, load};
use pipeline::spec::Rendering;

/// Variables of the environment that the cases may rely on.
fn environment(name: &str) -> Option<String> {
    (name == "PRESENT").then(|| "present".to_owned())
}

/// The spec of a case: `job.yaml` or `job.toml`.
fn spec_path(folder: &Path) -> PathBuf {
    let yaml = folder.join("job.yaml");
    if yaml.exists() { yaml } else { folder.join("job.toml") }
}

#[test]
fn wrong_specs_are_told_with_place_and_remedy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let mut differences = String::new();
    for folder in folders {
        let options = LoadOptions {
            settings: Vec::new(),
            profile: "local".to_owned(),
            vars: Vec::new(),
            environment: &environment,
        };
        let text = match load(&spec_path(&folder), &options) {
            Ok(_) => "no problems\n".to_owned(),
            Err(LoadError::Problems(problems)) => problems.render(Rendering::Plain),
            Err(error) => format!("{error}\n"),
        };
        let text = text.replace(&format!("{}/", folder.display()), "");
        let expected = folder.join("expected.txt");
        if std::env::var_os("UPDATE_CASES").is_some() {
            std::fs::write(&expected, &text).unwrap();
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != text {
            write!(differences, "--- {}\n{text}", folder.display()).unwrap();
        }
    }
    assert!(
        differences.is_empty(),
        "these are told differently; look at them, then `UPDATE_CASES=1 cargo test --test cases`\n{differences}"
    );
}
