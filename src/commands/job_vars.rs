use std::collections::BTreeSet;

use crate::report::shown;
use crate::resolve::ResolvedJob;
use crate::state::{State, StateError};

/// Variables that have another value than the state was begun with: `` variable `day`: `2024-01-01` when the state was begun, `2024-02-01` now ``.
/// Of one that comes from the environment no value is kept: it is named, since it may be what has changed.
pub(super) fn changed_vars(job: &ResolvedJob, state: &State) -> Result<Vec<String>, StateError> {
    let before = state.vars()?.unwrap_or_default();
    let now = job.kept_vars();
    let known = before.keys().chain(now.keys()).chain(&job.hidden_vars);
    let names: BTreeSet<&String> = known.collect();
    let told = |value: Option<&String>| match value {
        Some(value) => format!("`{}`", shown(value)),
        None => "not there, or a value of the environment, which is not kept,".to_owned(),
    };
    let line = |name: &String| {
        if job.hidden_vars.contains(name) {
            return format!(
                "variable `{name}`: its value comes from the environment and is neither kept nor shown; where it has changed, set there what the state was begun with"
            );
        }
        let (before, now) = (told(before.get(name)), told(now.get(name)));
        format!("variable `{name}`: {before} when the state was begun, {now} now")
    };
    let is_changed = |name: &&String| job.hidden_vars.contains(*name) || before.get(*name) != now.get(*name);
    Ok(names.into_iter().filter(is_changed).map(line).collect())
}
