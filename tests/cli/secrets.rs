use std::io::Read;
use std::path::Path;

use crate::harness::{Behaviour, Gate, Job, Project, SPEC, bytes_of};

/// A key as Azure has them; what must be found nowhere is its text.
const KEY: &str = "UExBTlRFRC1TRUNSRVQtS0VZLVBMQU5URUQtU0VDUkVULUtFWQ==";
const SIGNATURE: &str = "PLANTEDsignature";

/// Every file below a folder as it is, and as it reads decompressed.
fn contents(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents(&path, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let name = path.display().to_string();
        for (start, _) in bytes
            .windows(4)
            .enumerate()
            .filter(|(_, four)| *four == [0x28, 0xb5, 0x2f, 0xfd])
        {
            let mut plain = Vec::new();
            // The magic number may stand in other data by chance.
            if let Ok(mut decoder) = zstd::Decoder::new(&bytes[start..]) {
                let _ = decoder.read_to_end(&mut plain);
            }
            found.push((format!("{name} from {start}, decompressed"), plain));
        }
        found.push((name, bytes));
    }
}

fn has(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

#[track_caller]
fn check(project: &Project, name: &str) {
    let commands: [&[&str]; 14] = [
        &["validate", SPEC],
        &["validate", SPEC, "--connect"],
        &["plan", SPEC],
        &["plan", SPEC, "--json", "--sizes"],
        &["run", SPEC, "--dry-run"],
        &["run", SPEC],
        &["run", SPEC, "--json"],
        &["status", SPEC],
        &["status", SPEC, "--json"],
        &["failures", SPEC, "--export", ".pipeline/failed.csv"],
        &["failures", SPEC, "--json"],
        &[
            "verify",
            SPEC,
            "--checksum",
            "--export",
            ".pipeline/missing.csv",
            "--reopen",
        ],
        &["state", "doctor", SPEC],
        &["plan", SPEC, "--graph", "dot"],
    ];
    for command in commands {
        let output = project.command(command.iter().copied());
        for secret in [KEY, SIGNATURE] {
            assert!(
                !output.text().contains(secret),
                "{name}: {command:?}: {}",
                output.text()
            );
        }
    }
    let mut found = Vec::new();
    contents(&project.path(".pipeline"), &mut found);
    assert!(
        found
            .iter()
            .any(|(name, bytes)| name.ends_with("decompressed") && !bytes.is_empty()),
        "{name}"
    );
    for (file, bytes) in &found {
        for secret in [KEY, SIGNATURE] {
            assert!(!has(bytes, secret), "{name}: {secret} is in {file}");
        }
    }
}

/// Files that come, are missing, are denied, whose host is another, and whose name the sink refuses; all with a SAS in their URI.
fn project(gate: &Gate, naming: &str, key: &str) -> Project {
    for (path, behaviour) in [
        ("good", Behaviour::Sound),
        ("cut", Behaviour::CutShort),
        ("denied", Behaviour::Status(403)),
    ] {
        gate.put(path, bytes_of(path, 5_000), behaviour);
    }
    let base = format!("{}/box", gate.endpoint());
    let mut list = "Uri,Name\n".to_owned();
    for name in ["good", "cut", "denied", "gone"] {
        list.push_str(&format!(
            "{base}/{name}?sv=2024-11-04&sig={SIGNATURE}%3D&se=2030,{name}\n"
        ));
    }
    list.push_str(&format!(
        "https://elsewhere.example.com/box/x?sv=2024&sig={SIGNATURE},x\n"
    ));
    list.push_str(&format!("{base}/good?sv=2024-11-04&sig={SIGNATURE},../up\n"));
    list.push_str(&format!("{base}/%zz\u{7}?sig={SIGNATURE},bad\n"));
    let endpoint = gate.endpoint();
    let connection = format!(
        r#"azblob = {{ account = "account", container = "box", endpoint = "{endpoint}", account_key = "${{env:PLANTED_KEY}}" }}"#
    );
    let project = Job::new()
        .item("a", ["unused"])
        .connection("originals", &connection)
        .env("PLANTED_KEY", key)
        .naming(naming)
        .create();
    project.write("jobs/data/lists/a.csv", list);
    project.edit(SPEC, "{{file.Path}}", "{{url_path file.Uri}}");
    project
}

#[test]
fn a_key_and_a_sas_are_nowhere() {
    let gate = Gate::start();
    let project = project(&gate, "{{item.Id}}/{{file.Name}}", KEY);
    check(&project, "a name");
    assert!(!project.sink().is_empty(), "a file came through");
}

#[test]
fn a_sas_in_a_target_name_or_an_item_key_is_nowhere() {
    let gate = Gate::start();
    let by_name = project(&gate, "{{file.Uri}}", KEY);
    check(&by_name, "a URI as the name");
    let by_key = project(&gate, "{{file.Name}}", KEY);
    by_key.write(
        "jobs/data/items.csv",
        format!("Id,Uri\na,https://x.example.com/a?sv=1&sig={SIGNATURE}\n"),
    );
    by_key.edit(SPEC, "key: \"{{item.Id}}\"", "key: \"{{item.Uri}}\"");
    check(&by_key, "a URI as the key");
}

#[test]
fn a_key_that_is_no_key_is_not_shown_either() {
    let gate = Gate::start();
    let secret = "not base64 !! PLANTEDsignature";
    let project = project(&gate, "{{file.Name}}", secret);
    let output = project.run();
    assert_ne!(output.code, Some(0));
    output.hides("PLANTED").hides("not base64");
}

#[test]
fn a_secret_as_plain_text_is_refused_and_not_echoed() {
    let project = Job::new()
        .connection(
            "originals",
            &format!(r#"azblob = {{ account = "account", container = "box", account_key = "{KEY}" }}"#),
        )
        .create();
    for command in ["validate", "plan", "run"] {
        project.command([command, SPEC]).exits(2).hides(KEY).says("${env:");
    }
}

#[test]
fn a_missing_secret_is_named_by_its_variable() {
    let project = Job::new()
        .connection(
            "originals",
            r#"azblob = { account = "account", container = "box", account_key = "${env:NO_SUCH_KEY_IS_SET}" }"#,
        )
        .create();
    project.command(["validate", SPEC]).exits(2).says("NO_SUCH_KEY_IS_SET");
}

#[test]
fn a_variable_of_the_environment_is_neither_kept_nor_shown() {
    let project = Job::new()
        .with(
            "vars",
            "{ lo: { default: \"${env:APPPW}\" }, both: { default: \"x-${lo}\" } }",
        )
        .create();
    let command = |words: &[&str], value: &str| {
        let mut command = project.prepare(words.iter().copied());
        let output = command.env("APPPW", value).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert!(!told.contains("PLANTED"), "{words:?}: {told}");
        (output.status.code(), told)
    };
    let first = "PLANTED-in-the-environment";
    assert_eq!(command(&["plan", SPEC, "--out", "kept.plan"], first).0, Some(0));
    assert_eq!(command(&["run", SPEC], first).0, Some(0));
    for words in [
        &["run", SPEC][..],
        &["status", SPEC, "--json"],
        &["history", SPEC, "--json"],
        &["report", SPEC, "--json"],
        &["run", "--plan", "kept.plan"],
        &["state", "export", SPEC, "--out", "ledger.sqlite"],
    ] {
        let (code, told) = command(words, first);
        assert_eq!(code, Some(0), "{words:?}: {told}");
    }
    // Where the value is not what a key takes, its place is told and not the value.
    project.edit(SPEC, "mode: skip", "mode: \"${both}\"");
    let (code, told) = command(&["validate", SPEC], first);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("`mode` cannot be what `${both}` stands for"), "{told}");
    project.edit(SPEC, "mode: \"${both}\"", "mode: skip");
    let (code, told) = command(&["run", SPEC], "another-PLANTED");
    assert_eq!(code, Some(12), "{told}");
    assert!(told.contains("variable `lo`"), "{told}");
    let mut found = Vec::new();
    contents(project.root(), &mut found);
    for (file, bytes) in &found {
        assert!(!has(bytes, "PLANTED"), "{file}");
    }
}
