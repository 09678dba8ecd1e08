use crate::connect::{Ddl, RowsFrom, TableMapping, TableStore};
use crate::engine::Fatal;
use crate::engine::attempts::repeat;
use crate::model::{Engine, Failure, FailureClass, ItemStatus, ItemSummary, StageStatus, TableName};
use crate::resolve::{OnPartial, TableJob};
use crate::stages::tables::{Bookkeeping, PlannedTable};
use crate::state::{State, StateError};

use super::context::TableContext;

/// The table at the sink that a job's chunks are noted in.
pub fn bookkeeping_table(job: &TableJob, sink: &dyn TableStore) -> Option<TableName> {
    let schema = job.work.sink.schema.as_deref().unwrap_or(sink.default_schema());
    let table = || Bookkeeping::table(&job.name, &job.profile, schema, sink.engine());
    (job.work.sink.on_partial == OnPartial::Keep).then(table)
}

/// What the sink is to know of this loading in the job's table of notes.
pub fn bookkeeping(
    table: &TableName,
    engine: Engine,
    planned: &PlannedTable,
    mapping: &TableMapping,
    summary: &ItemSummary,
) -> Bookkeeping {
    let columns: Vec<String> = (mapping.columns.iter())
        .map(|column| format!("{}>{} {}", column.source, column.target, column.target_native))
        .collect();
    let from = match &planned.from {
        RowsFrom::Table(name) => name.to_string(),
        RowsFrom::Query { text, parameters } => {
            let values = parameters.iter().map(|(name, value)| format!(" :{name}={value}"));
            text.chars().chain(values.collect::<String>().chars()).collect()
        }
    };
    let loading = format!("{} {:?}", summary.id(), summary.started);
    let shape = format!("{from} {}", columns.join(", "));
    Bookkeeping::new(table.clone(), engine, &loading, &shape)
}

/// Makes the table of notes where the job has one. False when a stop came first.
pub async fn create_bookkeeping(context: &TableContext) -> Result<bool, Fatal> {
    let Some(table) = &context.bookkeeping else {
        return Ok(true);
    };
    let statements = Bookkeeping::create(table, context.sink.engine());
    let made = at_sink(context, || context.sink.execute(&statements)).await?;
    Ok(made.is_some())
}

/// Drops the table of notes when no table is left half-way.
pub async fn drop_bookkeeping(context: &TableContext, state: &State) -> Result<(), Fatal> {
    let Some(table) = context.bookkeeping.as_ref().filter(|_| !context.stop.is_draining()) else {
        return Ok(());
    };
    if is_any_partial(state)? {
        return Ok(());
    }
    let statements = [Ddl::new(context.sink.engine()).drop_table(table)];
    at_sink(context, || context.sink.execute(&statements)).await.map(drop)
}

/// Whether a table of the job was begun, and will be gone on with.
pub fn is_any_partial(state: &State) -> Result<bool, StateError> {
    for item in state.items() {
        if is_partial(&item?.1) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a table was begun, and will be gone on with.
pub fn is_partial(summary: &ItemSummary) -> bool {
    let is_over = summary.status == ItemStatus::Skipped || summary.stage_status("data") == StageStatus::Done;
    summary.attempts > 0 && !is_over
}

/// A call that the run as a whole needs. `None` when a stop came first.
async fn at_sink<T, Work>(context: &TableContext, call: impl FnMut() -> Work) -> Result<Option<T>, Fatal>
where
    Work: Future<Output = Result<T, Failure>>,
{
    match repeat(&context.retry, &context.stop, call).await {
        Ok(done) => Ok(Some(done)),
        Err(failure) if failure.class == FailureClass::Cancelled => Ok(None),
        Err(failure) => {
            let sink = &context.job.work.sink.connection;
            Err(Fatal::Tables(failure.context(format_args!("`{sink}`"))))
        }
    }
}
