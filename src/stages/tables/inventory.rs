use std::collections::{HashMap, HashSet};

use futures::{TryFutureExt, try_join};

use crate::connect::{
    Ddl, Mapper, MappingProblem, RowsFrom, TableMapping, TableStore, TypeTable, keep_apart, map_table, same_identifier,
    type_table,
};
use crate::model::{Failure, Row, Table, TableName, Value};
use crate::resolve::{RowMode, Scope, TableJob, TableSelection, TableWork, column_row, table_row};

use super::patterns::{Selected, select};

/// One table of a job, before anything is touched.
#[derive(Clone, Debug)]
pub struct PlannedTable {
    /// The item's key: the name at the source, or the job's own name for the rows of a query.
    pub key: String,
    pub from: RowsFrom,
    pub source: Table,
    /// What the table becomes, or every reason why it cannot be taken over.
    pub mapping: Result<TableMapping, Vec<MappingProblem>>,
    /// The table that stands at the sink under that name.
    pub existing: Option<Table>,
    /// The one in which an interrupted run has gathered its rows.
    pub staging: Option<Table>,
}

/// The tables of a job in the order in which they are taken up.
#[derive(Clone, Debug, Default)]
pub struct TableInventory {
    pub tables: Vec<PlannedTable>,
    /// Patterns of the spec that fit no table, which may be misspelt.
    pub unused_patterns: Vec<String>,
}

/// Reads both catalogues and maps every table that the job means. Nothing is written.
///
/// # Errors
/// What the catalogues answer; `tables.none` when nothing fits the patterns.
pub async fn read_inventory(
    job: &TableJob,
    source: &dyn TableStore,
    sink: &dyn TableStore,
) -> Result<TableInventory, Failure> {
    let (from, to) = (&job.work.source.connection, &job.work.sink.connection);
    // Neither has to wait until the other has given up.
    let ((chosen, unused_patterns), existing) = try_join!(choose(job, source), sink.tables().map_err(at(to)))?;
    let types = type_table(source.engine(), sink.engine());
    let mut tables = map_all(job, types, source, sink, chosen, &existing);
    if from == to || is_one_database(source, sink).await? {
        refuse_own_source(&mut tables, job.work.sink.mode, sink);
    }
    Ok(TableInventory {
        tables,
        unused_patterns,
    })
}

/// What is read of one table: the item's key, where its rows come from, and its shape.
type Chosen = (String, RowsFrom, Table);

/// The tables that the job means, in its order, and the patterns that fit none; or the rows of its query, as one.
async fn choose(job: &TableJob, source: &dyn TableStore) -> Result<(Vec<Chosen>, Vec<String>), Failure> {
    let from = &job.work.source.connection;
    match &job.work.source.selection {
        TableSelection::Tables {
            include,
            exclude,
            is_by_pattern,
        } => {
            let all = source.tables().await.map_err(at(from))?;
            // Patterns of files are patterns of paths, by which the store has chosen already.
            let Selected { tables, unused } = match source.engine().has_statements() {
                true => select(all, include, exclude, *is_by_pattern)?,
                false => Selected {
                    tables: all,
                    unused: Vec::new(),
                },
            };
            let chosen = |table: Table| (table.name.to_string(), RowsFrom::Table(table.name.clone()), table);
            Ok((tables.into_iter().map(chosen).collect(), unused))
        }
        TableSelection::Query { text, parameters } => {
            let columns = source.describe(text, parameters).await.map_err(at(from))?;
            let table = Table {
                name: TableName::new("", job.name.as_str()),
                columns,
                ..Table::default()
            };
            let (text, parameters) = (text.clone(), parameters.clone());
            let chosen = (job.name.clone(), RowsFrom::Query { text, parameters }, table);
            Ok((vec![chosen], Vec::new()))
        }
    }
}

/// Names the connection that a failure is of.
fn at(connection: &str) -> impl FnOnce(Failure) -> Failure {
    move |failure| failure.context(format_args!("connection `{connection}`"))
}

/// Whether two connections lead to one database, whatever they call it.
async fn is_one_database(source: &dyn TableStore, sink: &dyn TableStore) -> Result<bool, Failure> {
    if source.engine() != sink.engine() {
        return Ok(false);
    }
    let (one, other) = try_join!(source.identity(), sink.identity())?;
    Ok(one.is_some() && one == other)
}

/// A source is only ever read: what would be written over it is refused.
fn refuse_own_source(tables: &mut [PlannedTable], mode: RowMode, sink: &dyn TableStore) {
    let same = |name: &TableName| same_identifier(sink.engine(), &name.to_string());
    let read: HashSet<String> = tables.iter().map(|planned| same(&planned.source.name)).collect();
    for planned in tables {
        let Ok(mapping) = &planned.mapping else { continue };
        let target = &mapping.target;
        let is_own = match &planned.from {
            RowsFrom::Table(_) => read.contains(&same(target)),
            // Emptied before the query reads it.
            RowsFrom::Query { text, .. } => {
                mode == RowMode::Truncate && text.to_lowercase().contains(&target.name.to_lowercase())
            }
        };
        if is_own {
            let message = match &planned.from {
                RowsFrom::Table(_) => format!("its table at the sink, `{target}`, is one of the source itself"),
                RowsFrom::Query { .. } => {
                    format!("the query reads `{target}`, which `mode: truncate` would empty before")
                }
            };
            planned.mapping = Err(vec![MappingProblem {
                place: planned.key.clone(),
                message,
                help: "a source is only ever read: give `sink.schema`, `naming.table` or the sink another place"
                    .to_owned(),
            }]);
        }
    }
}

fn map_all(
    job: &TableJob,
    types: TypeTable,
    source: &dyn TableStore,
    sink: &dyn TableStore,
    chosen: Vec<Chosen>,
    existing: &[Table],
) -> Vec<PlannedTable> {
    let work = &job.work;
    let mut names = HashMap::new();
    let mut refused: HashMap<TableName, MappingProblem> = HashMap::new();
    let mut taken: HashMap<String, TableName> = HashMap::new();
    for (_, _, table) in &chosen {
        let problem = |message: String| MappingProblem {
            place: table.name.to_string(),
            message,
            help: "correct `naming.table`".to_owned(),
        };
        match target_name(work, &table.name, source, sink) {
            Err(failure) => drop(refused.insert(table.name.clone(), problem(failure.message))),
            Ok(target) if target.name.is_empty() => {
                refused.insert(table.name.clone(), problem("its name at the sink is empty".to_owned()));
            }
            Ok(target) if !sink.engine().has_statements() && target.name.contains('/') => {
                let message = format!("its name at the sink, `{}`, cannot be that of a folder", target.name);
                refused.insert(table.name.clone(), problem(message));
            }
            Ok(target) => {
                let identity = same_identifier(sink.engine(), &target.to_string());
                if let Some(other) = taken.get(&identity) {
                    let message = format!("it gets the name `{target}` at the sink, and so does `{other}`");
                    refused.insert(table.name.clone(), problem(message));
                } else {
                    taken.insert(identity, table.name.clone());
                    names.insert(table.name.clone(), target);
                }
            }
        }
    }
    let columns: HashMap<&TableName, &Table> = chosen.iter().map(|(_, _, table)| (&table.name, table)).collect();
    let column = |table: &TableName, name: &str| {
        let native = columns
            .get(table)
            .and_then(|table| table.column(name))
            .map(|column| column.native.as_str());
        let (table, column) = (table_row(table), column_row(name, native.unwrap_or_default()));
        let scope = Scope {
            table: Some(&table),
            column: Some(&column),
            ..Scope::default()
        };
        work.naming
            .column
            .render_text(&scope)
            .map_err(|failure| failure.message)
    };
    let mapper = Mapper {
        types,
        source: source.engine(),
        sink: sink.engine(),
        overrides: &work.sink.types,
        names: &names,
        column: &column,
    };
    let mut mapped: Vec<_> = chosen
        .iter()
        .map(|(_, _, table)| match refused.remove(&table.name) {
            Some(problem) => Err(vec![problem]),
            None => map_table(table, &mapper),
        })
        .collect();
    keep_apart(
        sink.engine(),
        mapped.iter_mut().filter_map(|mapping| mapping.as_mut().ok()),
        existing.iter(),
    );
    let ddl = Ddl::new(sink.engine());
    let standing = |name: &TableName| existing.iter().find(|table| table.name == *name).cloned();
    chosen
        .into_iter()
        .zip(mapped)
        .map(|((key, from, source), mapping)| PlannedTable {
            existing: (mapping.as_ref().ok()).and_then(|mapping| standing(&mapping.target)),
            staging: (mapping.as_ref().ok()).and_then(|mapping| standing(&staging(job, ddl, mapping))),
            key,
            from,
            source,
            mapping,
        })
        .collect()
}

/// The table in which a job gathers the rows of another.
pub fn staging(job: &TableJob, ddl: Ddl, mapping: &TableMapping) -> TableName {
    ddl.staging(&job.name, &job.profile, &mapping.target)
}

/// A table's name at the sink. What stands in the usual schema of the source comes into the usual one of the sink; another schema keeps its
/// name where the sink has schemas.
fn target_name(
    work: &TableWork,
    table: &TableName,
    source: &dyn TableStore,
    sink: &dyn TableStore,
) -> Result<TableName, Failure> {
    let row: Row = table_row(table);
    let scope = Scope {
        table: Some(&row),
        ..Scope::default()
    };
    let schema = match &work.sink.schema {
        Some(schema) => schema.clone(),
        None if !sink.engine().has_schemas() => String::new(),
        None if table.schema.is_empty() || table.schema == source.default_schema() => sink.default_schema().to_owned(),
        None => table.schema.clone(),
    };
    match work.naming.table.render(&scope)? {
        Value::Text(name) => Ok(TableName::new(schema, name)),
        other => Ok(TableName::new(schema, other.to_string())),
    }
}
