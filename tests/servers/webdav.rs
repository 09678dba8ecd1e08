use std::path::{Path, PathBuf};
use std::process::Command;

use super::guard::Guard;
use super::tool;

/// A WebDAV server (WsgiDAV) with its files in a folder of its own; to readers that know no WebDAV it is a web server with ranges.
pub struct Webdav {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    folder: PathBuf,
    _guard: Guard,
}

impl Webdav {
    pub const USER: &str = "tester";
    pub const PASSWORD: &str = "webdav-test-password";

    pub fn start() -> Self {
        // The guard removes it: a server in a static is never dropped.
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let script = format!("{}/tests/servers/webdav.py", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("/usr/bin/env");
        command
            .arg(format!("PYTHONPATH={}", tool("wsgidav").display()))
            .args(["python3", &script])
            .arg(&folder)
            .args([Self::USER, Self::PASSWORD])
            .current_dir(&folder);
        let mut guard = Guard::start(&command);
        let port = guard.wait_for_line(|line| line.parse::<u16>().ok());
        Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            folder,
            _guard: guard,
        }
    }

    /// Where the server keeps its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
