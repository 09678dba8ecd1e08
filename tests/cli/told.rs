//! Jobs that tell of their files, and what was told.

use serde_json::Value;

use crate::harness::{Job, Output, Project, SPEC};

/// A step that tells of each file, `when` it says so.
pub fn step(when: &str) -> String {
    format!(
        r#"[{{ notify: {{ connection: queue, each: file, when: {when}, message: {{ item: "{{{{item.Id}}}}", blob: "{{{{target.name}}}}" }} }} }}]"#
    )
}

/// Two items with three files each, told to a file.
pub fn job(when: &str) -> Job {
    Job::new()
        .with("then", &step(when))
        .connection("queue", r#"jsonl-queue = { path = "../told.jsonl" }"#)
}

/// The messages in the file, in their order.
pub fn told(project: &Project) -> Vec<Value> {
    if !project.path("told.jsonl").exists() {
        return Vec::new();
    }
    let text = project.read("told.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the messages speak of, sorted.
pub fn blobs(messages: &[Value]) -> Vec<String> {
    let mut blobs: Vec<String> = messages.iter().map(blob).collect();
    blobs.sort();
    blobs
}

pub fn blob(message: &Value) -> String {
    message["body"]["blob"].as_str().unwrap().to_owned()
}

pub fn names(project: &Project) -> Vec<String> {
    project.sink().into_keys().collect()
}

pub fn run(project: &Project, flags: &[&str]) -> Output {
    project.command(["run", SPEC, "--json"].iter().chain(flags).copied())
}

/// The run ended with this code, and its effects stand as these columns say; those not named are 0. Every account balances.
#[track_caller]
pub fn ended(output: Output, code: i32, columns: Value) -> Value {
    let json = output.exits(code).json();
    let account = &json["account"];
    assert_eq!(account["balanced"], true, "{json}");
    for of in ["items", "files", "effects"] {
        assert_eq!(account[of]["residual"], 0, "{json}");
    }
    let mut planned = 0;
    for column in ["done", "present", "skipped", "failed", "blocked", "pending"] {
        let expected = columns.get(column).and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(account["effects"][column], expected, "{column}: {json}");
        planned += expected;
    }
    assert_eq!(account["effects"]["planned"], planned, "{json}");
    json
}
