//! Runs a job from within another program: told of each thing that happens, asked how it stands, and told how it ended.
//!
//! `cargo run --example embed -- jobs/reupload.yaml`

use std::error::Error;
use std::path::{Path, PathBuf};

use pipeline::engine::{RunOptions, RunReport, Runner, Stop};
use pipeline::model::{Event, Progress};
use pipeline::resolve::{LoadOptions, load};
use pipeline::state::{Holder, Identity, State, StateFolder};
use tokio::sync::broadcast::error::RecvError;

/// Events that this program may be behind before it loses the oldest ones. The run never waits for it.
const EVENTS_BEHIND_MAX: usize = 1_024;

/// What a run told while it went on, and how it ended.
pub struct Embedded {
    pub report: RunReport,
    pub units_finished: u64,
    pub events_lost: u64,
    pub last: Progress,
}

/// Runs a job over the state in `folder`, going on where an earlier run stopped.
pub async fn embed(spec: &Path, folder: &Path) -> Result<Embedded, Box<dyn Error>> {
    let options = LoadOptions {
        profile: "local".to_owned(),
        vars: Vec::new(),
        settings: Vec::new(),
        environment: &|name| std::env::var(name).ok(),
    };
    let job = load(spec, &options)?;
    let identity = Identity {
        job: job.name.clone(),
        profile: job.profile.clone(),
    };
    let state = State::open(&StateFolder::new(folder), &identity, &Holder::this_process("embed"))?;

    let mut runner = Runner::new(job, state, RunOptions::default(), Stop::default());
    let mut events = runner.events(EVENTS_BEHIND_MAX);
    let handle = runner.handle();
    let listening = tokio::spawn(async move {
        let (mut units_finished, mut events_lost) = (0, 0);
        loop {
            match events.recv().await {
                Ok(Event::UnitFinished { .. }) => units_finished += 1,
                Ok(_) => {}
                Err(RecvError::Lagged(lost)) => events_lost += lost,
                Err(RecvError::Closed) => return (units_finished, events_lost),
            }
        }
    });
    let report = runner.run().await?;
    let (units_finished, events_lost) = listening.await?;
    Ok(Embedded {
        report,
        units_finished,
        events_lost,
        last: handle.snapshot(),
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let spec = std::env::args_os().nth(1).map(PathBuf::from);
    let spec = spec.ok_or("name a spec: `cargo run --example embed -- jobs/reupload.yaml`")?;
    let embedded = embed(&spec, Path::new(".pipeline/embedded")).await?;
    let units = embedded.last.units;
    println!(
        "{} of {} {} are at the sink; {} came to an end in this run",
        units.done + units.present,
        units.planned(),
        embedded.report.unit_kind.plural(),
        embedded.units_finished
    );
    Ok(())
}
