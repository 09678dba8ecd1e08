//! The chunks of a table on their way, page by page.

use futures::future::BoxFuture;
use futures::{StreamExt, stream};

use crate::engine::item::Broken;
use crate::model::{Account, Event, PageIntent, RowRange, UnitIntent, UnitRecord, UnitResult, UnitStatus};
use crate::stages::tables::chunk_name;

use super::chunk::{Chunk, ChunkWork, work_on};
use super::item::TableRun;
use super::place::Place;

impl TableRun<'_> {
    /// Loads all chunks, page by page. True when every row is there.
    pub(super) async fn load(
        &mut self,
        work: &ChunkWork<'_>,
        place: &Place,
        chunks: &[RowRange],
    ) -> Result<bool, Broken> {
        let pages: Vec<&[RowRange]> = chunks.chunks(self.context.job.limits.page_units).collect();
        // Pages of an earlier run that the table no longer needs are emptied.
        let page_count = (pages.len() as u32).max(self.summary.pages);
        // They count until they are opened anew.
        self.summary.units = Account::default();
        for page in &self.past.pages {
            self.summary.units += page.account();
        }
        self.summary.listed = false;
        for page in 0..page_count {
            let ranges = pages.get(page as usize).copied().unwrap_or_default();
            self.summary.listed = page as usize + 1 >= pages.len();
            self.summary.pages = self.summary.pages.max(page + 1);
            if !self.load_page(work, place, page, ranges).await? {
                return Ok(false);
            }
        }
        Ok(self.summary.units.failed == 0)
    }

    /// False when a stop came before the page was through.
    async fn load_page(
        &mut self,
        work: &ChunkWork<'_>,
        place: &Place,
        page: u32,
        ranges: &[RowRange],
    ) -> Result<bool, Broken> {
        let context = self.context;
        let name = |range: &RowRange| chunk_name(&self.planned.key, range);
        let units: Vec<UnitIntent> = ranges
            .iter()
            .map(|range| UnitIntent {
                source: name(range),
                target: work.mapping.target.to_string(),
                size: None,
                existed: false,
                refusal: None,
                effects: Vec::new(),
            })
            .collect();
        let mut records: Vec<UnitRecord> = units.iter().map(UnitRecord::pending).collect();
        let before = self.past.pages.iter().find(|before| before.page() == page);
        if let Some(before) = before {
            self.summary.units -= before.account();
        }
        self.summary.units += Account::of(&records);
        let intent = PageIntent {
            units,
            ..PageIntent::default()
        };
        let item = work.item;
        let opened = Event::PageOpened {
            item,
            page,
            intent,
            summary: self.summary.clone(),
        };
        // Rows that are gathered apart are nobody's until they take their place: a run that finds no intent gathers them anew.
        if place.is_staging {
            context.events.send(opened).await?;
        } else {
            context.events.send_durable(opened).await?;
        }
        let chunks = (0..).zip(ranges).map(|(unit, range)| {
            let chunk = Chunk {
                page,
                unit,
                part: u64::from(page) * context.job.limits.page_units as u64 + u64::from(unit) + 1,
                range,
            };
            let attempt: BoxFuture<'_, Option<UnitResult>> = Box::pin(async move {
                if context.stop.is_draining() {
                    return None;
                }
                work_on(context, work, chunk).await
            });
            attempt
        });
        let chunks: Vec<_> = chunks.collect();
        let mut running = stream::iter(chunks).buffer_unordered(context.job.concurrency.units);
        let mut is_through = true;
        while let Some(result) = running.next().await {
            let Some(result) = result else {
                is_through = false;
                continue;
            };
            let record = &mut records[result.unit as usize];
            let bytes = result.size.unwrap_or(0);
            self.summary.units.move_unit(UnitStatus::Pending, result.status, bytes);
            self.summary.units.rows += result.rows;
            record.apply(&result);
            let failed = result.failure.is_some().then(|| record.source.clone());
            context
                .events
                .send(Event::UnitFinished {
                    item,
                    page,
                    previous: UnitStatus::Pending,
                    previous_effects: Vec::new(),
                    result,
                    name: failed,
                })
                .await?;
        }
        drop(running);
        if !is_through {
            return Ok(false);
        }
        let finished = Event::PageFinished {
            item,
            page,
            records,
            summary: self.summary.clone(),
        };
        context.events.send(finished).await?;
        Ok(true)
    }
}
