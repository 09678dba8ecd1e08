use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use crate::model::{Progress, Timestamp, UnitKind, format_bytes, format_count};
use crate::report::{counted, format_byte_rate, format_rate, limited, shown};

use super::status::{LISTING, remaining_text};
use super::{Rate, Snapshot};

/// Progress as plain lines, one for each span of time: for logs and pipes.
pub struct Lines {
    out: Box<dyn Write + Send>,
    every: Duration,
    last: Option<Timestamp>,
}

impl Lines {
    /// Lines on stderr, one `every` so often (`limits.progress_every`).
    pub fn new(every: Duration) -> Self {
        Self::to(Box::new(io::stderr()), every)
    }

    pub fn to(out: Box<dyn Write + Send>, every: Duration) -> Self {
        Self { out, every, last: None }
    }

    /// Writes a line if the last one is long enough ago. The first comes after one span, so that short runs have none.
    pub fn update(&mut self, snapshot: &Snapshot) {
        let now = snapshot.taken;
        match self.last {
            // The first snapshot, or a clock that was set back: the span begins here.
            None => self.last = Some(now),
            Some(last) if now < last => self.last = Some(now),
            Some(last) if now.since(last) >= self.every => {
                self.last = Some(now);
                self.write(&progress_line(snapshot));
            }
            Some(_) => {}
        }
    }

    pub fn note(&mut self, text: &str) {
        self.write(&shown(text));
    }

    /// A log that cannot be written to must not stop the run.
    fn write(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
        let _ = self.out.flush();
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Lines")
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// `items 21/50, files 415/1,062, 31 MiB, 95 files/min, 1.2 MiB/s, 3 failures, about 7 m 12 s left`
pub(super) fn progress_line(snapshot: &Snapshot) -> String {
    let progress = &snapshot.progress;
    let (items, files) = (&progress.items, &progress.units);
    let ended = |planned: u64, pending: u64| {
        let (ended, planned) = (format_count(planned.saturating_sub(pending)), format_count(planned));
        format!("{ended}/{planned}")
    };
    let failures = match snapshot.failures() {
        0 => "no failures".to_owned(),
        1 => "1 failure".to_owned(),
        count => format!("{} failures", format_count(count)),
    };
    let left = match remaining_text(snapshot) {
        unknown if unknown == LISTING => unknown,
        remaining => format!("{remaining} left"),
    };
    format!(
        "{} {}, {} {}, {}{}, {failures}, {left}{}",
        progress.unit_kind.items(),
        ended(items.planned, items.planned.saturating_sub(progress.items_over())),
        progress.unit_kind.plural(),
        ended(files.planned(), files.pending),
        moved(progress),
        pace(snapshot, |rate| rate.recent),
        held_up(progress),
    )
}

/// What this run has moved: `31 MiB`, `120,000 rows, 31 MiB`.
pub(super) fn moved(progress: &Progress) -> String {
    let bytes = format_bytes(progress.bytes_moved);
    match progress.unit_kind {
        UnitKind::File => bytes,
        UnitKind::Chunk => format!("{}, {bytes}", counted(progress.rows_moved, "row", "rows")),
    }
}

/// How fast it goes, behind a comma: `, 95 files/min, 1.2 MiB/s`, `, 35,294 rows/s, 1.2 MiB/s`.
pub(super) fn pace(snapshot: &Snapshot, pick: fn(Rate) -> Option<f64>) -> String {
    let rates = &snapshot.rates;
    let units = match snapshot.progress.unit_kind {
        UnitKind::File => format!("{} files/min", format_rate(pick(rates.files_per_minute))),
        UnitKind::Chunk => format!("{} rows/s", format_rate(pick(rates.rows_per_second))),
    };
    format!(", {units}, {}", format_byte_rate(pick(rates.bytes_per_second)))
}

/// What holds the run up, behind commas: `, copy 37/64, limited by 503 from results`, `, waiting for originals`.
pub(super) fn held_up(progress: &Progress) -> String {
    let throttles = progress.throttles.iter().filter(|throttle| throttle.is_in_force());
    let mut text: String = throttles.map(|throttle| format!(", {}", limited(throttle))).collect();
    for outage in &progress.outages {
        text.push_str(", waiting for ");
        text.push_str(&shown(&outage.connection));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::{Outage, Throttle};
    use crate::monitor::snapshot::tests::snapshot;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn one_line_for_each_span_of_time() {
        let out = Shared::default();
        let mut lines = Lines::to(Box::new(out.clone()), Duration::from_secs(10));
        let mut snapshot = snapshot();
        let begin = snapshot.taken.0;
        for second in 0..=25 {
            snapshot.taken = Timestamp(begin + second * 1_000);
            lines.update(&snapshot);
        }
        let line = "items 21/50, files 415/1,062, 31 MiB, 95 files/min, 1.2 MiB/s, 3 failures, about 7 m 12 s left\n";
        assert_eq!(out.text(), line.repeat(2));
    }

    #[test]
    fn a_line_tells_what_holds_the_run_up() {
        let mut progress = Progress::default();
        assert_eq!(held_up(&progress), "");
        progress.throttles = vec![Throttle {
            stage: "copy".to_owned(),
            connection: "results".to_owned(),
            limit: 37,
            ceiling: 64,
            answer: "503".to_owned(),
            ..Throttle::default()
        }];
        progress.outages = vec![Outage {
            connection: "originals".to_owned(),
            ..Outage::default()
        }];
        assert_eq!(
            held_up(&progress),
            ", copy 37/64, limited by 503 from results, waiting for originals"
        );
    }

    #[test]
    fn a_clock_set_back_delays_a_line_by_one_span_at_most() {
        let out = Shared::default();
        let mut lines = Lines::to(Box::new(out.clone()), Duration::from_secs(10));
        let mut snapshot = snapshot();
        for second in [1_000, 5, 15] {
            snapshot.taken = Timestamp(second * 1_000);
            lines.update(&snapshot);
        }
        assert_eq!(out.text().lines().count(), 1);
    }

    #[test]
    fn a_note_is_one_line_whatever_it_holds() {
        let out = Shared::default();
        let mut lines = Lines::to(Box::new(out.clone()), Duration::from_secs(10));
        lines.note("stopping: waiting for `a\n\u{1b}[2K`");
        assert_eq!(out.text(), "stopping: waiting for `a\\n\\u{1b}[2K`\n");
    }
}
