use std::collections::{BTreeMap, BTreeSet};

use crate::report::shown;
use crate::resolve::ResolvedJob;
use crate::state::{State, StateError};

/// As texts, as the state and a plan keep them.
pub(super) fn vars_of(job: &ResolvedJob) -> BTreeMap<String, String> {
    let vars = job.vars.iter();
    vars.map(|(name, value)| (name.clone(), value.to_string())).collect()
}

/// Variables that have another value than the state was begun with: `` variable `day`: `2024-01-01` when the state was begun, `2024-02-01` now ``.
pub(super) fn changed_vars(job: &ResolvedJob, state: &State) -> Result<Vec<String>, StateError> {
    let before = state.vars()?.unwrap_or_default();
    let now = vars_of(job);
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let told = |value: Option<&String>| value.map_or("not there".to_owned(), |value| format!("`{}`", shown(value)));
    Ok(names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name))
        .map(|name| {
            let (before, now) = (told(before.get(name)), told(now.get(name)));
            format!("variable `{name}`: {before} when the state was begun, {now} now")
        })
        .collect())
}
