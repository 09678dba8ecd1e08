use crate::connect::{RowsFrom, SqlDatabase};
use crate::model::{ChunkPolicy, ChunkWay, Engine, Failure, RowRange, Table};

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
/// # Errors
/// `tables.no_key`, `tables.no_column`, `tables.no_blocks`, and what the source answers.
pub async fn plan_chunks(
    source: &dyn SqlDatabase,
    from: &RowsFrom,
    table: &Table,
    policy: &ChunkPolicy,
) -> Result<Vec<RowRange>, Failure> {
    if let Some(failure) = check_chunks(table, policy) {
        return Err(failure);
    }
    let first_of_key = || table.primary_key.as_ref().and_then(|key| key.columns.first());
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
            match first_of_key() {
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
pub fn check_chunks(table: &Table, policy: &ChunkPolicy) -> Option<Failure> {
    let name = &table.name;
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

async fn by_key(source: &dyn SqlDatabase, from: &RowsFrom, column: &str, rows: u64) -> Result<Vec<RowRange>, Failure> {
    Ok(RowRange::of_key(column, source.key_bounds(from, column, rows).await?))
}

/// Ranges of physical blocks; `None` where the engine has none.
async fn blocks(
    source: &dyn SqlDatabase,
    from: &RowsFrom,
    table: &Table,
    rows: u64,
) -> Result<Option<Vec<RowRange>>, Failure> {
    let (RowsFrom::Table(name), Engine::Postgres | Engine::Files) = (from, source.engine()) else {
        return Ok(None);
    };
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
    fn blocks_are_cut_without_a_gap_and_the_last_range_is_open() {
        let shown = |blocks, in_chunk| -> Vec<String> {
            block_ranges(blocks, in_chunk).iter().map(RowRange::to_string).collect()
        };
        assert_eq!(shown(10, 4), ["blocks 0 to 3", "blocks 4 to 7", "blocks 8 and above"]);
        assert_eq!(shown(8, 4), ["blocks 0 to 3", "blocks 4 and above"]);
        assert_eq!(shown(0, 4), ["blocks 0 and above"]);
    }
}
