use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::guard::Guard;
use super::unprivileged;

const START_TIMEOUT: Duration = Duration::from_secs(30);
const STARTS_MAX: usize = 4;

/// A MariaDB server with its data in a folder of its own.
pub struct Mariadb {
    pub port: u16,
    _guard: Guard,
}

impl Mariadb {
    pub const USER: &str = "test";
    pub const PASSWORD: &str = "test-password";

    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further options. Another server may take the port between the look and the start: then it starts anew on another.
    pub fn start_with(options: &[&str]) -> Self {
        (0..STARTS_MAX)
            .find_map(|_| Self::try_start(options))
            .expect("the server gets ready")
    }

    fn try_start(options: &[&str]) -> Option<Self> {
        // The guard removes it: a server in a static is never dropped.
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let user = format!(
            "create user '{0}'@'%' identified by '{1}';\ngrant all on *.* to '{0}'@'%';\n",
            Self::USER,
            Self::PASSWORD
        );
        std::fs::write(folder.join("user.sql"), user).expect("the folder is writable");
        unprivileged::own(&folder);
        let data = format!("--datadir={}", folder.join("data").display());
        let mut install = unprivileged::command(Path::new("mariadb-install-db"));
        // Two servers that are made at once would meet in the machine's own folder of temporary files.
        install
            .current_dir(&folder)
            .env("TMPDIR", &folder)
            .args(["--no-defaults", &data, "--skip-test-db"]);
        install.args(["--auth-root-authentication-method=normal", "--skip-name-resolve"]);
        let made = install.output().expect("mariadb-install-db starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = super::free_port();
        let mut command = unprivileged::command(Path::new("/usr/sbin/mariadbd"));
        command
            .current_dir(&folder)
            .args(["--no-defaults", &data, "--bind-address=127.0.0.1"]);
        command.arg(format!("--port={port}"));
        command.arg(format!("--tmpdir={}", folder.display()));
        for file in ["socket", "pid-file"] {
            command.arg(format!("--{file}={}", folder.join(file).display()));
        }
        command.arg(format!("--init-file={}", folder.join("user.sql").display()));
        command.args([
            "--skip-name-resolve",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--innodb-buffer-pool-size=32M",
            "--character-set-server=utf8mb4",
        ]);
        command.args(options);
        let mut guard = Guard::start(&command);
        guard.ignore_output();
        let server = Self { port, _guard: guard };
        server
            ._guard
            .is_ready_within(START_TIMEOUT, || server.try_sql("", "select 1").is_ok())
            .then_some(server)
    }

    /// Makes an empty database.
    pub fn create_database(&self, name: &str) {
        self.sql("", &format!("create database {name}"));
    }

    /// Runs SQL; gives what it answers, a line to a row, fields apart by tabs.
    pub fn sql(&self, database: &str, text: &str) -> String {
        self.try_sql(database, text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn try_sql(&self, database: &str, text: &str) -> Result<String, String> {
        let output = Command::new("mariadb")
            .args([
                "--no-defaults",
                "-h",
                "127.0.0.1",
                "-P",
                &self.port.to_string(),
                "-u",
                Self::USER,
            ])
            .args([
                "--default-character-set=utf8mb4",
                "--connect-timeout=5",
                "-N",
                "-B",
                "-e",
                text,
                database,
            ])
            .env("MYSQL_PWD", Self::PASSWORD)
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}
