use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::{Job, Project, SPEC};
use crate::servers::Seaweed;

/// A job with an S3 bucket as its sink that names no credentials, but perhaps where they are.
fn to_bucket(seaweed: &Seaweed, more: &str) -> Job {
    let endpoint = &seaweed.endpoint;
    Job::new()
        .connection(
            "results",
            &format!(r#"s3 = {{ bucket = "b", endpoint = "{endpoint}" {more} }}"#),
        )
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent")
}

fn connect(project: &Project) -> crate::harness::Output {
    project.command(["validate", SPEC, "--connect"])
}

#[test]
fn s3_credentials_come_from_the_environment_or_from_the_profile_that_is_named() {
    let seaweed = Seaweed::start();
    seaweed.create_bucket("b");
    let keys = format!(
        "aws_access_key_id = {}\naws_secret_access_key = {}\n",
        Seaweed::ACCESS_KEY_ID,
        Seaweed::SECRET_ACCESS_KEY
    );
    let by_variables = to_bucket(&seaweed, "")
        .env("AWS_ACCESS_KEY_ID", Seaweed::ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", Seaweed::SECRET_ACCESS_KEY);
    by_variables.run().1.exits(0);

    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/credentials"), format!("[uploads]\n{keys}")).unwrap();
    let home = home.path().to_str().unwrap();
    connect(
        &to_bucket(&seaweed, r#", profile = "uploads""#)
            .env("HOME", home)
            .create(),
    )
    .exits(0);
    connect(
        &to_bucket(&seaweed, "")
            .env("HOME", home)
            .env("AWS_PROFILE", "uploads")
            .create(),
    )
    .exits(0);
    // A profile that is not there is not made up for by variables that are.
    let absent = to_bucket(&seaweed, r#", profile = "absent""#)
        .env("HOME", home)
        .env("AWS_ACCESS_KEY_ID", Seaweed::ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", Seaweed::SECRET_ACCESS_KEY);
    connect(&absent.create()).exits(7).says("the profile `absent`");
    connect(&to_bucket(&seaweed, "").create())
        .exits(7)
        .says("`AWS_ACCESS_KEY_ID`");
}

/// What a container of a storage account and the token endpoint of Entra ID answer, as their documentation has it: the client credentials
/// flow (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>) and List Blobs. No real service is met.
struct Entra {
    address: String,
    authorizations: Arc<Mutex<Vec<String>>>,
}

impl Entra {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let authorizations = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&authorizations);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client may hang up at any time.
                let _ = answer(&stream, &seen);
            }
        });
        Self {
            address,
            authorizations,
        }
    }
}

fn answer(mut stream: &TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let header = |name: &str| {
        let mut lines = lines.iter().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let length = header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked = String::from_utf8_lossy(&body).into_owned();
    let is_token = lines[0].starts_with("POST /tenant-1/oauth2/v2.0/token");
    let text = if is_token && asked.contains("client_secret=planted-secret") && asked.contains("client_id=client-1") {
        r#"{"token_type":"Bearer","expires_in":3599,"access_token":"planted-token"}"#.to_owned()
    } else {
        seen.lock().unwrap().push(header("authorization").unwrap_or_default());
        r#"<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs></Blobs><NextMarker/></EnumerationResults>"#
            .to_owned()
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

#[test]
fn an_entra_identity_of_the_environment_signs_requests_to_azure() {
    let entra = Entra::start();
    let address = &entra.address;
    let job = |secret: &str| {
        Job::new()
            .connection(
                "results",
                &format!(r#"azblob = {{ container = "c", endpoint = "{address}" }}"#),
            )
            .env("AZURE_AUTHORITY_HOST", address)
            .env("AZURE_TENANT_ID", "tenant-1")
            .env("AZURE_CLIENT_ID", "client-1")
            .env("AZURE_CLIENT_SECRET", secret)
            // Nobody answers there.
            .env("AZURE_IMDS_ENDPOINT", "http://127.0.0.1:1/token")
            .create()
    };
    connect(&job("planted-secret")).exits(0);
    let seen = entra.authorizations.lock().unwrap().clone();
    assert!(
        !seen.is_empty() && seen.iter().all(|value| value == "Bearer planted-token"),
        "{seen:?}"
    );
    connect(&job("wrong-secret"))
        .exits(7)
        .says("`AZURE_CLIENT_SECRET`")
        .says("client secret:")
        .hides("wrong-secret");
}

#[test]
fn google_credentials_that_are_nowhere_are_missed_with_what_was_looked_for() {
    let job = |home: &str| {
        Job::new()
            .connection("results", r#"gcs = { bucket = "b", endpoint = "http://127.0.0.1:1" }"#)
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home)
            .env("GOOGLE_APPLICATION_CREDENTIALS", "")
            // Nobody answers there.
            .env("GCE_METADATA_HOST", "127.0.0.1:1")
            .create()
    };
    connect(&job("/nonexistent"))
        .exits(7)
        .says("no credentials were found")
        .says("`GOOGLE_APPLICATION_CREDENTIALS`")
        .says("`gcloud auth application-default login`")
        .says("`service_account_key`");

    let home = tempfile::tempdir().unwrap();
    let key = r#"{"type":"authorized_user","client_id":"i","client_secret":"planted","refresh_token":"planted"}"#;
    std::fs::create_dir(home.path().join("gcloud")).unwrap();
    std::fs::write(home.path().join("gcloud/application_default_credentials.json"), key).unwrap();
    connect(&job(home.path().to_str().unwrap())).exits(7).hides("planted");
}
