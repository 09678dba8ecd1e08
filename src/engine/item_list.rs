use std::collections::HashMap;
use std::collections::hash_map::Entry;

use futures::TryStreamExt;

use crate::connect::Connections;
use crate::model::{Failure, ItemId, ItemKey, Row, redact};
use crate::resolve::{FileJob, ItemsSource, KnownJob, ResolvedJob, Scope, TableJob};
use crate::stages::open_rows;
use crate::stages::tables::{TableInventory, open_sink, open_source, read_inventory};

use super::Stop;
use super::attempts::repeat;

/// An item of the job's list.
#[derive(Clone, Debug)]
pub struct ItemEntry {
    pub key: ItemKey,
    /// Its place in the list, from 0.
    pub ordinal: u64,
    /// Absent where the job itself is the only item.
    pub row: Option<Row>,
}

/// Reads the whole item list, so that an unreadable line or a key that stands twice is known before anything is touched.
///
/// Held in memory: about 200 bytes an item.
pub async fn read_items(job: &FileJob, connections: &Connections, stop: &Stop) -> Result<Vec<ItemEntry>, Failure> {
    match &job.work.source.items {
        None => Ok(vec![ItemEntry {
            key: job.name.clone(),
            ordinal: 0,
            row: None,
        }]),
        Some(items) => repeat(&job.retry, stop, || read_once(items, connections)).await,
    }
}

/// The items of a job of any kind.
pub async fn list_items(job: &ResolvedJob, connections: &Connections, stop: &Stop) -> Result<Vec<ItemEntry>, Failure> {
    match job.clone().known() {
        KnownJob::Files(job) => read_items(&job, connections, stop).await,
        KnownJob::Tables(job) => read_tables(&job, connections).await.map(|(entries, _)| entries),
    }
}

/// The tables of a job as its items, and what is planned for each.
pub async fn read_tables(
    job: &TableJob,
    connections: &Connections,
) -> Result<(Vec<ItemEntry>, TableInventory), Failure> {
    let source = open_source(&job.work.source, connections).await?;
    let sink = open_sink(&job.work.sink, connections).await?;
    let inventory = read_inventory(job, &*source, &*sink).await?;
    let entries = (0..).zip(&inventory.tables).map(|(ordinal, table)| ItemEntry {
        key: table.key.clone(),
        ordinal,
        row: None,
    });
    Ok((entries.collect(), inventory))
}

async fn read_once(items: &ItemsSource, connections: &Connections) -> Result<Vec<ItemEntry>, Failure> {
    let mut rows = open_rows(&items.rows, &Scope::default(), connections).await?;
    let mut entries: Vec<ItemEntry> = Vec::new();
    let mut places: HashMap<ItemId, usize> = HashMap::new();
    while let Some(row) = rows.try_next().await? {
        let place = place_of(&row, entries.len());
        let key = items.key.render_text(&Scope {
            item: Some(&row),
            ..Scope::default()
        });
        let key = redact(&key.map_err(|failure| failure.context(&place))?).into_owned();
        if key.trim().is_empty() {
            return Err(Failure::data(
                "items.empty_key",
                format!("{place}: the key `{}` is empty", items.key.text()),
            ));
        }
        match places.entry(ItemId::of(&key)) {
            Entry::Vacant(vacant) => drop(vacant.insert(entries.len())),
            Entry::Occupied(first) => {
                let first = &entries[*first.get()];
                let first = first
                    .row
                    .as_ref()
                    .map_or_else(String::new, |row| place_of(row, first.ordinal as usize));
                return Err(Failure::data(
                    "items.duplicate_key",
                    format!("{place}: the key `{key}` stands already at {first}; every item needs a key of its own"),
                ));
            }
        }
        let ordinal = entries.len() as u64;
        entries.push(ItemEntry {
            key,
            ordinal,
            row: Some(row),
        });
    }
    Ok(entries)
}

fn place_of(row: &Row, index: usize) -> String {
    row.line
        .map_or_else(|| format!("row {}", index + 1), |line| format!("line {line}"))
}
