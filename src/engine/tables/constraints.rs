use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt, stream};

use crate::connect::{Ddl, Statement};
use crate::engine::ItemEntry;
use crate::engine::attempts::repeat;
use crate::engine::item::Broken;
use crate::model::{
    Event, Failure, FailureClass, ItemId, ItemStatus, ItemSummary, StageStatus, Table, TableName, Timestamp,
};
use crate::state::State;

use super::context::TableContext;

/// Adds indexes and keys to every table whose rows are all there, and then the keys between tables. A key into a table that is not there, or
/// not whole, is blocked; the rest goes on.
pub async fn add_constraints(
    context: &Arc<TableContext>,
    entries: &[ItemEntry],
    state: &Arc<State>,
) -> Result<(), Broken> {
    let mut tables = Vec::new();
    let mut unready: HashMap<TableName, Unready> = HashMap::new();
    for entry in entries {
        let id = ItemId::of(&entry.key);
        let Some(Ok(mapping)) = context.tables.get(&id).map(|planned| &planned.mapping) else {
            continue;
        };
        let summary = state.item(id).map_err(Broken::State)?;
        match summary {
            Some(summary) if summary.stage_status("data") == StageStatus::Done => {
                if summary.stage_status("constraints") != StageStatus::Done && summary.status != ItemStatus::Skipped {
                    tables.push((summary, mapping));
                }
            }
            other => {
                let is_set_aside = other.is_some_and(|summary| summary.status == ItemStatus::Skipped);
                let key = entry.key.clone();
                unready.insert(mapping.target.clone(), Unready { key, is_set_aside });
            }
        }
    }
    if tables.is_empty() || context.stop.is_draining() {
        return Ok(());
    }
    let existing = if context.sink.engine().has_statements() {
        repeat(&context.retry, &context.stop, || context.sink.tables()).await
    } else {
        Ok(Vec::new())
    };
    let existing = match existing {
        Ok(existing) => existing,
        Err(failure) => {
            for (summary, _) in tables {
                end(context, summary, Some(failure.clone())).await?;
            }
            return Ok(());
        }
    };
    let there: HashMap<&TableName, &Table> = existing.iter().map(|table| (&table.name, table)).collect();
    let ddl = Ddl::new(context.sink.engine());
    let work: Vec<Work> = tables
        .into_iter()
        .map(|(mut summary, mapping)| {
            let key = ddl.primary_key(mapping).map(|key| key.name);
            let there = there
                .get(&mapping.target)
                .map(|table| Standing::of(table, key.as_deref()));
            let is_missing = |statement: &Statement| !there.as_ref().is_some_and(|there| there.has(statement));
            let statements: Vec<Statement> = ddl.constraints(mapping).into_iter().filter(is_missing).collect();
            let record = summary.stage("constraints");
            (record.status, record.failure) = (StageStatus::InProgress, None);
            record.started = Some(Timestamp::now());
            let owed = record.owed.clone();
            (summary.status, summary.listing_failure) = (ItemStatus::Pending, None);
            Work {
                summary,
                target: mapping.target.clone(),
                key,
                statements,
                owed,
                failure: None,
            }
        })
        .collect();
    for work in &work {
        // What an earlier run failed on is tried anew: what comes of it is this run's.
        let changed = Event::ItemChanged {
            summary: work.summary.clone(),
        };
        context.events.send(changed).await?;
    }
    let slots = context.job.concurrency.items;
    let own: Vec<Work> = stream::iter(work)
        .map(|work| add_own(context, work))
        .buffer_unordered(slots)
        .collect()
        .await;
    // Keys need those that they point at: all of them come behind the last index.
    let unready = &unready;
    let linked: Vec<Result<(), Broken>> = stream::iter(own)
        .map(|work| async move {
            let work = link(context, work, unready).await;
            match work {
                Some(work) => end(context, work.summary, work.failure).await,
                None => Ok(()),
            }
        })
        .buffer_unordered(slots)
        .collect()
        .await;
    linked.into_iter().collect()
}

/// A table whose rows are not all there.
struct Unready {
    key: String,
    is_set_aside: bool,
}

impl Unready {
    /// Why the key of another table waits for it, and what would end the wait.
    fn blocks(&self, name: &str, target: &TableName, waiting: &str) -> Failure {
        let key = &self.key;
        let message = if self.is_set_aside {
            format!(
                "the key `{name}` points at `{target}`, which is set aside: take that up again with `state skip` of `{key}` and `--undo`, \
                 or set `{waiting}` aside too with `state skip`, which keeps its rows"
            )
        } else {
            format!(
                "the key `{name}` points at `{target}`, which is not complete: the run that loads `{key}` to its end adds it, \
                 and `state skip` of `{waiting}` goes without it and keeps its rows"
            )
        };
        Failure::new(FailureClass::Conflict, "tables.blocked", message)
    }
}

/// One table on its way through the stage.
struct Work {
    summary: ItemSummary,
    target: TableName,
    /// What its primary key is called.
    key: Option<String>,
    statements: Vec<Statement>,
    owed: Vec<String>,
    failure: Option<Failure>,
}

/// What a table has already. An index and a foreign key may have the same name: MySQL gives the index behind a key the name of the key.
struct Standing<'a> {
    indexes: HashSet<&'a str>,
    foreign_keys: HashSet<&'a str>,
    primary_key: Option<&'a str>,
}

impl<'a> Standing<'a> {
    /// `key` is what the primary key is to be called: one that is there counts, whatever its name.
    fn of(table: &'a Table, key: Option<&'a str>) -> Self {
        Self {
            indexes: table.indexes.iter().map(|index| index.name.as_str()).collect(),
            foreign_keys: table.foreign_keys.iter().map(|key| key.name.as_str()).collect(),
            primary_key: key.filter(|_| table.primary_key.is_some()),
        }
    }

    fn has(&self, statement: &Statement) -> bool {
        let name = statement.name.as_str();
        match statement.needs {
            Some(_) => self.foreign_keys.contains(name),
            None => self.primary_key == Some(name) || self.indexes.contains(name),
        }
    }
}

/// What concerns the table alone.
async fn add_own(context: &Arc<TableContext>, mut work: Work) -> Work {
    let own: Vec<&Statement> = (work.statements.iter())
        .filter(|statement| statement.needs.is_none())
        .collect();
    let texts: Vec<String> = own.iter().map(|statement| statement.text.clone()).collect();
    // In one go where all of them can be made; one by one where something stands in the way of one.
    if texts.len() > 1 && run_all(context, &texts).await.is_ok() {
        return work;
    }
    for statement in own {
        if let Err(failure) = add(context, &work, statement).await {
            note(&mut work.failure, failure.context(format_args!("`{}`", statement.name)));
        }
    }
    work
}

/// The keys between tables: the table's own, and those of others that its replacement has taken away. `None` when a stop came first.
async fn link(context: &Arc<TableContext>, mut work: Work, unready: &HashMap<TableName, Unready>) -> Option<Work> {
    if context.stop.is_draining() {
        return None;
    }
    for statement in &work.statements {
        let Some(needs) = &statement.needs else { continue };
        if let Some(unready) = unready.get(needs) {
            let failure = unready.blocks(&statement.name, needs, &work.summary.key);
            note(&mut work.failure, failure);
            continue;
        }
        if let Err(failure) = add(context, &work, statement).await {
            note(&mut work.failure, failure.context(format_args!("`{}`", statement.name)));
        }
    }
    for text in &work.owed {
        if let Err(failure) = give_back(context, text).await {
            note(&mut work.failure, failure);
        }
    }
    Some(work)
}

async fn run_all(context: &TableContext, statements: &[String]) -> Result<(), Failure> {
    let _permit = context.permits.leaf(&context.doors).await?;
    let ran = repeat(&context.retry, &context.stop, || context.sink.execute(statements)).await;
    // What follows waits for a connection that is gone.
    ran.inspect_err(|failure| context.health.exhausted(failure))
}

/// Adds what is not there. That something of the name is there is no success: it may be another table's. Only the catalogue tells, also where the
/// answer to an attempt before was lost.
async fn add(context: &TableContext, work: &Work, statement: &Statement) -> Result<(), Failure> {
    let Err(failure) = run_all(context, std::slice::from_ref(&statement.text)).await else {
        return Ok(());
    };
    if failure.class == FailureClass::Cancelled {
        return Err(failure);
    }
    let tables = context.sink.tables().await.unwrap_or_default();
    let there = tables.iter().find(|table| table.name == work.target);
    match there.is_some_and(|table| Standing::of(table, work.key.as_deref()).has(statement)) {
        true => Ok(()),
        false => Err(failure),
    }
}

/// Gives a key back that another table had.
async fn give_back(context: &TableContext, text: &str) -> Result<(), Failure> {
    match run_all(context, &[text.to_owned()]).await {
        // A run that was killed has given it back, or that table is one of this job and has the key itself.
        Err(failure) if failure.code == "database.exists" => Ok(()),
        done => done,
    }
}

/// The first failure is told; a stop is none.
fn note(first: &mut Option<Failure>, failure: Failure) {
    if first.is_none() {
        *first = Some(failure);
    }
}

/// The table is completed, or says why not.
async fn end(context: &Arc<TableContext>, mut summary: ItemSummary, failure: Option<Failure>) -> Result<(), Broken> {
    let is_stopped = failure
        .as_ref()
        .is_some_and(|failure| failure.class == FailureClass::Cancelled);
    if is_stopped {
        return Ok(());
    }
    let record = summary.stage("constraints");
    record.ended = Some(Timestamp::now());
    record.failure.clone_from(&failure);
    if failure.is_none() {
        record.owed.clear();
    }
    record.status = match &failure {
        None => StageStatus::Done,
        Some(failure) if failure.code == "tables.blocked" => StageStatus::Blocked,
        Some(_) => StageStatus::Failed,
    };
    summary.status = match record.status {
        StageStatus::Done => ItemStatus::Completed,
        _ => ItemStatus::Failed,
    };
    summary.listing_failure = failure;
    summary.ended = Some(Timestamp::now());
    // No slot holds a table behind the barrier.
    let slot = 0;
    Ok(context.events.send(Event::ItemFinished { slot, summary }).await?)
}
