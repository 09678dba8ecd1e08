use std::collections::{BTreeMap, HashMap};

use crate::model::{
    Account, EffectStatus, ItemId, ItemKey, ItemStatus, ItemSummary, PageIntent, UnitIntent, UnitRecord, UnitStatus,
};
use crate::state::{Change, State, StateError, StateWriter};

use super::item_list::ItemEntry;

/// A file that something else has brought to the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoneFile {
    /// Its name at the sink.
    pub target: String,
    /// Bytes, where they are known.
    pub size: Option<u64>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Files of the ledger that were not settled and are present now.
    pub settled: u64,
    /// Files that were not in the ledger yet.
    pub added: u64,
    pub settled_before: u64,
    /// Files that no row of their item's list leads to.
    pub not_in_list: u64,
}

/// Takes files over as present: neither the sink is asked about them nor a message sent for them.
///
/// | the item's list | the file | then |
/// |---|---|---|
/// | any | in a page, settled | stays |
/// | any | in a page, pending or failed | present |
/// | not read to its end | in no page | a page of its own holds it, and the list is told by names, so that its row is known when it comes |
/// | read to its end | in no page | left out |
pub async fn import_done(
    state: &State,
    writer: &StateWriter,
    entries: &[ItemEntry],
    mut done: BTreeMap<ItemKey, Vec<DoneFile>>,
    page_units: usize,
) -> Result<Imported, StateError> {
    let mut imported = Imported::default();
    for entry in entries {
        let Some(files) = done.remove(&entry.key) else { continue };
        let mut sizes: HashMap<String, Option<u64>> = HashMap::new();
        for file in files {
            sizes.insert(file.target, file.size);
        }
        let known = state.item(ItemId::of(&entry.key))?;
        let mut summary = known.unwrap_or_else(|| ItemSummary::new(entry.key.clone(), entry.ordinal));
        settle(state, writer, &mut summary, &mut sizes, &mut imported).await?;
        if summary.listed {
            imported.not_in_list += sizes.len() as u64;
        } else {
            imported.added += sizes.len() as u64;
            add(writer, &mut summary, sizes, page_units).await?;
        }
    }
    Ok(imported)
}

/// Settles what pages hold of the files already, and takes it out of `sizes`.
async fn settle(
    state: &State,
    writer: &StateWriter,
    summary: &mut ItemSummary,
    sizes: &mut HashMap<String, Option<u64>>,
    imported: &mut Imported,
) -> Result<(), StateError> {
    let item = summary.id();
    let pages = state.pages(item)?;
    summary.units = pages.iter().fold(Account::default(), |mut sum, page| {
        sum += page.account();
        sum
    });
    for page in pages {
        let (number, account) = (page.page(), page.account());
        let mut records = state.records(page)?;
        let mut has_changed = false;
        for record in &mut records {
            let Some(size) = sizes.remove(&record.target) else {
                continue;
            };
            if matches!(record.status, UnitStatus::Done | UnitStatus::Present) {
                imported.settled_before += 1;
                continue;
            }
            imported.settled += 1;
            has_changed = true;
            take_over(record, size);
        }
        if has_changed {
            summary.units -= account;
            summary.units += Account::of(&records);
            mark_pending(summary);
            let sealed = Change::SealPage {
                item,
                page: number,
                records,
                summary: summary.clone(),
            };
            writer.send_durable(sealed).await?.wait().await?;
        }
    }
    Ok(())
}

/// Adds files that no page holds, in pages of their own.
async fn add(
    writer: &StateWriter,
    summary: &mut ItemSummary,
    sizes: HashMap<String, Option<u64>>,
    page_units: usize,
) -> Result<(), StateError> {
    let mut files: Vec<(String, Option<u64>)> = sizes.into_iter().collect();
    files.sort();
    for files in files.chunks(page_units.max(1)) {
        let units: Vec<UnitIntent> = files.iter().map(|(target, size)| intent(target, *size)).collect();
        let records: Vec<UnitRecord> = units
            .iter()
            .map(|unit| {
                let mut record = UnitRecord::pending(unit);
                take_over(&mut record, unit.size);
                record
            })
            .collect();
        let page = summary.pages;
        summary.pages += 1;
        summary.listed_by_name = true;
        summary.units += Account::of(&records);
        mark_pending(summary);
        let (item, summary) = (summary.id(), summary.clone());
        let intent = PageIntent {
            units,
            ..PageIntent::default()
        };
        let opened = Change::OpenPage {
            item,
            page,
            intent,
            summary: summary.clone(),
        };
        writer.send(opened).await?;
        let sealed = Change::SealPage {
            item,
            page,
            records,
            summary,
        };
        writer.send_durable(sealed).await?.wait().await?;
    }
    Ok(())
}

/// A source is not known: the record stands for the row whose target it is.
fn intent(target: &str, size: Option<u64>) -> UnitIntent {
    UnitIntent {
        source: String::new(),
        target: target.to_owned(),
        size,
        existed: true,
        refusal: None,
        effects: Vec::new(),
    }
}

fn take_over(record: &mut UnitRecord, size: Option<u64>) {
    record.status = UnitStatus::Present;
    record.size = size.or(record.size);
    record.existed = true;
    record.failure = None;
    for effect in &mut record.effects {
        if effect.status != EffectStatus::Sent {
            effect.status = EffectStatus::NotDue;
            effect.body = None;
            effect.failure = None;
        }
    }
}

/// The next run looks through what is left of it, unless it is skipped.
fn mark_pending(summary: &mut ItemSummary) {
    if summary.status != ItemStatus::Skipped {
        summary.status = ItemStatus::Pending;
    }
}
