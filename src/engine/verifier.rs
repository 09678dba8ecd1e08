use std::sync::Arc;

use futures::{StreamExt, stream};

use crate::connect::{Connections, Store};
use crate::model::{
    ItemId, ItemKey, ItemStatus, ItemSummary, PageIntent, RetryPolicy, SinkMode, UnitIntent, UnitRecord, UnitStatus,
    VerifyCounts,
};
use crate::resolve::FileJob;
use crate::stages::{Check, Verdict, check};
use crate::state::{Change, PageState, State, StateWriter};

use super::attempts::repeat;
use super::context::unit_policy;
use super::failed::in_list_order;
use super::{Fatal, Stop};

/// How `verify` goes about it.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// Check this many units drawn at random; all when absent.
    pub sample: Option<u64>,
    pub how: Check,
    /// Put units that are not at the sink back to pending.
    pub reopen: bool,
    /// Decides which units a sample holds.
    pub seed: u64,
}

/// One unit that is not as the ledger has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub item: ItemKey,
    pub record: UnitRecord,
    pub verdict: Verdict,
}

/// Checks a unit under the retry policy: a sink that does not answer once says nothing about the unit.
async fn check_patiently(sink: &dyn Store, record: &UnitRecord, how: Check, policy: &RetryPolicy) -> Verdict {
    let stop = Stop::default();
    let checked = repeat(policy, &stop, || async {
        match check(sink, record, how).await {
            Verdict::Unreadable(failure) => Err(failure),
            verdict => Ok(verdict),
        }
    });
    checked.await.unwrap_or_else(Verdict::Unreadable)
}

fn count(counts: &mut VerifyCounts, verdict: &Verdict) {
    match verdict {
        Verdict::Same { checksum } => {
            counts.same += 1;
            counts.same_by_checksum += u64::from(*checksum);
        }
        Verdict::Missing => counts.missing += 1,
        Verdict::SizeDiffers { .. } => counts.size_differs += 1,
        Verdict::ChecksumDiffers => counts.checksum_differs += 1,
        Verdict::NotDone => counts.not_done += 1,
        Verdict::Unreadable(_) => counts.unreadable += 1,
    }
}

/// Checks the ledger against the sink, page by page in bounded memory; `visit` sees every unit that is not as it should be.
pub async fn verify(
    job: &FileJob,
    state: Arc<State>,
    writer: &StateWriter,
    options: VerifyOptions,
    mut visit: impl FnMut(&Finding),
) -> Result<VerifyCounts, Fatal> {
    let stop = Stop::default();
    let connections = Connections::bounded(job.connections.clone(), job.concurrency.leaves, stop.drain_token());
    let name = &job.work.sink.connection;
    let sink = connections.store(name).await;
    let sink = sink.map_err(|failure| Fatal::Connection {
        name: name.clone(),
        failure,
    })?;
    let mut counts = VerifyCounts::default();
    for found in state.items() {
        let (_, summary) = found?;
        let is_skipped = summary.status == ItemStatus::Skipped;
        counts.ledger += match is_skipped {
            true => summary.units.settled(),
            false => summary.units.planned(),
        };
        counts.unlisted_items += u64::from(!summary.listed && !is_skipped);
    }
    let policy = unit_policy(job);
    let mut draw = Draw::new(options.seed, options.sample, counts.ledger);
    for id in in_list_order(&state, |_| true)? {
        let Some(mut summary) = state.item(id)? else { continue };
        for page in state.pages(id)? {
            let records = match &page {
                PageState::Open { records, .. } => records.clone(),
                PageState::Sealed { reference, .. } => state.read_page(reference)?,
            };
            let drawn: Vec<usize> = (0..records.len())
                .filter(|unit| is_expected(&summary, &records[*unit]) && draw.next())
                .collect();
            let verdicts: Vec<(usize, Verdict)> = stream::iter(drawn)
                .map(async |unit| {
                    (
                        unit,
                        check_patiently(sink.as_ref(), &records[unit], options.how, &policy).await,
                    )
                })
                .buffered(job.concurrency.leaves.min(64))
                .collect()
                .await;
            let mut reopened = records.clone();
            for (unit, verdict) in verdicts {
                count(&mut counts, &verdict);
                if matches!(verdict, Verdict::Same { .. }) {
                    continue;
                }
                if options.reopen && put_back(&mut reopened[unit], &verdict, job.work.sink.mode) {
                    counts.reopened += 1;
                    summary.units.move_unit(
                        records[unit].status,
                        UnitStatus::Pending,
                        records[unit].size.unwrap_or(0),
                    );
                }
                let record = records[unit].clone();
                visit(&Finding {
                    item: summary.key.clone(),
                    record,
                    verdict,
                });
            }
            if reopened != records {
                if summary.status != ItemStatus::Skipped {
                    summary.status = ItemStatus::Pending;
                }
                seal_anew(writer, id, &page, reopened, &summary).await?;
            }
        }
    }
    Ok(counts)
}

/// Whether something is to be at the sink: of a skipped item only what was settled before.
fn is_expected(summary: &ItemSummary, record: &UnitRecord) -> bool {
    summary.status != ItemStatus::Skipped || matches!(record.status, UnitStatus::Done | UnitStatus::Present)
}

/// Puts a unit back to pending when a run can put it right: when nothing is at the sink, or the mode writes over what is. Under the other
/// modes an object of another size or content is left alone and stays a finding.
fn put_back(record: &mut UnitRecord, verdict: &Verdict, mode: SinkMode) -> bool {
    let writes_over = matches!(mode, SinkMode::Overwrite | SinkMode::OverwriteIfDifferent);
    record.existed = match verdict {
        Verdict::Missing => false,
        Verdict::SizeDiffers { .. } | Verdict::ChecksumDiffers if writes_over => true,
        _ => return false,
    };
    record.status = UnitStatus::Pending;
    record.hash = None;
    // What was copied had this size; no list has told that what is there now has it.
    record.size = None;
    record.failure = None;
    true
}

/// Replaces the ledger of a page.
pub(super) async fn seal_anew(
    writer: &StateWriter,
    item: ItemId,
    page: &PageState,
    records: Vec<UnitRecord>,
    summary: &ItemSummary,
) -> Result<(), Fatal> {
    let (rows_before, digest) = match page {
        PageState::Open { intent, .. } => (intent.rows_before, intent.digest),
        PageState::Sealed { reference, .. } => (reference.rows_before, reference.digest),
    };
    let units = records.iter().map(UnitIntent::from).collect();
    let (page, intent) = (
        page.page(),
        PageIntent {
            units,
            rows_before,
            digest,
        },
    );
    let reopened = Change::ReopenPage {
        item,
        page,
        intent,
        records: records.clone(),
        summary: summary.clone(),
    };
    writer.send(reopened).await?;
    let sealed = Change::SealPage {
        item,
        page,
        records,
        summary: summary.clone(),
    };
    Ok(writer.send_durable(sealed).await?.wait().await?)
}

/// Draws a given number of units at random in one pass: each is taken with the chance that makes the sample exactly full.
struct Draw {
    random: u64,
    wanted: u64,
    left: u64,
}

impl Draw {
    fn new(seed: u64, sample: Option<u64>, population: u64) -> Self {
        Self {
            random: seed,
            wanted: sample.unwrap_or(population).min(population),
            left: population,
        }
    }

    fn next(&mut self) -> bool {
        if self.wanted >= self.left {
            return self.left > 0 && {
                self.left -= 1;
                self.wanted = self.wanted.saturating_sub(1);
                true
            };
        }
        // SplitMix64 (Steele, Lea and Flood, 2014).
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let is_taken = mixed % self.left < self.wanted;
        self.left -= 1;
        self.wanted -= u64::from(is_taken);
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    #[test]
    fn a_sample_is_exactly_as_large_as_asked() {
        for (sample, population, expected) in [(Some(10), 1000, 10), (Some(7), 5, 5), (None, 50, 50), (Some(0), 9, 0)] {
            let mut draw = Draw::new(42, sample, population);
            assert_eq!((0..population).filter(|_| draw.next()).count() as u64, expected);
        }
    }

    #[test]
    fn a_sample_is_spread_over_the_whole() {
        let mut draw = Draw::new(7, Some(100), 10_000);
        let taken: Vec<u64> = (0..10_000).filter(|_| draw.next()).collect();
        assert!(taken.first().is_some_and(|first| *first < 2_000));
        assert!(taken.last().is_some_and(|last| *last > 8_000));
    }
}
