use serde_json::json;

use crate::connect::Connections;
use crate::plan::compile;

use super::output::say;
use super::{CommandError, Exit, JobArguments, OutputArguments};

/// `pipeline validate`
#[derive(Clone, Debug)]
pub struct ValidateArguments {
    pub job: JobArguments,
    pub output: OutputArguments,
    /// Make one cheap call to each connection as well.
    pub connect: bool,
}

/// Checks a spec without touching the network, unless it is asked to.
pub async fn validate(arguments: &ValidateArguments) -> Result<Exit, CommandError> {
    let job = arguments.job.load()?;
    let plan = compile(&job);
    if arguments.connect {
        connect(&Connections::new(job.connections.clone())).await?;
    }
    let stages: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    let next = arguments.job.command_line().command("plan");
    let (name, profile) = (&job.name, &job.profile);
    let text = format!(
        "`{name}` is valid on profile `{profile}`: {}\nNext: {next}\n",
        stages.join(" → ")
    );
    let document =
        || json!({"schema_version": 1, "job": name, "profile": profile, "stages": stages, "valid": true, "next": next});
    arguments.output.print(text, document)?;
    Ok(Exit::Done)
}

async fn connect(connections: &Connections) -> Result<(), CommandError> {
    let mut failed = Vec::new();
    let mut all = 0;
    for name in connections.names() {
        all += 1;
        match connections.probe(name).await {
            Ok(()) => say(format_args!("connection `{name}`: reached")),
            Err(failure) => {
                say(format_args!("{failure}"));
                failed.push(failure);
            }
        }
    }
    let count = failed.len();
    failed.pop().map_or(Ok(()), |last| {
        Err(CommandError::Unreachable {
            failed: count,
            all,
            last,
        })
    })
}
