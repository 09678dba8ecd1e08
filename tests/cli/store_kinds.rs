use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{File, Job, Project, SPEC, read_tree};
use crate::servers::{Sshd, Webdav};

fn webdav() -> &'static Webdav {
    static WEBDAV: OnceLock<Webdav> = OnceLock::new();
    WEBDAV.get_or_init(Webdav::start)
}

/// A job whose files a web server has, in a folder of this name.
fn from_web(kind: &str, folder: &str) -> Project {
    let endpoint = format!("{}/{folder}", webdav().endpoint);
    let user = Webdav::USER;
    let connection =
        format!(r#"{kind} = {{ endpoint = "{endpoint}", user = "{user}", password = "${{env:WEB_PASSWORD}}" }}"#);
    let project = Job::new()
        .source_folder()
        .connection("originals", &connection)
        .env("WEB_PASSWORD", Webdav::PASSWORD)
        .create();
    copy(&project.path("jobs/originals"), &webdav().folder().join(folder));
    project
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs to the end, and again when nothing is left.
#[track_caller]
fn runs_once(project: &Project) {
    project.command(["validate", SPEC, "--connect"]).exits(0);
    let output = project.command(["run", SPEC, "--json"]).exits(0);
    assert_eq!(output.json()["account"]["files"]["done"], json!(6), "{}", output.text());
    project.run().exits(0).says("nothing left");
}

#[test]
fn files_of_a_web_server_are_copied_by_their_paths() {
    let project = from_web("http", "http");
    runs_once(&project);
    assert_eq!(project.sink(), project.tree("jobs/originals"));
    project.edit(SPEC, "connection: results", "connection: originals");
    project
        .command(["validate", SPEC])
        .exits(2)
        .says("is of kind `http`, which can only be read");
}

#[test]
fn a_webdav_folder_is_listed_and_copied() {
    let project = from_web("webdav", "webdav");
    let spec = project.read(SPEC);
    let start = spec.find("    connection: inputs\n    csv: \"lists").unwrap();
    let end = spec.find("sink:").unwrap();
    let glob = "    connection: originals\n    glob: \"{{item.Id}}/**\"\n";
    project.write(SPEC, format!("{}{glob}{}", &spec[..start], &spec[end..]));
    project.edit(SPEC, "{{file.Name}}", "{{file.name}}");
    runs_once(&project);
    assert_eq!(project.sink(), project.tree("jobs/originals"));
    // A password that is wrong is told as one, and not shown.
    let project = from_web("webdav", "refused");
    project.edit("jobs/connections.toml", "${env:WEB_PASSWORD}", "${env:WRONG}");
    let mut command = project.prepare(["validate", SPEC, "--connect"]);
    let output = command.env("WRONG", "not-the-password").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(
        told.contains("does not accept the credentials") && !told.contains("not-the-password"),
        "{told}"
    );
}

#[test]
fn files_are_copied_to_an_sftp_server() {
    let sshd = Sshd::start();
    let root = sshd.make_folder("sink");
    let connection = sftp(&sshd, &root, "");
    let project = Job::new()
        .source_folder()
        .connection("results", &connection)
        .file("jobs/key", &sshd.user_key())
        .create();
    runs_once(&project);
    assert_eq!(read_tree(&root), project.tree("jobs/originals"));
    project.command(["verify", SPEC, "--checksum"]).exits(0);
    let known = sshd.known_hosts().display().to_string();
    project.edit("jobs/connections.toml", &known, "no-such-file");
    project
        .command(["validate", SPEC, "--connect"])
        .exits(7)
        .says("ssh-keyscan");
}

fn sftp(sshd: &Sshd, root: &Path, keys: &str) -> String {
    format!(
        r#"sftp = {{ host = "127.0.0.1", port = {}, user = "{}", root = "{}", private_key = "${{file:key}}", known_hosts = "{}"{keys} }}"#,
        sshd.port,
        sshd.user,
        root.display(),
        sshd.known_hosts().display()
    )
}

#[test]
fn cleanup_removes_what_a_killed_run_left_on_a_server_and_nothing_else() {
    const SLOW: &str = r#", bandwidth = "256KiB/s""#;
    let sshd = Sshd::start();
    let root = sshd.make_folder("cleanup");
    removes_partials(&root, &sftp(&sshd, &root, SLOW), ("key", &sshd.user_key()));

    let root = webdav().folder().join("cleanup");
    std::fs::create_dir(&root).unwrap();
    let endpoint = format!("{}/cleanup", webdav().endpoint);
    let user = Webdav::USER;
    let connection =
        format!(r#"webdav = {{ endpoint = "{endpoint}", user = "{user}", password = "${{file:password}}"{SLOW} }}"#);
    removes_partials(&root, &connection, ("password", Webdav::PASSWORD));
}

/// `root` is the folder of the sink on this machine.
#[track_caller]
fn removes_partials(root: &Path, connection: &str, (secret, text): (&str, &str)) {
    // More than a part, so that its bytes are sent while they come.
    let project = Job::new()
        .item("a", [File::named("large").path("in/large").real_size(9 << 20)])
        .source_folder()
        .connection("results", connection)
        .file(&format!("jobs/{secret}"), text)
        .create();
    let run = project.spawn(["run", SPEC]);
    let workspace = root.join(".pipeline-partial");
    let left = || std::fs::read_dir(&workspace).map_or(0, |files| files.count());
    let begun = Instant::now();
    while left() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the copy does not begin");
        std::thread::yield_now();
    }
    run.kill();
    // Of a process of another host, which may be alive.
    let foreign = workspace.join("1-1700000000000000000-00000000-0");
    std::fs::write(&foreign, "half a fi").unwrap();
    let cleaned = project.command(["cleanup", SPEC, "--json"]).exits(0).json();
    assert_eq!(cleaned["unfinished_files_removed"], 1, "{cleaned}");
    assert!(foreign.exists());
    assert_eq!(left(), 1);
    project
        .command(["cleanup", SPEC])
        .exits(0)
        .says("there was nothing to remove");
}
