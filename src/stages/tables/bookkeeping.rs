use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;

use crate::connect::{Ddl, TableStore};
use crate::model::{Engine, Failure, RowCount, RowRange, TableName, Value};
use crate::resolve::RowMode;

/// What the sink itself says of the chunks of one loading: each is noted in the transaction of its rows, so that a kill cannot come between the
/// two. All tables of a job share one table for it, which goes when all of them are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookkeeping {
    table: TableName,
    engine: Engine,
    /// Tells this loading of this table from every other.
    loading: String,
    /// What decides the rows of a chunk besides its range.
    shape: String,
}

/// The chunks that are there already, by what identifies them.
pub type Committed = HashMap<String, RowCount>;

impl Bookkeeping {
    /// The table of a job, in the schema that its tables go to.
    pub fn table(job: &str, profile: &str, schema: &str, engine: Engine) -> TableName {
        let digest = digest(&format!("{job} {profile}"));
        TableName::new(schema, engine.cut(&format!("pipeline_chunks_{}_{job}", &digest[..8])))
    }

    /// `loading` and `shape` are digested: they may be anything.
    pub fn new(table: TableName, engine: Engine, loading: &str, shape: &str) -> Self {
        Self {
            table,
            engine,
            loading: digest(loading),
            shape: digest(shape),
        }
    }

    /// What a chunk is called in the table: the same as long as its bounds are, and what is read between them.
    pub fn identity(&self, range: &RowRange) -> String {
        let range = match range {
            RowRange::Whole => "whole".to_owned(),
            // Texts of any kind are told apart in JSON.
            RowRange::Key { column, from, below } => serde_json::json!([column, from, below]).to_string(),
            RowRange::Blocks { from, below } => serde_json::json!([from, below]).to_string(),
        };
        digest(&format!("{} {range}", self.shape))
    }

    /// Statements that make the table where it is missing.
    pub fn create(table: &TableName, engine: Engine) -> Vec<String> {
        let ddl = Ddl::new(engine);
        let columns = "(loading varchar(64) not null, chunk varchar(64) not null, rows_written bigint not null, \
                       rows_rejected bigint not null, primary key (loading, chunk))";
        let name = ddl.table(table);
        let create = match engine {
            Engine::SqlServer => {
                let literal = name.replace('\'', "''");
                format!("if object_id(N'{literal}') is null create table {name} {columns}")
            }
            Engine::Sqlite | Engine::Postgres | Engine::MySql | Engine::Files => {
                format!("create table if not exists {name} {columns}")
            }
        };
        ddl.create_schema(&table.schema).into_iter().chain([create]).collect()
    }

    /// The statement that notes a chunk.
    pub fn note(&self, range: &RowRange, rows: RowCount) -> String {
        let (table, loading, chunk) = (
            Ddl::new(self.engine).table(&self.table),
            &self.loading,
            self.identity(range),
        );
        let RowCount { written, rejected } = rows;
        format!("insert into {table} values ('{loading}', '{chunk}', {written}, {rejected})")
    }

    /// The statement that takes all notes of this loading out.
    pub fn forget(&self) -> String {
        let table = Ddl::new(self.engine).table(&self.table);
        format!("delete from {table} where loading = '{}'", self.loading)
    }

    /// The chunks of this loading that are there.
    pub async fn committed(&self, sink: &dyn TableStore) -> Result<Committed, Failure> {
        let table = Ddl::new(self.engine).table(&self.table);
        let text = format!(
            "select chunk, rows_written, rows_rejected from {table} where loading = '{}'",
            self.loading
        );
        let rows: Vec<_> = sink.rows(&text, &[]).await?.try_collect().await?;
        let count = |value: Option<&Value>| match value {
            Some(Value::Integer(count)) => count.unsigned_abs(),
            Some(Value::Text(text)) => text.parse().unwrap_or_default(),
            _ => 0,
        };
        Ok(rows
            .iter()
            .map(|row| {
                let chunk = row.get("chunk").map(ToString::to_string).unwrap_or_default();
                let rows = RowCount {
                    written: count(row.get("rows_written")),
                    rejected: count(row.get("rows_rejected")),
                };
                (chunk, rows)
            })
            .collect())
    }
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// How a table that may have been begun is taken up.
#[derive(Clone, Debug, PartialEq)]
pub enum TakeUp {
    /// From its beginning.
    Anew,
    /// The chunks that are there stay.
    GoOn(Committed),
}

/// Decides whether chunks that are there already may stay.
///
/// | noted | all of them are chunks of the source as it is now | their table stands, in the right shape | mode | |
/// |---|---|---|---|---|
/// | none | – | – | any | anew |
/// | some | yes | yes | any | go on |
/// | some | – | no | any | anew |
/// | some | no | yes | `append` | refused: their rows cannot be told from others |
/// | some | no | yes | others | anew |
///
/// # Errors
/// `tables.not_quiet`.
pub fn take_up(
    bookkeeping: &Bookkeeping,
    committed: Committed,
    chunks: &[RowRange],
    stands: bool,
    mode: RowMode,
    table: &str,
) -> Result<TakeUp, Failure> {
    if committed.is_empty() || !stands {
        return Ok(TakeUp::Anew);
    }
    let now: HashSet<String> = chunks.iter().map(|range| bookkeeping.identity(range)).collect();
    let strange = committed.keys().filter(|chunk| !now.contains(*chunk)).count();
    match (strange, mode) {
        (0, _) => Ok(TakeUp::GoOn(committed)),
        (_, RowMode::Append) => Err(Failure::permanent(
            "tables.not_quiet",
            format!(
                "{strange} of the {} chunks of `{table}` that are at the sink are no chunks of the source any more: it was written to in the \
                 meantime, though its spec says `quiet`, or the spec was changed. Delete the rows that this job has added, and start it over with `run --restart --only \
                 '{table}'`",
                committed.len()
            ),
        )),
        (_, RowMode::Replace | RowMode::Truncate | RowMode::Upsert) => Ok(TakeUp::Anew),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(bounds: &[i64]) -> Vec<RowRange> {
        RowRange::of_key("Id", bounds.iter().map(|&bound| Value::Integer(bound)).collect())
    }

    fn bookkeeping() -> Bookkeeping {
        Bookkeeping::new(TableName::new("", "notes"), Engine::Sqlite, "Orders 1", "Id>id")
    }

    fn noted(ranges: &[RowRange]) -> Committed {
        let rows = RowCount {
            written: 1,
            rejected: 0,
        };
        ranges
            .iter()
            .map(|range| (bookkeeping().identity(range), rows))
            .collect()
    }

    #[test]
    fn chunks_stay_only_as_long_as_the_source_is_cut_as_before() {
        let (before, now) = (ranges(&[10, 20]), ranges(&[10, 21]));
        let taken = |chunks: &[RowRange], stands, mode| {
            let taken = take_up(&bookkeeping(), noted(&before[..2]), chunks, stands, mode, "Orders");
            taken.map_err(|failure| failure.code.to_string())
        };
        let go_on = Ok(TakeUp::GoOn(noted(&before[..2])));
        let anew = Ok(TakeUp::Anew);
        for mode in [RowMode::Replace, RowMode::Truncate, RowMode::Append, RowMode::Upsert] {
            assert_eq!(taken(&before, true, mode), go_on, "{mode:?}");
            assert_eq!(taken(&before, false, mode), anew, "{mode:?}");
            assert_eq!(
                take_up(&bookkeeping(), noted(&[]), &before, true, mode, "Orders"),
                Ok(TakeUp::Anew)
            );
        }
        assert_eq!(taken(&now, true, RowMode::Append), Err("tables.not_quiet".to_owned()));
        assert_eq!(taken(&now, true, RowMode::Truncate), anew);
        assert_eq!(taken(&now, true, RowMode::Replace), anew);
    }

    #[test]
    fn a_long_name_of_a_job_is_cut_and_stays_its_own() {
        let name = |job: &str| Bookkeeping::table(job, "local", "public", Engine::Postgres).name;
        let (one, other) = (name(&"a".repeat(70)), name(&format!("{}b", "a".repeat(69))));
        assert!(one.len() <= 63 && one != other, "{one} {other}");
    }
}
