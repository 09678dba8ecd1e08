//! What a spec comes to: variables, profiles, defaults and places, from texts to the resolved job.

#![expect(clippy::unwrap_used, reason = "a harness of tests may fail the test")]

use std::path::Path;
use std::time::Duration;

use pipeline::model::{AzureCredentials, ColumnType, ConnectionKind, HashKind, SecretReference, SinkMode, Value};
use pipeline::resolve::{FileJob, KnownJob, LoadError, LoadOptions, ResolvedJob, RowsForm, Scope, load};
use pipeline::spec::Rendering;
use tempfile::TempDir;

const CONNECTIONS: &str = "[local]\ninputs.fs = { root = 'in' }\nresults.fs = { root = '../out' }\n";

const SPEC: &str = "
job: trial
source:
  files: { connection: inputs, glob: '**' }
sink: { connection: results }
naming: { object: '{{file.path}}' }
";

/// A job in a folder of its own, to be loaded.
struct Job {
    folder: TempDir,
    vars: Vec<(String, String)>,
    profile: &'static str,
}

impl Job {
    fn new(spec: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("jobs")).unwrap();
        let job = Self {
            folder,
            vars: Vec::new(),
            profile: "local",
        };
        job.file("job.yaml", spec).file("connections.toml", CONNECTIONS)
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join("jobs").join(name), text).unwrap();
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    fn profile(mut self, profile: &'static str) -> Self {
        self.profile = profile;
        self
    }

    fn load(&self) -> Result<ResolvedJob, String> {
        let options = LoadOptions {
            settings: Vec::new(),
            profile: self.profile.to_owned(),
            vars: self.vars.clone(),
            environment: &|name| (name == "SET").then(|| "value".to_owned()),
        };
        load(&self.folder.path().join("jobs/job.yaml"), &options).map_err(|error| match error {
            LoadError::Problems(problems) => problems.render(Rendering::Plain),
            error => error.to_string(),
        })
    }

    fn load_files(&self) -> FileJob {
        let KnownJob::Files(job) = self.load().unwrap().known() else {
            panic!("a job of files is none");
        };
        job
    }

    fn problems(&self) -> String {
        self.load().unwrap_err()
    }
}

#[test]
fn defaults_are_filled_in_and_paths_made_absolute() {
    let job = Job::new(SPEC);
    let resolved = job.load_files();
    assert_eq!(resolved.project, job.folder.path());
    assert_eq!(
        (resolved.work.sink.mode, resolved.work.sink.hash),
        (SinkMode::Skip, HashKind::Sha256)
    );
    assert_eq!(resolved.work.sink.part_size, 6 << 20);
    assert_eq!(resolved.retry.max_delay, Duration::from_secs(60));
    assert_eq!(resolved.work.source.files.read.connection, "inputs");
    let root = job.folder.path().join("out");
    assert_eq!(resolved.connection("results").kind, ConnectionKind::Fs { root });
    assert_eq!(resolved.connection("results").timeout, Duration::from_secs(60));
}

#[test]
fn variables_keep_their_types_and_can_be_given() {
    let spec = format!(
        "{SPEC}vars:\n  n: {{ default: 3 }}\n  day: {{ default: 'd-${{n}}' }}\n  at: {{ default: '${{env:SET}}/${{day}}' }}\n\
         description: '${{at}}'\nconcurrency: {{ limit: '${{n}}' }}\n"
    );
    let resolved = Job::new(&spec).load().unwrap();
    assert_eq!(resolved.concurrency.leaves, 3);
    assert_eq!(resolved.description.as_deref(), Some("value/d-3"));
    let resolved = Job::new(&spec).var("n", "5").load().unwrap();
    assert_eq!(resolved.concurrency.leaves, 5);
    assert_eq!(resolved.vars["n"], Value::Integer(5));
    assert_eq!(resolved.vars["day"], Value::from("d-5"));
    let problems = Job::new(&spec).var("n", "many").var("dya", "x").problems();
    assert!(problems.contains("`--var n=…` is not a whole number"), "{problems}");
    assert!(problems.contains("did you mean `day`?"), "{problems}");
    assert!(problems.ends_with("2 problems\n"), "{problems}");
}

#[test]
fn a_value_that_waits_for_a_variable_has_no_other_problems() {
    let spec = format!(
        "{SPEC}vars: {{ n: {{ required: true }} }}\nconcurrency: {{ limit: '${{n}}' }}\nretry: {{ max_delay: '${{n}}' }}\n"
    );
    let problems = Job::new(&spec).problems();
    assert!(problems.contains("the variable `n` has no value"), "{problems}");
    assert!(problems.ends_with("\n1 problem\n"), "{problems}");
    assert!(
        Job::new(&spec.replace("limit: '${n}'", "limit: 1"))
            .var("n", "2m")
            .load()
            .is_ok()
    );
}

#[test]
fn a_connection_of_the_profile_takes_the_place_of_the_specs_own() {
    let spec = format!(
        "{SPEC}connections:\n  results: {{ memory: {{}} }}\n  spare: {{ s3: {{ bucket: '${{env:UNSET}}' }} }}\n"
    );
    let resolved = Job::new(&spec).load().unwrap();
    assert_eq!(resolved.connection("results").kind.name(), "fs");
    let alone = "[local]\ninputs.fs = { root = 'in' }\n";
    let resolved = Job::new(&spec).file("connections.toml", alone).load().unwrap();
    assert_eq!(resolved.connection("results").kind, ConnectionKind::Memory);
}

#[test]
fn a_spec_with_its_own_connections_needs_no_connections_file() {
    let spec = format!("{SPEC}connections: {{ results: {{ memory: {{}} }}, inputs: {{ fs: {{ root: in }} }} }}\n");
    let job = Job::new(&spec);
    std::fs::remove_file(job.folder.path().join("jobs/connections.toml")).unwrap();
    assert!(job.load().is_ok());
    let job = Job::new(SPEC);
    std::fs::remove_file(job.folder.path().join("jobs/connections.toml")).unwrap();
    assert!(job.problems().contains("there is no connection `inputs`"));
}

#[test]
fn secrets_stay_references_and_must_be_there_for_what_is_used() {
    let connections = "[local]\ninputs.fs = { root = 'in' }\n\
        results.azblob = { account = 'a', container = 'c', account_key = '${env:SET}' }\n\
        other.azblob = { account = 'a', container = 'c', account_key = '${env:UNSET}' }\n\
        [files]\ninputs.fs = { root = 'in' }\n\
        results.azblob = { account = 'a', container = 'c', sas_token = '${file:sas.txt}' }\n";
    let resolved = Job::new(SPEC).file("connections.toml", connections).load().unwrap();
    let ConnectionKind::Azblob {
        credentials, endpoint, ..
    } = &resolved.connection("results").kind
    else {
        panic!("not azblob");
    };
    let expected = AzureCredentials::AccountKey {
        account: "a".to_owned(),
        key: SecretReference::Environment("SET".to_owned()),
    };
    assert_eq!(credentials, &expected);
    assert_eq!(endpoint, "https://a.blob.core.windows.net");
    let job = Job::new(SPEC).file("connections.toml", connections).profile("files");
    assert!(job.problems().contains("there is no file"));
    assert!(job.file("sas.txt", "?sig=x").load().is_ok());
}

#[test]
fn a_secret_that_comes_in_by_a_reference_is_refused_and_not_shown() {
    let spec = format!("{SPEC}description: 'Server=x;Password=${{env:SET}};'\n");
    let problems = Job::new(&spec).problems();
    assert!(problems.contains("a secret stands in this text"), "{problems}");
    let connections = "[local]\ninputs.fs = { root = 'in' }\n\
        results.s3 = { bucket = 'b', endpoint = 'ftp://user:${env:SET}@host' }\n";
    let problems = Job::new(SPEC).file("connections.toml", connections).problems();
    assert!(problems.contains("a secret stands in this text"), "{problems}");
    assert!(problems.contains("is not an address"), "{problems}");
    assert!(!problems.contains("value@"), "{problems}");
}

#[test]
fn a_sink_within_the_folder_of_the_source_is_refused() {
    for (inputs, results, refused) in [
        ("in", "in", true),
        ("in", "in/out", true),
        ("in/out", "in", true),
        ("in", "x/../in", true),
        ("in", "in2", false),
    ] {
        let connections =
            format!("[local]\ninputs.fs = {{ root = '{inputs}' }}\nresults.fs = {{ root = '{results}' }}\n");
        let loaded = Job::new(SPEC).file("connections.toml", &connections).load();
        assert_eq!(loaded.is_err(), refused, "{inputs} → {results}");
    }
}

#[test]
fn inline_rows_and_types_come_through() {
    let spec = "
job: trial
source:
  items: { list: [{ Id: a, N: 1 }, { Id: b }], key: '{{item.Id}}' }
  files: { connection: inputs, csv: 'l/{{item.Id}}.csv', types: { S: integer }, size: '{{file.S}}', read: { connection: inputs, path: '{{file.P}}' } }
sink: { connection: results }
naming: { object: '{{item.N}}{{file.P}}' }
";
    let resolved = Job::new(spec).load_files();
    let items = resolved.work.source.items.unwrap();
    let RowsForm::List { rows } = &items.rows.form else {
        panic!("not a list");
    };
    assert_eq!(rows[0].get("N"), Some(&Value::Integer(1)));
    assert_eq!(rows[1].get("N"), Some(&Value::Null));
    let scope = Scope {
        item: Some(&rows[1]),
        ..Scope::default()
    };
    assert_eq!(items.key.render_text(&scope), Ok("b".to_owned()));
    assert_eq!(resolved.work.source.files.rows.types["S"], ColumnType::Integer);
}

#[test]
fn what_cannot_be_read_is_told() {
    let job = Job::new(SPEC);
    std::fs::write(job.folder.path().join("jobs/job.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(job.problems().contains("it is not UTF-8 text"));
    let options = LoadOptions {
        settings: Vec::new(),
        profile: "local".to_owned(),
        vars: Vec::new(),
        environment: &|_| None,
    };
    let error = load(Path::new(job.folder.path()), &options).unwrap_err().to_string();
    assert!(error.contains("it is a folder"), "{error}");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_nothing_special() {
    let spec = format!("\u{feff}{}", SPEC.replace('\n', "\r\n"));
    assert!(Job::new(&spec).load().is_ok());
    let problems = Job::new(&spec.replace("glob", "glub")).problems();
    assert!(problems.contains("job.yaml:4:32]"), "{problems}");
}
