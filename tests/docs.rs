//! The examples of `docs/spec.md` and the files that users start from are valid, and no key goes undocumented.

use std::collections::BTreeSet;
use std::path::Path;

use pipeline::model::ConnectionKind;
use pipeline::resolve::{JobFiles, LoadError, LoadOptions, ResolvedJob, RowsForm, Work, load, resolve};
use pipeline::spec::{Rendering, STARTING_CONNECTIONS, SourceFile, Syntax, schema, starting_spec};

/// What an example of one section needs around it.
const SECTIONS: [(&str, &str); 7] = [
    (
        "source.items",
        "source:\n  files: { connection: inputs, glob: '**' }\n  items:\n",
    ),
    (
        "source.files",
        "source:\n  items: { connection: inputs, csv: items.csv, key: '{{item.Id}}' }\n  files:\n",
    ),
    ("sink", "sink:\n"),
    ("naming", "naming:\n"),
    ("concurrency", "concurrency:\n"),
    ("retry", "retry:\n"),
    ("limits", "limits:\n"),
];

const CONNECTIONS: &str = "[local]\ninputs.fs = { root = 'in' }\nresults.fs = { root = 'out' }\noriginals.sample = {}\n\
                           lake.fs = { root = 'lake' }\nresultsqueue.jsonl-queue = { path = 'q.jsonl' }\n\
                           telemetry.csv-sqlite = { tables = { files = 'files.csv' } }\n\
                           crm.sqlite = { path = 'a.sqlite' }\ncampaign.sqlite = { path = 'b.sqlite' }\n";

/// Every variable is set, each to another value.
fn any_environment(name: &str) -> Option<String> {
    let host = format!("https://{}.example.com", name.to_lowercase());
    Some(if name.ends_with("_ENDPOINT") {
        host
    } else {
        name.to_lowercase()
    })
}

fn resolved(spec: SourceFile, connections: &str, profile: &str) -> Result<ResolvedJob, String> {
    let vars = spec
        .text
        .contains("export_id")
        .then(|| ("export_id".to_owned(), "7".to_owned()));
    let files = JobFiles {
        spec_path: "jobs/example.yaml".into(),
        spec,
        connections: Some(SourceFile::new("connections.toml", connections, Syntax::Toml)),
    };
    let options = LoadOptions {
        settings: Vec::new(),
        profile: profile.to_owned(),
        vars: vars.into_iter().collect(),
        environment: &any_environment,
    };
    resolve(&files, &options).map_err(|problems| problems.render(Rendering::Plain))
}

/// The fenced examples of the page: language and text.
fn examples(page: &str) -> Vec<(&str, &str)> {
    let mut blocks = page.split("```").skip(1).step_by(2).collect::<Vec<_>>();
    blocks.retain(|block| block.starts_with("yaml\n") || block.starts_with("toml\n"));
    blocks.iter().filter_map(|block| block.split_once('\n')).collect()
}

/// An example of a section, made a whole spec.
fn whole_spec(section: &str, example: &str) -> String {
    let mut parts: Vec<(&str, String)> = vec![
        (
            "source",
            "source:\n  files: { list: [{ path: a }], read: { connection: originals, path: '{{file.path}}' } }\n"
                .to_owned(),
        ),
        ("sink", "sink: { connection: results }\n".to_owned()),
        ("naming", "naming: { object: x }\n".to_owned()),
    ];
    let head = section.split('.').next().unwrap_or_default();
    parts.retain(|(key, _)| *key != head);
    let opening = SECTIONS
        .iter()
        .find(|(key, _)| *key == section)
        .map_or_else(|| format!("{section}:\n"), |(_, text)| (*text).to_owned());
    let indentation = " ".repeat(2 * section.split('.').count());
    let body: String = example.lines().map(|line| format!("{indentation}{line}\n")).collect();
    let mut spec = format!("job: example\n{opening}{body}");
    // A template over `item` needs items, and one over columns that a list does not have another list.
    if ["naming", "sink", "then"].contains(&section) {
        parts.retain(|(key, _)| *key != "source");
        spec.push_str("source:\n  items: { connection: inputs, csv: i.csv, key: '{{item.Id}}' }\n");
        spec.push_str("  files: { connection: telemetry, query: { sql: select 1 }, read: { connection: originals, path: '{{file.P}}' } }\n");
    }
    parts.iter().for_each(|(_, part)| spec.push_str(part));
    spec
}

#[test]
fn every_example_of_the_page_is_valid() {
    let page = include_str!("../docs/spec.md");
    let examples = examples(page);
    assert!(examples.len() > 15, "{}", examples.len());
    for (language, example) in examples {
        let syntax = if language == "toml" { Syntax::Toml } else { Syntax::Yaml };
        let first = example.lines().next().unwrap_or_default();
        let result = match first.strip_prefix("# ") {
            Some("connections.toml") => {
                let spec = "job: x\nsource:\n  files: { connection: results, glob: '**' }\nsink: { connection: other }\n\
                            naming: { object: '{{file.path}}' }\nconnections: { other: { fs: { root: o } } }\n";
                ["azure", "s3"].into_iter().try_for_each(|profile| {
                    resolved(SourceFile::new("spec", spec, Syntax::Yaml), example, profile).map(drop)
                })
            }
            Some(section) if !section.starts_with("yaml-language-server") => {
                let spec = whole_spec(section, example);
                resolved(SourceFile::new("spec", &spec, syntax), CONNECTIONS, "local").map(drop)
            }
            _ => resolved(SourceFile::new("spec", example, syntax), CONNECTIONS, "local").map(drop),
        };
        if let Err(problems) = result {
            panic!("{problems}\nin\n{example}");
        }
    }
}

#[test]
fn every_key_of_the_schemas_stands_on_the_page() {
    fn keys(schema: &serde_json::Value, found: &mut Vec<String>) {
        match schema {
            serde_json::Value::Object(map) => {
                if let Some(properties) = map.get("properties").and_then(serde_json::Value::as_object) {
                    found.extend(properties.keys().cloned());
                }
                map.values().for_each(|value| keys(value, found));
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let schemas = schema();
    for text in [schemas.job, schemas.connections] {
        keys(&serde_json::from_str(&text).unwrap(), &mut found);
    }
    let page = include_str!("../docs/spec.md");
    let in_examples: String = examples(page).into_iter().map(|(_, example)| example).collect();
    let written = |key: &String| {
        let spellings = [
            format!("{key}:"),
            format!("{key} ="),
            format!(".{key}]"),
            format!("# {key}\n"),
        ];
        spellings.iter().any(|spelling| in_examples.contains(spelling.as_str()))
    };
    let missing: BTreeSet<&str> = found.iter().filter(|key| !written(key)).map(String::as_str).collect();
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn the_starting_spec_is_valid_with_the_starting_connections() {
    let spec = starting_spec("my-job");
    let job = resolved(
        SourceFile::new("spec", &spec, Syntax::Yaml),
        STARTING_CONNECTIONS,
        "local",
    )
    .unwrap();
    assert_eq!(job.name, "my-job");
}

#[test]
fn the_checked_in_jobs_resolve_with_every_profile() {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    for (spec, kind) in [("reupload.yaml", "reupload"), ("copy-folder.toml", "copy-folder")] {
        for profile in ["local", "azurite", "azure", "s3"] {
            let options = LoadOptions {
                settings: Vec::new(),
                profile: profile.to_owned(),
                vars: Vec::new(),
                environment: &any_environment,
            };
            let job = load(&jobs.join(spec), &options).unwrap_or_else(|error| match error {
                LoadError::Problems(problems) => panic!("{}", problems.render(Rendering::Plain)),
                error => panic!("{error}"),
            });
            assert_eq!((job.name.as_str(), job.profile.as_str()), (kind, profile));
            assert_eq!(job.project, Path::new(env!("CARGO_MANIFEST_DIR")));
        }
    }
}

#[test]
fn the_local_profile_needs_nothing_of_the_environment() {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let options = LoadOptions {
        settings: Vec::new(),
        profile: "local".to_owned(),
        vars: Vec::new(),
        environment: &|_| None,
    };
    let job = load(&jobs.join("reupload.yaml"), &options).unwrap();
    assert_eq!(
        (job.concurrency.leaves, job.concurrency.items, job.concurrency.units),
        (200, 20, 10)
    );
    assert!(matches!(
        job.connection("originals").kind,
        ConnectionKind::Sample {
            seed: 1,
            size_max: 65_536
        }
    ));
    let Work::Files(work) = &job.work else {
        panic!("{:?}", job.work);
    };
    let RowsForm::Query { text, parameters } = &work.source.files.rows.form else {
        panic!("{:?}", work.source.files.rows.form);
    };
    assert!(text.starts_with("select"), "{text}");
    assert_eq!(parameters[0].1.text(), "{{item.WorkItemId}}");
}

#[test]
fn a_spec_that_is_not_there_is_told_with_a_remedy() {
    let options = LoadOptions {
        settings: Vec::new(),
        profile: "local".to_owned(),
        vars: Vec::new(),
        environment: &|_| None,
    };
    let error = load(Path::new("jobs/none.yaml"), &options).unwrap_err().to_string();
    assert!(
        error.contains("`jobs/none.yaml`") && error.contains("pipeline init"),
        "{error}"
    );
}
