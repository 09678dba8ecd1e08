use crate::engine::Fatal;
use crate::engine::verifier::seal_anew;
use crate::model::{Account, ItemStatus, ItemSummary, RowCount, StageStatus, UnitRecord, UnitStatus};
use crate::stages::tables::remove_rejects;
use crate::state::{Change, State, StateWriter};

/// Makes a table one that no run has worked on, but for the keys that are owed to it and the names of its chunks. What was written down of its
/// rejected rows goes.
pub async fn put_table_back(state: &State, writer: &StateWriter, mut summary: ItemSummary) -> Result<(), Fatal> {
    let id = summary.id();
    summary.status = ItemStatus::Pending;
    // What the sink has noted of chunks is of the loading that began then.
    (summary.started, summary.ended, summary.listing_failure) = (None, None, None);
    for stage in &mut summary.stages {
        stage.status = StageStatus::Pending;
        (stage.started, stage.ended, stage.failure) = (None, None, None);
    }
    for page in state.pages(id)? {
        let mut records: Vec<UnitRecord> = state.records(page.clone())?;
        for record in &mut records {
            record.status = UnitStatus::Pending;
            record.rows = RowCount::default();
            (record.size, record.hash, record.failure) = (None, None, None);
        }
        summary.units -= page.account();
        summary.units += Account::of(&records);
        seal_anew(writer, id, &page, records, &summary).await?;
    }
    writer.send_durable(Change::Item(summary)).await?.wait().await?;
    remove_rejects(&state.folder().rejects(), id).map_err(Fatal::Tables)
}
