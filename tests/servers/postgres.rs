use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::guard::Guard;
use super::unprivileged;

const START_TIMEOUT: Duration = Duration::from_secs(30);
const STARTS_MAX: usize = 4;

/// A PostgreSQL server with its data in a folder of its own.
pub struct Postgres {
    pub port: u16,
    _guard: Guard,
}

impl Postgres {
    pub const USER: &str = "test";
    pub const PASSWORD: &str = "test-password";

    /// Another server may take the port between the look and the start: then it starts anew on another.
    pub fn start() -> Self {
        (0..STARTS_MAX)
            .find_map(|_| Self::try_start())
            .expect("the server gets ready")
    }

    fn try_start() -> Option<Self> {
        // The guard removes it: a server in a static is never dropped.
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        std::fs::write(folder.join("password"), Self::PASSWORD).expect("the folder is writable");
        unprivileged::own(&folder);
        let mut initdb = unprivileged::command(&program("initdb"));
        initdb.current_dir(&folder).args(["-D", "data", "-U", Self::USER]);
        initdb.args([
            "-A",
            "scram-sha-256",
            "--pwfile",
            "password",
            "-E",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]);
        let made = initdb.output().expect("initdb starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = super::free_port();
        let mut command = unprivileged::command(&program("postgres"));
        command
            .current_dir(&folder)
            .args(["-D", "data", "-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=32MB",
            "max_connections=60",
            "autovacuum=off",
            // In its folder, because a server that is killed leaves what it has shared behind.
            "dynamic_shared_memory_type=mmap",
        ] {
            command.args(["-c", setting]);
        }
        let mut guard = Guard::start(&command);
        guard.ignore_output();
        let server = Self { port, _guard: guard };
        server
            ._guard
            .is_ready_within(START_TIMEOUT, || server.try_psql("postgres", "select 1").is_ok())
            .then_some(server)
    }

    /// Makes an empty database.
    pub fn create_database(&self, name: &str) {
        self.psql("postgres", &format!("create database {name}"));
    }

    /// Runs SQL; gives what it answers, a line to a row, fields apart by `|`.
    pub fn psql(&self, database: &str, text: &str) -> String {
        self.try_psql(database, text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    pub fn try_psql(&self, database: &str, text: &str) -> Result<String, String> {
        let output = Command::new("psql")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                Self::USER,
                "-d",
                database,
            ])
            .args(["-v", "ON_ERROR_STOP=1", "-qAt", "-c", text])
            .env("PGPASSWORD", Self::PASSWORD)
            .env("PGCONNECT_TIMEOUT", "5")
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// A program of the newest version that is installed; Debian puts none of them on the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.sort();
    found
        .pop()
        .filter(|program| program.exists())
        .unwrap_or_else(|| Path::new(name).to_owned())
}
