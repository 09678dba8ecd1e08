use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a test waits for at most before it calls a process hung, on a machine that is busy with other tests.
pub const HUNG_AFTER: Duration = Duration::from_secs(90);

/// How a command ended and what it wrote.
#[derive(Clone, Debug)]
pub struct Output {
    /// `None` when a signal killed it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// The same output, of a command that must have ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr))
    }

    /// Both streams, for looking for words in.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// The same output, which must hold these words.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.text().contains(words),
            "`{words}` is missing\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The same output, which must not hold these words.
    #[track_caller]
    pub fn hides(self, words: &str) -> Self {
        assert!(
            !self.text().contains(words),
            "`{words}` is there\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A command at work. Killed when dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    stdout: Option<JoinHandle<String>>,
    stderr: String,
}

impl Running {
    pub fn spawn(mut command: Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut output = child.stdout.take().expect("stdout is piped");
        let errors = child.stderr.take().expect("stderr is piped");
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).expect("stdout can be read");
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).split(b'\n') {
                let line = line.expect("stderr can be read");
                // The test may have stopped listening.
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        Self {
            child,
            lines,
            stdout: Some(stdout),
            stderr: String::new(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on stderr that holds these words, and returns it.
    #[track_caller]
    pub fn wait_for_line(&mut self, words: &str) -> String {
        loop {
            match self.lines.recv_timeout(HUNG_AFTER) {
                Ok(line) => {
                    self.stderr.push_str(&line);
                    self.stderr.push('\n');
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with `{words}`: {error}\n--- stderr\n{}", self.stderr),
            }
        }
    }

    /// Sends a signal by its name, `INT` or `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status();
        assert!(status.expect("kill starts").success(), "the process is there");
    }

    /// SIGKILL, and waits until the process is gone.
    pub fn kill(mut self) -> Output {
        self.child.kill().expect("the process is ours");
        self.end()
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Output {
        self.end()
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("the process is ours").is_some()
    }

    fn end(&mut self) -> Output {
        loop {
            match self.lines.recv_timeout(HUNG_AFTER) {
                Ok(line) => {
                    self.stderr.push_str(&line);
                    self.stderr.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the command hangs\n--- stderr\n{}", self.stderr),
            }
        }
        let status = self.child.wait().expect("the process is ours");
        let stdout = self
            .stdout
            .take()
            .expect("it ends once")
            .join()
            .expect("stdout is read");
        Output {
            code: status.code(),
            stdout,
            stderr: std::mem::take(&mut self.stderr),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whoever has ended it already has nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
