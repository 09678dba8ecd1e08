use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that a server may take to get ready, on a machine that is busy with other tests.
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// A server that ends when this is dropped, or when this process dies in any way.
///
/// A shell holds the server and waits for the end of its own input, whose other end only this process has: the kernel closes it
/// even after SIGKILL. (A signal on the parent's death would not do: it comes when the *thread* ends that started the child.)
pub struct Guard {
    shell: Child,
    lifeline: Option<ChildStdin>,
}

const HOLD: &str =
    r#""$@" & server=$!; cat >/dev/null; kill -9 "$server"; wait "$server" 2>/dev/null; rm -rf "$SCRATCH""#;

impl Guard {
    /// Starts a server; its working folder, if the command names one, is removed behind it.
    pub fn start(command: &Command) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.env("SCRATCH", "");
        shell
            .args(["-c", HOLD, "sh"])
            .arg(command.get_program())
            .args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder).env("SCRATCH", folder);
        }
        let mut shell = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let lifeline = shell.stdin.take();
        Self { shell, lifeline }
    }

    /// Gives the server's lines to `take` until that returns something, and goes on emptying its output afterwards.
    pub fn wait_for_line<T>(&mut self, mut take: impl FnMut(&str) -> Option<T>) -> T {
        let mut lines = BufReader::new(self.output()).lines();
        let found = lines
            .by_ref()
            .map(|line| line.expect("the server writes text"))
            .find_map(|line| take(&line))
            .expect("the server gets ready before it ends");
        std::thread::spawn(move || lines.for_each(drop));
        found
    }

    /// Asks until the server is there.
    pub fn wait_until(&self, is_ready: impl FnMut() -> bool) {
        assert!(
            self.is_ready_within(READY_WITHIN, is_ready),
            "the server does not get ready"
        );
    }

    /// Asks until the server is there or the time is over.
    pub fn is_ready_within(&self, timeout: Duration, mut is_ready: impl FnMut() -> bool) -> bool {
        let started = Instant::now();
        while !is_ready() {
            if started.elapsed() >= timeout {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }

    fn output(&mut self) -> ChildStdout {
        self.shell.stdout.take().expect("the output is taken once")
    }

    /// Throws the server's output away, so that it never waits for a reader.
    pub fn ignore_output(&mut self) {
        let output = self.output();
        std::thread::spawn(move || BufReader::new(output).lines().for_each(drop));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.shell.wait();
    }
}
