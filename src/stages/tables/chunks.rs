use crate::connect::{RowsFrom, TableStore, type_table};
use crate::model::{Carry, ChunkPolicy, ChunkWay, Column, Engine, Failure, RowRange, Table};

/// Physical blocks in one chunk when the catalogue cannot say how many rows a block holds.
const BLOCKS_UNKNOWN: u64 = 1_024;

/// Cuts the rows of a table or query.
///
/// | way | table | query |
/// |---|---|---|
/// | `auto` | blocks where the engine reads by them, else the first column of the primary key, else one chunk | one chunk |
/// | `key` | the named column, else the first column of the primary key; without one a failure | the named column |
/// | `key or whole` | the first column of the primary key, else one chunk | one chunk |
/// | `blocks` | blocks; a failure where the engine has none | – |
/// | `whole` | one chunk | one chunk |
///
/// A key of bytes cuts nothing but where the engine writes its values as text: not asked for by name it is no key, else it is a failure.
///
/// # Errors
/// `tables.no_key`, `tables.no_column`, `tables.no_blocks`, `database.key_type`, and what the source answers.
pub async fn plan_chunks(
    source: &dyn TableStore,
    from: &RowsFrom,
    table: &Table,
    policy: &ChunkPolicy,
) -> Result<Vec<RowRange>, Failure> {
    let engine = source.engine();
    if let Some(failure) = check_chunks(engine, table, policy) {
        return Err(failure);
    }
    let first_of_key = || first_of_key(table).map(|column| &column.name);
    match &policy.way {
        ChunkWay::Whole => Ok(vec![RowRange::Whole]),
        ChunkWay::Blocks => match blocks(source, from, table, policy.rows).await? {
            Some(ranges) => Ok(ranges),
            None => Err(Failure::permanent(
                "tables.no_blocks",
                format!(
                    "`{}` cannot be read by blocks in {}; write `chunks: {{ by: key }}`",
                    table.name,
                    source.engine()
                ),
            )),
        },
        ChunkWay::Auto | ChunkWay::KeyOrWhole => {
            if policy.way == ChunkWay::Auto
                && let Some(ranges) = blocks(source, from, table, policy.rows).await?
            {
                return Ok(ranges);
            }
            match first_of_key().filter(|_| uncut(engine, table, policy).is_none()) {
                Some(column) => by_key(source, from, column, policy.rows).await,
                None => Ok(vec![RowRange::Whole]),
            }
        }
        ChunkWay::Key(Some(column)) => by_key(source, from, column, policy.rows).await,
        ChunkWay::Key(None) => match first_of_key() {
            Some(column) => by_key(source, from, column, policy.rows).await,
            // The check above has refused it.
            None => Ok(vec![RowRange::Whole]),
        },
    }
}

/// Why a table cannot be cut in the way that is asked for, as far as its columns tell.
pub fn check_chunks(engine: Engine, table: &Table, policy: &ChunkPolicy) -> Option<Failure> {
    let name = &table.name;
    let key = match &policy.way {
        ChunkWay::Key(Some(column)) => table.column(column),
        ChunkWay::Key(None) => first_of_key(table),
        ChunkWay::Auto | ChunkWay::KeyOrWhole | ChunkWay::Blocks | ChunkWay::Whole => None,
    };
    if let Some(key) = key.filter(|key| is_of_bytes(engine, key)) {
        let (key, native) = (&key.name, &key.native);
        let message = format!(
            "the key `{key}` of `{name}`, `{native}`, holds bytes, which chunks cannot be cut by; name another column, or write `by: none`"
        );
        return Some(Failure::data("database.key_type", message));
    }
    match &policy.way {
        ChunkWay::Key(Some(column)) if table.column(column).is_none() => {
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let columns = columns.join("`, `");
            let message = format!("`{name}` has no column `{column}` to be cut by; its columns are `{columns}`");
            Some(Failure::permanent("tables.no_column", message))
        }
        ChunkWay::Key(None) if table.primary_key.is_none() => {
            let message = format!("`{name}` has no primary key to be cut by; name a column, or write `by: none`");
            Some(Failure::permanent("tables.no_key", message))
        }
        _ => None,
    }
}

/// Why the rows of a table are one chunk although its primary key could cut them, where its columns tell that.
pub fn uncut(engine: Engine, table: &Table, policy: &ChunkPolicy) -> Option<String> {
    let is_by_key = matches!(policy.way, ChunkWay::Auto | ChunkWay::KeyOrWhole);
    let key = first_of_key(table).filter(|key| is_by_key && is_of_bytes(engine, key))?;
    let (key, native) = (&key.name, &key.native);
    Some(format!(
        "the first column of its primary key, `{key}` (`{native}`), holds bytes, which chunks cannot be cut by"
    ))
}

fn first_of_key(table: &Table) -> Option<&Column> {
    let key = table.primary_key.as_ref()?;
    table.column(key.columns.first()?)
}

/// Whether a column's values have no text that a statement could compare it with. PostgreSQL's have.
fn is_of_bytes(engine: Engine, column: &Column) -> bool {
    let mapped = type_table(engine, engine).map(&column.native);
    engine != Engine::Postgres && mapped.is_some_and(|mapped| mapped.carry == Carry::Bytes)
}

async fn by_key(source: &dyn TableStore, from: &RowsFrom, column: &str, rows: u64) -> Result<Vec<RowRange>, Failure> {
    Ok(RowRange::of_key(column, source.key_bounds(from, column, rows).await?))
}

/// Ranges of physical blocks; `None` where the engine has none.
async fn blocks(
    source: &dyn TableStore,
    from: &RowsFrom,
    table: &Table,
    rows: u64,
) -> Result<Option<Vec<RowRange>>, Failure> {
    let (RowsFrom::Table(name), Engine::Postgres | Engine::Files) = (from, source.engine()) else {
        return Ok(None);
    };
    if source.engine() == Engine::Postgres && is_one_chunk(table, rows) {
        return Ok(Some(block_ranges(0, 1)));
    }
    let Some(blocks) = source.blocks(name).await? else {
        return Ok(None);
    };
    let in_chunk = match table.rows_estimate {
        Some(estimate) if estimate > 0 && blocks > 0 => (rows * blocks).div_ceil(estimate).max(1),
        // A block of them is a file, or a group of rows in one.
        _ if source.engine() == Engine::Files => 1,
        _ => BLOCKS_UNKNOWN,
    };
    Ok(Some(block_ranges(blocks, in_chunk)))
}

/// Whether the catalogue already says that the rows of a table are one chunk: of many small tables none has to be asked about.
fn is_one_chunk(table: &Table, rows: u64) -> bool {
    let is_small = |estimate: u64| 0 < estimate && estimate <= rows;
    !table.extras.is_partitioned && table.rows_estimate.is_some_and(is_small)
}

/// The last range is open: rows may have been added behind it.
fn block_ranges(blocks: u64, in_chunk: u64) -> Vec<RowRange> {
    let count = blocks.div_ceil(in_chunk).max(1);
    (0..count)
        .map(|number| RowRange::Blocks {
            from: number * in_chunk,
            below: (number + 1 < count).then(|| (number + 1) * in_chunk),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_bytes_cuts_nothing_unless_it_is_asked_for_by_name() {
        use crate::model::{Key, TableName};

        let column = |name: &str, native: &str| Column {
            name: name.to_owned(),
            native: native.to_owned(),
            is_nullable: false,
            is_identity: false,
            is_computed: false,
        };
        let table = Table {
            name: TableName::new("crm", "T"),
            columns: vec![column("Id", "binary(16)"), column("At", "bigint")],
            primary_key: Some(Key {
                columns: vec!["Id".to_owned(), "At".to_owned()],
            }),
            ..Table::default()
        };
        let policy = |way| ChunkPolicy { rows: 10, way };
        let refused = |engine, way| {
            let failure = check_chunks(engine, &table, &policy(way));
            failure.map(|failure| (failure.code.to_string(), failure.message))
        };
        let named = |name: &str| ChunkWay::Key(Some(name.to_owned()));
        for engine in [Engine::MySql, Engine::SqlServer] {
            for way in [ChunkWay::Key(None), named("Id")] {
                let (code, message) = refused(engine, way.clone()).unwrap();
                assert_eq!(code, "database.key_type");
                assert!(message.contains("`Id` of `crm.T`, `binary(16)`"), "{message}");
                assert_eq!(uncut(engine, &table, &policy(way)), None);
            }
            for way in [named("At"), ChunkWay::Auto, ChunkWay::KeyOrWhole, ChunkWay::Whole] {
                assert_eq!(refused(engine, way), None);
            }
            assert!(uncut(engine, &table, &policy(ChunkWay::Auto)).unwrap().contains("`Id`"));
            assert!(uncut(engine, &table, &policy(ChunkWay::KeyOrWhole)).is_some());
            assert_eq!(uncut(engine, &table, &policy(ChunkWay::Whole)), None);
        }
        let of_postgres = Table {
            columns: vec![column("Id", "bytea")],
            ..table.clone()
        };
        let auto = policy(ChunkWay::KeyOrWhole);
        assert_eq!(uncut(Engine::Postgres, &of_postgres, &auto), None);
        assert!(check_chunks(Engine::Postgres, &of_postgres, &policy(named("Id"))).is_none());
    }

    #[test]
    fn blocks_are_cut_without_a_gap_and_the_last_range_is_open() {
        let shown = |blocks, in_chunk| -> Vec<String> {
            block_ranges(blocks, in_chunk).iter().map(RowRange::to_string).collect()
        };
        assert_eq!(shown(10, 4), ["blocks 0 to 3", "blocks 4 to 7", "blocks 8 and above"]);
        assert_eq!(shown(8, 4), ["blocks 0 to 3", "blocks 4 and above"]);
        assert_eq!(shown(0, 4), ["blocks 0 and above"]);
    }
}
