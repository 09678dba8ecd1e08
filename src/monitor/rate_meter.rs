use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Phase, Progress, Timestamp};

/// How far back the recent rate looks.
const WINDOW: Duration = Duration::from_secs(60);

/// Samples closer together than this replace each other, which bounds the window to `WINDOW / SPACING` samples.
const SPACING: Duration = Duration::from_millis(500);

/// The least time between two samples that gives a rate.
const SHORTEST: Duration = Duration::from_secs(1);

/// Something counted per second, over the last minute and over the whole run. `None` while there is no time to divide by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    pub recent: Option<f64>,
    pub overall: Option<f64>,
}

impl Rate {
    /// The same rate in another unit of time: 60 for a minute.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            recent: self.recent.map(|rate| rate * factor),
            overall: self.overall.map(|rate| rate * factor),
        }
    }
}

/// How fast a run goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Items that came to their end.
    pub items_per_minute: Rate,
    /// Files that came to their end in this run: done, present or failed.
    pub files_per_minute: Rate,
    /// Bytes read from sources.
    pub bytes_per_second: Rate,
    /// Rows read from sources, where units are chunks.
    pub rows_per_second: Rate,
    /// Seconds until every known file is done at the present pace, or all rows as the source estimates them; `None` while items are still
    /// being listed, where there is no estimate, or when nothing moves.
    pub remaining_s: Option<u64>,
}

/// Estimates rates from a run's progress, over a sliding window and overall.
///
/// What earlier runs settled does not count. Time is what passes between two samples: a clock that is set back begins the window
/// anew and takes nothing from the time that has been measured.
#[derive(Clone, Debug, Default)]
pub struct RateMeter {
    window: VecDeque<Sample>,
    /// The run as it was before its work began.
    first: Option<Sample>,
    last: Option<Sample>,
    measured: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Timestamp,
    items: u64,
    files: u64,
    bytes: u64,
    rows: u64,
}

impl Sample {
    fn of(progress: &Progress, at: Timestamp) -> Self {
        let failed_in_run: u64 = progress.failures.values().sum();
        Self {
            at,
            items: progress.items.done + progress.items.failed,
            files: progress.units.settled().saturating_sub(progress.units_before) + failed_in_run,
            bytes: progress.bytes_moved,
            rows: progress.rows_moved,
        }
    }
}

impl RateMeter {
    /// Takes a sample in and tells the rates as of now.
    pub fn record(&mut self, progress: &Progress, at: Timestamp) -> Rates {
        let sample = Sample::of(progress, at);
        if let Some(last) = self.last {
            if at < last.at {
                self.window.clear();
            }
            self.measured = self.measured.saturating_add(at.since(last.at));
        }
        // While a run starts, it takes in what earlier runs have done.
        if progress.phase == Phase::Starting || self.first.is_none() {
            self.first = Some(sample);
            self.measured = Duration::ZERO;
            self.window.clear();
        }
        self.last = Some(sample);
        self.push(sample);
        self.rates(progress, sample)
    }

    fn push(&mut self, sample: Sample) {
        let len = self.window.len();
        if len >= 2 && sample.at.since(self.window[len - 2].at) < SPACING {
            self.window.pop_back();
        }
        self.window.push_back(sample);
        // The oldest sample kept is the last one outside the window, so that the window is always covered.
        while self.window.len() > 2 && sample.at.since(self.window[1].at) >= WINDOW {
            self.window.pop_front();
        }
    }

    fn rates(&self, progress: &Progress, now: Sample) -> Rates {
        let oldest = self.window.front().copied().unwrap_or(now);
        let first = self.first.unwrap_or(now);
        let window = now.at.since(oldest.at);
        let rate = |count: fn(&Sample) -> u64| Rate {
            recent: per_second(count(&now).saturating_sub(count(&oldest)), window),
            overall: per_second(count(&now).saturating_sub(count(&first)), self.measured),
        };
        let files = rate(|sample| sample.files);
        let rows = rate(|sample| sample.rows);
        Rates {
            items_per_minute: rate(|sample| sample.items).times(60.0),
            files_per_minute: files.times(60.0),
            bytes_per_second: rate(|sample| sample.bytes),
            rows_per_second: rows,
            remaining_s: match rows_left(progress) {
                Some(left) => time_for(left, rows),
                None if progress.listed => time_for(progress.units.pending, files),
                None => None,
            },
        }
    }
}

fn per_second(count: u64, time: Duration) -> Option<f64> {
    (time >= SHORTEST).then(|| count as f64 / time.as_secs_f64())
}

/// Rows that tables without an end still have, as far as the source estimates them; `None` where it does not, or where units are no chunks.
fn rows_left(progress: &Progress) -> Option<u64> {
    if progress.tables.is_empty() {
        return None;
    }
    let open = progress.tables.values().filter(|table| !table.is_over());
    let left = open.map(|table| Some(table.rows_estimate?.saturating_sub(table.rows.settled())));
    left.sum()
}

/// At the recent pace, or the overall one while nothing has come to its end of late.
fn time_for(left: u64, pace: Rate) -> Option<u64> {
    /// A remaining time beyond this says nothing: a hundred years.
    const LONGEST_S: f64 = 3.2e9;
    if left == 0 {
        return Some(0);
    }
    let pace = [pace.recent, pace.overall]
        .into_iter()
        .flatten()
        .find(|pace| *pace > 0.0)?;
    let seconds = (left as f64 / pace).ceil();
    (seconds <= LONGEST_S).then_some(seconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(done: u64, pending: u64, listed: bool) -> Progress {
        let mut progress = Progress {
            phase: Phase::Running,
            listed,
            bytes_moved: done * 1_000,
            ..Progress::default()
        };
        progress.units.done = done;
        progress.units.pending = pending;
        progress.items.done = done / 10;
        progress
    }

    fn at(second: i64) -> Timestamp {
        Timestamp(second * 1_000)
    }

    #[test]
    fn without_time_there_is_no_rate_and_no_end_in_sight() {
        let mut meter = RateMeter::default();
        let rates = meter.record(&progress(10, 5, true), at(0));
        assert_eq!(rates, Rates::default());
        assert_eq!(meter.record(&progress(12, 5, true), at(0)), Rates::default());
    }

    #[test]
    fn recent_and_overall_rates_are_told_apart() {
        let mut meter = RateMeter::default();
        for second in 0..=100 {
            meter.record(&progress(second as u64, 1_000, true), at(second));
        }
        let mut last = Rates::default();
        for second in 101..=200 {
            last = meter.record(&progress(100 + (second as u64 - 100) * 3, 1_000, true), at(second));
        }
        assert_eq!(last.files_per_minute.recent, Some(180.0));
        assert_eq!(last.files_per_minute.overall, Some(120.0));
        assert_eq!(last.bytes_per_second.recent, Some(3_000.0));
        assert_eq!(last.items_per_minute.overall, Some(12.0));
        assert_eq!(last.remaining_s, Some(334));
        assert!(meter.window.len() <= 123);
    }

    #[test]
    fn what_earlier_runs_settled_is_no_pace_of_this_one() {
        let mut meter = RateMeter::default();
        let mut starting = progress(0, 0, false);
        starting.phase = Phase::Starting;
        meter.record(&starting, at(0));
        let mut running = progress(5_000, 10, true);
        running.units_before = 5_000;
        running.items.done = 0;
        meter.record(&running, at(5));
        let rates = meter.record(&running, at(10));
        assert_eq!(rates.files_per_minute.overall, Some(0.0));
        assert_eq!(rates.remaining_s, None);
    }

    #[test]
    fn there_is_no_remaining_time_before_everything_is_listed() {
        let mut meter = RateMeter::default();
        meter.record(&progress(0, 100, false), at(0));
        assert_eq!(meter.record(&progress(10, 90, false), at(10)).remaining_s, None);
        assert_eq!(meter.record(&progress(20, 80, true), at(20)).remaining_s, Some(80));
        assert_eq!(meter.record(&progress(100, 0, true), at(30)).remaining_s, Some(0));
    }

    #[test]
    fn a_clock_set_back_does_no_harm() {
        let mut meter = RateMeter::default();
        meter.record(&progress(0, 100, true), at(1_000));
        meter.record(&progress(10, 90, true), at(1_010));
        let back = meter.record(&progress(11, 89, true), at(10));
        assert_eq!(back.files_per_minute.recent, None);
        assert_eq!(back.files_per_minute.overall, Some(66.0));
        let later = meter.record(&progress(21, 79, true), at(20));
        assert_eq!(later.files_per_minute.recent, Some(60.0));
        assert_eq!(later.files_per_minute.overall, Some(63.0));
        assert_eq!(later.remaining_s, Some(79));
    }

    #[test]
    fn samples_in_quick_succession_do_not_fill_the_window() {
        let mut meter = RateMeter::default();
        for ms in 0..10_000 {
            meter.record(&progress(ms, 10, true), Timestamp(ms as i64));
        }
        assert!(meter.window.len() <= 25, "{}", meter.window.len());
    }
}
