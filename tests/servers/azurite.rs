use std::process::Command;

use super::guard::Guard;
use super::tool;

/// The Azure storage emulator: blobs and queues, in memory.
pub struct Azurite {
    /// `http://127.0.0.1:PORT/devstoreaccount1`
    pub blob_endpoint: String,
    pub queue_endpoint: String,
    _guard: Guard,
}

impl Azurite {
    /// The emulator's documented account, the same everywhere and no secret.
    pub const ACCOUNT: &str = "devstoreaccount1";
    pub const ACCOUNT_KEY: &str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    pub fn start() -> Self {
        let mut command = Command::new("node");
        command.arg(tool("azurite/node_modules/azurite/dist/src/azurite.js"));
        for service in ["blob", "queue", "table"] {
            command.args([format!("--{service}Host"), "127.0.0.1".to_owned()]);
            command.args([format!("--{service}Port"), "0".to_owned()]);
        }
        command.args([
            "--inMemoryPersistence",
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--silent",
        ]);
        let mut guard = Guard::start(&command);
        let mut blob_address = None;
        let (blob, queue) = guard.wait_for_line(|line| {
            let address = |service: &str| {
                line.strip_prefix(&format!("Azurite {service} service is successfully listening at "))
                    .map(str::to_owned)
            };
            blob_address = address("Blob").or(blob_address.take());
            Some((blob_address.clone()?, address("Queue")?))
        });
        Self {
            blob_endpoint: format!("{blob}/{}", Self::ACCOUNT),
            queue_endpoint: format!("{queue}/{}", Self::ACCOUNT),
            _guard: guard,
        }
    }

    pub fn create_container(&self, name: &str) {
        script(
            "create_container.js",
            &[&self.blob_endpoint, Self::ACCOUNT, Self::ACCOUNT_KEY, name],
        );
    }

    pub fn create_queue(&self, name: &str) {
        self.on_queue(name, &["create"]);
    }

    /// Takes all messages out of a queue: their texts as a consumer finds them.
    pub fn drain_queue(&self, name: &str) -> Vec<String> {
        serde_json::from_str(&self.on_queue(name, &["drain"])).expect("a list of texts")
    }

    /// A shared access signature of a queue, with its leading `?`, that ends so many seconds from now.
    pub fn sign_queue(&self, name: &str, permissions: &str, seconds: u32) -> String {
        self.on_queue(name, &["sign", permissions, &seconds.to_string()])
    }

    fn on_queue(&self, name: &str, action: &[&str]) -> String {
        let queue = [&self.queue_endpoint, Self::ACCOUNT, Self::ACCOUNT_KEY, name];
        script("queue.js", &[&queue, action].concat())
    }
}

/// Runs a script of this folder; gives what it prints.
fn script(name: &str, arguments: &[&str]) -> String {
    let path = format!("{}/tests/servers/{name}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("node")
        .arg(path)
        .args(arguments)
        .output()
        .expect("node starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {}: {errors}", arguments[3..].join(" "));
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}
