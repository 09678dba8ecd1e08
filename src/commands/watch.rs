use std::io::{self, IsTerminal};
use std::time::Duration;

use crate::model::Timestamp;
use crate::monitor::{Dashboard, FailureLog, Keyboard, Screen, Status};
use crate::state::StateFolder;

use super::output::say;
use super::status::Look;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline watch`
#[derive(Clone, Debug)]
pub struct WatchArguments {
    pub job: JobArguments,
    /// Between two looks.
    pub refresh: Duration,
    /// One look, without taking the terminal.
    pub once: bool,
}

/// What ends a watch before its run does.
enum Ended {
    Quit,
    Interrupted,
}

/// Shows a run on the whole terminal until it ends or the watcher has seen enough. Without a terminal it shows it once.
pub async fn watch(arguments: &WatchArguments) -> Result<Exit, CommandError> {
    let folder = arguments.job.state_folder(&arguments.job.load_to_look()?);
    let mut log = FailureLog::default();
    let first = look(arguments, &folder, &mut log)?;
    if arguments.once || !first.is_running || !io::stdout().is_terminal() {
        OutputArguments::default().print(first.page, || serde_json::Value::Null)?;
        return Ok(Exit::Done);
    }
    let (last, ended) = follow(arguments, &folder, &mut log).await?;
    match ended {
        None => {
            OutputArguments::default().print(last, || serde_json::Value::Null)?;
            Ok(Exit::Done)
        }
        Some(ended) => {
            let status = arguments.job.command_line().command("status");
            say(format_args!("the run goes on; `{status}` shows where it stands"));
            Ok(match ended {
                Ended::Quit => Exit::Done,
                Ended::Interrupted => Exit::Interrupted,
            })
        }
    }
}

/// Draws until the run is over or a person ends it. The terminal is as it was when this returns.
async fn follow(
    arguments: &WatchArguments,
    folder: &StateFolder,
    log: &mut FailureLog,
) -> Result<(String, Option<Ended>), CommandError> {
    let mut signals = Signals::listen()?;
    let keyboard = Keyboard::enter()?;
    let mut keys = keyboard.keys();
    let mut screen = Screen::enter()?;
    loop {
        let look = look(arguments, folder, log)?;
        if !look.is_running {
            return Ok((look.page, None));
        }
        screen.draw(&format!("q: leave (the run goes on)\n\n{}", look.page))?;
        tokio::select! {
            () = tokio::time::sleep(arguments.refresh) => {}
            Some('q' | 'Q') = keys.recv() => return Ok((look.page, Some(Ended::Quit))),
            resized = signals.next() => if !resized {
                return Ok((look.page, Some(Ended::Interrupted)));
            },
        }
    }
}

struct Page {
    page: String,
    is_running: bool,
}

fn look(arguments: &WatchArguments, folder: &StateFolder, log: &mut FailureLog) -> Result<Page, CommandError> {
    let look = Look::at(folder)?;
    let Some(snapshot) = &look.snapshot else {
        let run = arguments.job.command_line().command("run");
        let folder = folder.path().to_owned();
        return Err(CommandError::NoState { folder, run });
    };
    log.follow(folder, snapshot.progress.run);
    let dashboard = Dashboard {
        status: Status {
            snapshot,
            running: look.running,
            now: Timestamp::now(),
        },
        failures: log,
    };
    Ok(Page {
        page: dashboard.to_string(),
        is_running: look.running,
    })
}

/// What ends a watch, lest the terminal stay as it is now, and the signal of a terminal whose size has changed.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    resize: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    /// Waits for the next one. True when the page is to be drawn anew, false when this is the end.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => false,
            _ = self.quit.recv() => false,
            _ = self.hangup.recv() => false,
            _ = self.resize.recv() => true,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> bool {
        // Where the signal cannot be listened for, the system ends the process itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        false
    }
}
