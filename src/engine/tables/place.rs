use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use crate::connect::{Ddl, TableMapping, TableStore};
use crate::model::{Failure, TableName};
use crate::resolve::{RowMode, TableJob};
use crate::stages::tables::{PlannedTable, staging};

use super::fit::fit;

/// Where the rows of a table go, and what has to be done before they can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table that is written to.
    pub into: TableName,
    /// The rows are gathered there until they take the target's place, or until it is declared complete.
    pub is_staging: bool,
    /// Rows that others point at are taken out, so that keys around the table have to go first.
    pub is_emptied: bool,
    pub statements: Vec<String>,
}

/// The schemas at the sink, each of which is made once in a run.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<HashMap<String, Arc<OnceCell<()>>>>);

impl Schemas {
    /// Makes a schema where it is missing; tables that need the same one wait for it.
    async fn stand(&self, sink: &dyn TableStore, schema: &str) -> Result<(), Failure> {
        let Some(create) = Ddl::new(sink.engine()).create_schema(schema) else {
            return Ok(());
        };
        let statements = [create];
        let mut schemas = self.0.lock().await;
        let made = Arc::clone(schemas.entry(schema.to_owned()).or_default());
        drop(schemas);
        made.get_or_try_init(|| sink.execute(&statements)).await.map(drop)
    }
}

/// Decides where rows go.
///
/// | mode | target is there | rows go into | before |
/// |---|---|---|---|
/// | `replace` | any | a table beside it | that table is made anew |
/// | `replace`, in files | any | the target, part by part | it is no longer declared complete |
/// | others | no | the target | it is made |
/// | `truncate` | yes, fits | the target | it is emptied |
/// | `append`, `upsert` | yes, fits | the target | nothing |
/// | any but `replace` | yes, does not fit | – | refused, or with `contract: evolve` the missing columns are added |
///
/// With `goes_on`, rows that are gathered or there already stay: nothing is made anew or emptied.
///
/// # Errors
/// `tables.contract`: the target has another shape. `tables.no_key`: `upsert` without a primary key.
pub fn place(
    planned: &PlannedTable,
    mapping: &TableMapping,
    job: &TableJob,
    ddl: Ddl,
    goes_on: bool,
) -> Result<Place, Failure> {
    let work = &job.work;
    let mut statements = Vec::new();
    let mode = work.sink.mode;
    if mode == RowMode::Upsert && mapping.primary_key.is_none() {
        return Err(Failure::permanent(
            "tables.no_key",
            format!(
                "`{}` has no primary key by which rows could replace each other; use `append`",
                mapping.source
            ),
        ));
    }
    if !work.sink.is_of_statements() {
        return Ok(Place {
            into: mapping.target.clone(),
            is_staging: true,
            is_emptied: false,
            statements: Vec::new(),
        });
    }
    if mode == RowMode::Replace {
        let into = staging(job, ddl, mapping);
        if !goes_on {
            statements.extend([ddl.drop_table(&into), ddl.create_table(mapping, &into)]);
        }
        return Ok(Place {
            into,
            is_staging: true,
            is_emptied: false,
            statements,
        });
    }
    let mut is_emptied = false;
    match &planned.existing {
        None => {
            statements.push(ddl.create_table(mapping, &mapping.target));
            if mode == RowMode::Upsert {
                // Rows are recognised by it.
                statements.extend(ddl.primary_key(mapping).map(|statement| statement.text));
            }
        }
        Some(existing) => {
            statements.extend(fit(existing, mapping, work.sink.contract, ddl.engine())?);
            if mode == RowMode::Truncate && !goes_on {
                is_emptied = true;
                statements.push(ddl.truncate(&mapping.target));
            }
        }
    }
    Ok(Place {
        into: mapping.target.clone(),
        is_staging: false,
        is_emptied,
        statements,
    })
}

/// Whether the table that rows were going into stands as it was left.
pub fn stands(planned: &PlannedTable, mapping: &TableMapping, mode: RowMode) -> bool {
    match mode {
        RowMode::Replace => planned.staging.as_ref().is_some_and(|staging| {
            let mut columns = mapping.columns.iter();
            staging.columns.len() == columns.len()
                && columns.all(|column| {
                    (staging.column(&column.target)).is_some_and(|found| found.native == column.target_native)
                })
        }),
        RowMode::Truncate | RowMode::Append | RowMode::Upsert => planned.existing.is_some(),
    }
}

/// Makes the sink ready for the rows to come.
pub async fn prepare(sink: &dyn TableStore, schemas: &Schemas, place: &Place) -> Result<(), Failure> {
    schemas.stand(sink, &place.into.schema).await?;
    sink.begin(&place.into).await?;
    if place.statements.is_empty() {
        return Ok(());
    }
    sink.execute(&place.statements).await
}

/// Puts the gathered rows into the target's place. The answer to an attempt before a repetition may have been lost: what was gathered stands in its
/// place then, under its name.
pub async fn swap(
    sink: &dyn TableStore,
    place: &Place,
    mapping: &TableMapping,
    is_repetition: bool,
) -> Result<(), Failure> {
    if !place.is_staging {
        return Ok(());
    }
    match sink.swap(&place.into, &mapping.target).await {
        Err(_) if is_repetition && is_swapped(sink, place, mapping).await => Ok(()),
        swapped => swapped,
    }
}

async fn is_swapped(sink: &dyn TableStore, place: &Place, mapping: &TableMapping) -> bool {
    let tables = sink.tables().await.unwrap_or_default();
    let stands = |name: &TableName| tables.iter().any(|table| table.name == *name);
    !stands(&place.into) && stands(&mapping.target)
}
