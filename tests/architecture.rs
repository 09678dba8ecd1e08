//! The picture of the house, held against the sources: which floor may import which, which outside crate has which one place,
//! who may print, and how long a file may grow.
//!
//! Sources are read as tokens, so that comments and strings are never taken for code.

use std::path::Path;
use std::{fs, io};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Each folder and file of `src/`, and the floors that it may import beside itself. A floor stands below those it serves: it may
/// only import what stands above it in this table.
const FLOORS: &[(&str, &[&str])] = &[
    ("lib.rs", &[]),
    ("model", &[]),
    ("spec", &["model"]),
    ("resolve", &["model", "spec"]),
    ("plan", &["model", "resolve"]),
    ("format", &["model"]),
    ("connect", &["model", "format"]),
    ("state", &["model"]),
    ("stages", &["model", "resolve", "plan", "connect", "format"]),
    (
        "engine",
        &[
            "model", "spec", "resolve", "plan", "connect", "format", "state", "stages",
        ],
    ),
    ("report", &["model", "plan", "state"]),
    ("monitor", &["model", "state", "report"]),
    (
        "commands",
        &[
            "model", "spec", "resolve", "plan", "connect", "format", "state", "stages", "engine", "report", "monitor",
        ],
    ),
    ("cli", &["model", "commands"]),
    ("cli.rs", &["model", "commands"]),
    ("main.rs", &["commands", "cli"]),
];

/// Where table rows are batches of columns.
const BATCHES: &[&str] = &["connect/tables", "connect/gate/tables.rs", "format/", "stages/tables"];

/// Outside crates that a few places alone may name, mostly one, as the beginnings of paths in `src/`.
const PLACES: &[(&str, &[&str])] = &[
    ("arrow_array", BATCHES),
    ("arrow_buffer", BATCHES),
    ("arrow_cast", &["connect/tables/files"]),
    ("arrow_schema", BATCHES),
    ("async_trait", &["connect/tables/mssql"]),
    ("clap", &["cli"]),
    ("handlebars", &["resolve/"]),
    ("indicatif", &["monitor/"]),
    ("miette", &["spec/"]),
    ("mssql_tds", &["connect/tables/mssql"]),
    ("mysql_async", &["connect/tables/mysql"]),
    ("opendal", &["connect/"]),
    ("parquet", &["connect/tables/files"]),
    ("quick_xml", &["connect/store/web"]),
    ("reqsign_aws_v4", &["connect/credentials"]),
    ("reqsign_azure_storage", &["connect/"]),
    ("reqsign_google", &["connect/credentials"]),
    ("reqwest", &["connect/"]),
    ("russh", &["connect/store/sftp"]),
    ("russh_sftp", &["connect/store/sftp"]),
    ("rustls", &["connect/tls"]),
    ("rustix", &["monitor/keyboard"]),
    ("serde_yaml", &["spec/parse"]),
    ("sled", &["state/"]),
    ("tokio_postgres", &["connect/tables/postgres"]),
    ("tokio_postgres_rustls", &["connect/tables/postgres"]),
    ("toml", &["spec/parse"]),
];

/// Floors that write to the terminal.
const PRINTERS: &[&str] = &["commands", "monitor"];

const PRINTING_MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

const LINES_MAX: usize = 600;

/// One source file; `path` is relative to `src/`, with `/` between its parts.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The folder or file of `src/` to which it belongs.
    fn floor(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// How many modules it lies below the root of the crate.
    fn depth(&self) -> usize {
        match self.path.as_str() {
            "lib.rs" | "main.rs" => 0,
            path => path.trim_end_matches("/mod.rs").split('/').count(),
        }
    }

    fn tokens(&self) -> TokenStream {
        let parsed = self.text.parse();
        parsed.unwrap_or_else(|error| panic!("src/{} does not read as Rust: {error}", self.path))
    }
}

/// A path that starts at the root of the crate.
#[derive(Debug, PartialEq)]
struct Import {
    /// The module it leads to: a floor, or `*` or `self` where the root itself is imported.
    floor: String,
    line: usize,
}

/// Finds every path to the root of the crate: `crate::…`, `pipeline::…`, and `super::…` where it climbs that far. `depth` is that of
/// the module in which the tokens stand.
fn collect_imports(tokens: TokenStream, depth: usize, found: &mut Vec<Import>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut index = 0;
    while index < trees.len() {
        match &trees[index] {
            TokenTree::Group(group) => {
                let is_module = index >= 2
                    && group.delimiter() == Delimiter::Brace
                    && is_word(&trees[index - 2], "mod")
                    && matches!(trees[index - 1], TokenTree::Ident(_));
                collect_imports(group.stream(), depth + usize::from(is_module), found);
            }
            tree if is_word(tree, "crate") || is_word(tree, "pipeline") => {
                if is_path_separator(&trees, index + 1) {
                    collect_heads(&trees[index + 3..], found);
                } else if is_word(tree, "crate") && index > 0 && is_word(&trees[index - 1], "use") {
                    found.push(import("self", tree));
                }
            }
            tree if is_word(tree, "super") => {
                let mut climbed = 0;
                while index < trees.len() && is_word(&trees[index], "super") && is_path_separator(&trees, index + 1) {
                    climbed += 1;
                    index += 3;
                }
                if climbed > 0 {
                    if climbed >= depth {
                        collect_heads(&trees[index..], found);
                    }
                    continue;
                }
            }
            _ => {}
        }
        index += 1;
    }
}

/// The first words of what follows `crate::`: one, or one for each entry of a group.
fn collect_heads(trees: &[TokenTree], found: &mut Vec<Import>) {
    match trees.first() {
        Some(TokenTree::Group(group)) => {
            let entries: Vec<TokenTree> = group.stream().into_iter().collect();
            for entry in entries.split(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',')) {
                collect_heads(entry, found);
            }
        }
        Some(tree) => found.push(import(&tree.to_string(), tree)),
        None => {}
    }
}

fn import(floor: &str, tree: &TokenTree) -> Import {
    Import {
        floor: floor.to_owned(),
        line: tree.span().start().line,
    }
}

fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}

fn is_punct(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn is_path_separator(trees: &[TokenTree], index: usize) -> bool {
    is_punct(trees.get(index), ':') && is_punct(trees.get(index + 1), ':')
}

/// Lines on which an outside crate is named: as the beginning of a path, or by `use NAME`.
fn lines_naming(tokens: TokenStream, name: &str) -> Vec<usize> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut lines = Vec::new();
    for (index, tree) in trees.iter().enumerate() {
        if let TokenTree::Group(group) = tree {
            lines.extend(lines_naming(group.stream(), name));
            continue;
        }
        let previous = index.checked_sub(1).and_then(|before| trees.get(before));
        let begins_path = is_path_separator(&trees, index + 1) && !is_inner_segment(&trees, index);
        if is_word(tree, name) && (begins_path || previous.is_some_and(|tree| is_word(tree, "use"))) {
            lines.push(tree.span().start().line);
        }
    }
    lines
}

/// Whether a word stands behind `something::`; in `use ::name` it still begins a path.
fn is_inner_segment(trees: &[TokenTree], index: usize) -> bool {
    index >= 3
        && is_path_separator(trees, index - 2)
        && matches!(&trees[index - 3], TokenTree::Ident(before) if before != "use")
}

fn lines_printing(tokens: TokenStream) -> Vec<usize> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut lines = Vec::new();
    for (index, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Group(group) => lines.extend(lines_printing(group.stream())),
            tree if is_punct(trees.get(index + 1), '!') && PRINTING_MACROS.iter().any(|name| is_word(tree, name)) => {
                lines.push(tree.span().start().line);
            }
            _ => {}
        }
    }
    lines
}

fn wrong_imports(source: &Source) -> Vec<String> {
    let Some((_, allowed)) = FLOORS.iter().find(|(floor, _)| *floor == source.floor()) else {
        let floor = source.floor();
        return vec![format!("src/{floor} is in no row of the import table")];
    };
    let own = source.floor().trim_end_matches(".rs");
    let mut found = Vec::new();
    collect_imports(source.tokens(), source.depth(), &mut found);
    found
        .into_iter()
        .filter(|import| import.floor != own && !allowed.contains(&import.floor.as_str()))
        .map(|import| {
            let (path, Import { floor, line }) = (&source.path, import);
            format!("src/{path}:{line} imports `{floor}`; `{own}` may import {allowed:?}")
        })
        .collect()
}

fn misplaced_crates(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_in = |places: &[&str]| places.iter().any(|place| source.path.starts_with(place));
    for (name, places) in PLACES.iter().filter(|(_, places)| !is_in(places)) {
        for line in lines_naming(source.tokens(), name) {
            let path = &source.path;
            wrong.push(format!("src/{path}:{line} names `{name}`; only {places:?} in src/ may"));
        }
    }
    wrong
}

fn wrong_prints(source: &Source) -> Vec<String> {
    if PRINTERS.contains(&source.floor()) {
        return Vec::new();
    }
    let place = |line| format!("src/{}:{line} prints; only {PRINTERS:?} may", source.path);
    lines_printing(source.tokens()).into_iter().map(place).collect()
}

fn wrong_shapes(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    if source.path.ends_with("/mod.rs") && !source.text.starts_with("//!") {
        let path = &source.path;
        wrong.push(format!(
            "src/{path} does not begin with `//!`: say what it owns and what it must not do"
        ));
    }
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        wrong.push(format!(
            "src/{} has {lines} lines; {LINES_MAX} are the most: make it two",
            source.path
        ));
    }
    wrong
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect_sources(&root, "", &mut sources).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    assert!(!sources.is_empty(), "no sources in {}", root.display());
    sources
}

/// `prefix` is the folder's path relative to `src/`, with a `/` behind it.
fn collect_sources(folder: &Path, prefix: &str, sources: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect_sources(&entry.path(), &format!("{path}/"), sources)?;
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path())?;
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

fn assert_holds(rule: fn(&Source) -> Vec<String>) {
    let wrong: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn floors_import_only_what_the_table_allows() {
    assert_holds(wrong_imports);
}

#[test]
fn the_table_itself_has_no_circle() {
    for (place, (floor, allowed)) in FLOORS.iter().enumerate() {
        for import in *allowed {
            let is_above = FLOORS[..place]
                .iter()
                .any(|(above, _)| above.trim_end_matches(".rs") == *import);
            assert!(
                is_above,
                "`{floor}` may import `{import}`, which does not stand above it"
            );
        }
    }
}

#[test]
fn outside_crates_with_one_place_are_named_nowhere_else() {
    assert_holds(misplaced_crates);
}

#[test]
fn one_file_names_sled() {
    let sources = sources();
    let names_sled = |source: &&Source| !lines_naming(source.tokens(), "sled").is_empty();
    let files: Vec<&str> = sources
        .iter()
        .filter(names_sled)
        .map(|source| source.path.as_str())
        .collect();
    let expected = usize::from(sources.iter().any(|source| source.floor() == "state"));
    assert_eq!(files.len(), expected, "files that name sled: {files:?}");
}

#[test]
fn only_commands_and_monitor_print() {
    assert_holds(wrong_prints);
}

#[test]
fn files_say_what_they_are_and_stay_readable() {
    assert_holds(wrong_shapes);
}

/// The rules themselves, against sources that break them.
mod planted {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_wrong_import_is_found_however_it_is_written() {
        let imports = [
            "use crate::engine::Run;",
            "use crate::{model::{Failure, Row}, engine::Run};",
            "pub use crate::{engine};",
            "fn run() { crate::engine::run() }",
            "fn run() { vec![crate::engine::run()] }",
            "use pipeline::engine::Run;",
            "use super::super::engine::Run;",
            "mod tests { use super::super::super::engine::Run; }",
            "use super::super::{model::Row, engine::Run};",
        ];
        for text in imports {
            let wrong = wrong_imports(&source("plan/graph.rs", &format!("use crate::model::Row;\n{text}")));
            let expected = "src/plan/graph.rs:2 imports `engine`; `plan` may import [\"model\", \"resolve\"]";
            assert_eq!(wrong, [expected], "{text}");
        }
    }

    #[test]
    fn the_root_of_the_crate_is_no_import() {
        for text in ["use crate::*;", "use crate as root;", "use crate::{self as root};"] {
            assert_eq!(wrong_imports(&source("plan/graph.rs", text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let allowed = [
            "use crate::model::{Failure, Row};",
            "use crate::{model::{self, Row}, plan::decide, resolve::{ResolvedJob, Template}};",
            "// use crate::engine::Run;\n/* crate::engine */",
            "/// See [`crate::engine::Run`].\nfn documented() -> &'static str { \"https://crate::engine\" }",
            "use super::decide; mod tests { use super::*; use super::super::compile; }",
            "pub(crate) fn shared() {} pub(in crate::plan) fn inner() {}",
        ];
        for text in allowed {
            assert_eq!(wrong_imports(&source("plan/graph.rs", text)), [""; 0], "{text}");
        }
        assert_eq!(
            wrong_imports(&source("main.rs", "use pipeline::commands::Run;")),
            [""; 0]
        );
    }

    #[test]
    fn a_floor_that_is_not_in_the_table_is_found() {
        let wrong = wrong_imports(&source("helpers/mod.rs", ""));
        assert_eq!(wrong, ["src/helpers is in no row of the import table"]);
    }

    #[test]
    fn an_outside_crate_out_of_its_place_is_found() {
        for text in [
            "use toml::Value;",
            "fn read() { toml::from_str() }",
            "use toml as t;",
            "use ::toml::Value;",
        ] {
            let wrong = misplaced_crates(&source("resolve/job.rs", text));
            assert_eq!(
                wrong,
                ["src/resolve/job.rs:1 names `toml`; only [\"spec/parse\"] in src/ may"],
                "{text}"
            );
            assert_eq!(misplaced_crates(&source("spec/parse/toml.rs", text)), [""; 0]);
        }
        for text in [
            "use super::parse::toml::read;",
            "mod toml;",
            "let toml = 1;",
            "// toml::from_str",
        ] {
            assert_eq!(misplaced_crates(&source("spec/mod.rs", text)), [""; 0], "{text}");
        }
    }

    #[test]
    fn printing_on_another_floor_is_found() {
        let text = "fn tell() {\n if true { eprintln!(\"x\") }\n}";
        let wrong = wrong_prints(&source("engine/run.rs", text));
        assert_eq!(
            wrong,
            ["src/engine/run.rs:2 prints; only [\"commands\", \"monitor\"] may"]
        );
        assert_eq!(wrong_prints(&source("commands/run.rs", text)), [""; 0]);
    }

    #[test]
    fn a_floor_without_words_and_a_file_without_end_are_found() {
        assert_eq!(wrong_shapes(&source("plan/mod.rs", "mod graph;")).len(), 1);
        assert_eq!(wrong_shapes(&source("plan/mod.rs", "//! Pure.\nmod graph;")), [""; 0]);
        assert_eq!(
            wrong_shapes(&source("plan/graph.rs", &"\n".repeat(LINES_MAX + 1))).len(),
            1
        );
    }
}
