use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A run of the binary that is going on. Killed when dropped.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

/// A run that has ended by itself.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    /// What stands on stdout: the account as one document; NULL when there is nothing.
    pub json: Value,
    pub stderr: String,
}

/// When a kill comes.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// Once so many objects are at the sink.
    AtSink(usize),
    /// So long after the start.
    AfterStart(Duration),
}

impl Running {
    /// Starts a command; its output goes to two files, so that it never waits for a reader.
    pub fn start(command: &mut Command, out: PathBuf, err: PathBuf) -> Self {
        let child = command
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .expect("the binary starts");
        Self { child, out, err }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until `is_so`, or the end of the process. True when the process still lives.
    pub fn wait_until(&mut self, mut is_so: impl FnMut() -> bool) -> bool {
        loop {
            let asked = Instant::now();
            if is_so() {
                return !self.has_ended();
            }
            if self.has_ended() {
                return false;
            }
            // A question that takes long is a burden on the server that the run works with.
            std::thread::sleep((asked.elapsed() * 2).max(Duration::from_millis(1)));
        }
    }

    /// Kills it at a moment. True when that hit a living process.
    pub fn kill_at(mut self, moment: Moment, at_sink: impl Fn() -> usize) -> Killed {
        match moment {
            Moment::AtSink(objects) => {
                self.wait_until(|| at_sink() >= objects);
            }
            // The moment itself is what is varied, so there is no event to wait for.
            Moment::AfterStart(delay) => std::thread::sleep(delay),
        }
        self.kill()
    }

    pub fn kill(mut self) -> Killed {
        let _ = self.child.kill();
        let status = self.child.wait().unwrap();
        Killed {
            was_alive: status.signal() == Some(9),
            stderr: std::fs::read_to_string(&self.err).unwrap(),
        }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "SIG{name} is sent");
    }

    /// Holds the process still, and returns when none of its threads moves any more.
    pub fn hold(&mut self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.id());
        let is_held = || {
            std::fs::read_dir(&tasks).unwrap().all(|task| {
                // The state stands behind the name, which is in parentheses.
                let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
                stat.rsplit(')')
                    .next()
                    .is_some_and(|rest| rest.trim_start().starts_with('T'))
            })
        };
        assert!(self.wait_until(is_held), "the process is held");
    }

    pub fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let stderr = std::fs::read_to_string(&self.err).unwrap();
        let out = std::fs::read(&self.out).unwrap();
        let code = status
            .code()
            .unwrap_or_else(|| panic!("it ends by itself: {status}\n{stderr}"));
        Ended {
            code,
            json: serde_json::from_slice(&out).unwrap_or(Value::Null),
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that was killed.
#[derive(Debug)]
pub struct Killed {
    /// It had not ended by itself before.
    pub was_alive: bool,
    pub stderr: String,
}

impl Ended {
    /// One column of the account: `files.done`.
    pub fn account(&self, of: &str, column: &str) -> u64 {
        let value = &self.json["account"][of][column];
        value
            .as_u64()
            .unwrap_or_else(|| panic!("no `{of}.{column}` in {self:?}"))
    }

    /// The account says what it must, and balances.
    pub fn assert_files(&self, done: usize, present: usize, failed: usize) {
        let found = ["planned", "done", "present", "failed", "pending"].map(|column| self.account("files", column));
        let expected = [done + present + failed, done, present, failed, 0].map(|count| count as u64);
        assert_eq!(found, expected, "planned, done, present, failed, pending: {self:?}");
        assert_eq!(self.json["account"]["files"]["residual"], 0, "{self:?}");
        assert_eq!(self.json["account"]["items"]["residual"], 0, "{self:?}");
        assert_eq!(self.json["account"]["balanced"], true, "{self:?}");
        assert_eq!(self.json["account"]["listed"], true, "{self:?}");
    }
}
