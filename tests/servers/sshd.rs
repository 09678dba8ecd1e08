use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::guard::Guard;

/// The user that the server runs as where the tests run as root: Debian's `nobody`.
const NOBODY: u32 = 65_534;
const STARTS_MAX: usize = 4;
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// An OpenSSH server for SFTP, run by a user without privileges, who is also the only one that it lets in.
pub struct Sshd {
    pub port: u16,
    pub user: String,
    folder: PathBuf,
    _guard: Guard,
}

impl Sshd {
    /// Another server may take the port between the look and the start: then it starts anew on another.
    pub fn start() -> Self {
        (0..STARTS_MAX)
            .find_map(|_| Self::try_start())
            .expect("the server gets ready")
    }

    fn try_start() -> Option<Self> {
        // The guard removes it: a server in a static is never dropped.
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let port = super::free_port();
        let uid: u32 = output("id", &["-u"]).parse().expect("a number");
        make_keys(&folder, port, uid == 0);
        std::fs::create_dir(folder.join("files")).expect("the folder is writable");
        let program = if uid == 0 {
            let path = folder.to_str().expect("text");
            output("chown", &["-R", "nobody", path]);
            std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).expect("permissions");
            &[
                "setpriv",
                "--reuid=nobody",
                "--regid=nogroup",
                "--clear-groups",
                "/usr/sbin/sshd",
            ][..]
        } else {
            &["/usr/sbin/sshd"]
        };
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .args(["-D", "-f"])
            .arg(folder.join("sshd_config"));
        let mut guard = Guard::start(command.current_dir(&folder));
        guard.ignore_output();
        guard.is_ready_within(START_TIMEOUT, || greets(port)).then(|| Self {
            port,
            user: if uid == 0 {
                "nobody".to_owned()
            } else {
                output("id", &["-un"])
            },
            folder,
            _guard: guard,
        })
    }

    /// Where users find their files: the server shows the whole file system.
    pub fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// Makes a folder below the files that the server may write to.
    pub fn make_folder(&self, name: &str) -> PathBuf {
        let path = self.files().join(name);
        std::fs::create_dir(&path).expect("the folder is writable");
        if self.user == "nobody" {
            std::os::unix::fs::chown(&path, Some(NOBODY), None).expect("root may give it away");
        }
        path
    }

    /// The private key that the server lets in.
    pub fn user_key(&self) -> String {
        std::fs::read_to_string(self.folder.join("user")).expect("a key")
    }

    /// A private key that it has never heard of.
    pub fn other_key(&self) -> String {
        std::fs::read_to_string(self.folder.join("other")).expect("a key")
    }

    pub fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    /// A file with another key for this server.
    pub fn changed_hosts(&self) -> PathBuf {
        self.folder.join("changed_hosts")
    }
}

fn make_keys(folder: &Path, port: u16, as_nobody: bool) {
    for name in ["host", "user", "other"] {
        let path = folder.join(name);
        let path = path.to_str().expect("text");
        output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path]);
    }
    let public = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.pub"))).expect("a key");
    let shown = folder.display();
    // Without privileges the server cannot see that an account is not locked; only PAM can tell it.
    let pam = if as_nobody { "yes" } else { "no" };
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {shown}/host\nPidFile none\nAuthorizedKeysFile {shown}/user.pub\n\
         StrictModes no\nUsePAM {pam}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel QUIET\n\
         MaxStartups 100:30:200\nSubsystem sftp internal-sftp\n"
    );
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("the folder is writable");
    write("sshd_config", config);
    write("known_hosts", format!("[127.0.0.1]:{port} {}", public("host")));
    write("changed_hosts", format!("[127.0.0.1]:{port} {}", public("other")));
}

/// Whether the first words of the protocol come.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-"
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}
