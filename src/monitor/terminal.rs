use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::{Phase, format_count};
use crate::report::shown;

use super::Snapshot;
use super::lines::{held_up, moved, pace};
use super::status::remaining_text;

/// Redraws in a second, at most.
const REDRAWS_PER_SECOND: u8 = 8;

/// Progress as bars on a terminal: items, files, and a line each for the pace and for what failed.
///
/// Bars show what snapshots say; indicatif's own clocks and estimates are not used, so that all views agree.
#[derive(Debug)]
pub struct Bars {
    all: MultiProgress,
    items: ProgressBar,
    files: ProgressBar,
    pace: ProgressBar,
    failures: ProgressBar,
}

impl Bars {
    /// Bars on stderr, which has to be a terminal.
    pub fn new() -> Self {
        Self::to(ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND))
    }

    fn to(target: ProgressDrawTarget) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let bar = |name: &'static str, template: &str| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(0)
                .with_prefix(name)
                .with_style(style.progress_chars("━╸ "));
            all.add(bar)
        };
        let counted = "{prefix:<8} [{bar:30}] {msg}";
        let told = "{prefix:<8} {msg}";
        Self {
            items: bar("items", counted),
            files: bar("files", counted),
            pace: bar("pace", told),
            failures: bar("failures", told),
            all,
        }
    }

    pub fn update(&self, snapshot: &Snapshot) {
        let progress = &snapshot.progress;
        let (items, files) = (&progress.items, &progress.units);
        let items_left = items.planned.saturating_sub(progress.items_over());
        show(&self.items, items.planned, items_left, true);
        show(&self.files, files.planned(), files.pending, progress.listed);
        self.items.set_prefix(progress.unit_kind.items());
        self.files.set_prefix(progress.unit_kind.plural());
        let phase = match progress.phase {
            Phase::Draining => ", stopping",
            Phase::Starting | Phase::Running | Phase::Ended => "",
        };
        self.pace.set_message(format!(
            "{}{}, {}{phase}{}",
            moved(progress),
            pace(snapshot, |rate| rate.recent),
            remaining_text(snapshot),
            held_up(progress),
        ));
        let failures = match snapshot.frequent_failures.first() {
            None => "none".to_owned(),
            Some(most) => format!(
                "{}, most often {} ({})",
                format_count(snapshot.failures()),
                shown(&most.kind),
                format_count(most.count)
            ),
        };
        self.failures.set_message(failures);
    }

    /// Prints a line above the bars.
    pub fn note(&self, text: &str) {
        // A terminal that went away must not stop the run.
        let _ = self.all.println(shown(text));
    }

    /// Takes the bars away: what follows is the account.
    pub fn finish(&self) {
        for bar in [&self.items, &self.files, &self.pace, &self.failures] {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}

impl Default for Bars {
    fn default() -> Self {
        Self::new()
    }
}

fn show(bar: &ProgressBar, planned: u64, pending: u64, listed: bool) {
    let ended = planned.saturating_sub(pending);
    let so_far = if listed { "" } else { ", listing…" };
    bar.set_length(planned);
    bar.set_position(ended);
    bar.set_message(format!("{}/{}{so_far}", format_count(ended), format_count(planned)));
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::monitor::snapshot::tests::snapshot;

    /// A terminal of 100 columns that keeps what is written to it.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl Screen {
        fn push(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn take(&self) -> String {
            std::mem::take(&mut *self.0.lock().unwrap())
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.push(text)?;
            self.push("\n")
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.push(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.push("\r")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn bars_show_what_the_snapshot_says() {
        let screen = Screen::default();
        let bars = Bars::to(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        let mut snapshot = snapshot();
        bars.update(&snapshot);
        let text = screen.take();
        for part in [
            "21/50",
            "415/1,062",
            "31 MiB, 95 files/min, 1.2 MiB/s, about 7 m 12 s",
            "3, most often transient store.timeout (2)",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        snapshot.progress.listed = false;
        bars.update(&snapshot);
        assert!(screen.take().contains("415/1,062, listing…"));
    }

    #[test]
    fn a_note_stands_on_a_line_of_its_own_above_the_bars() {
        let screen = Screen::default();
        let bars = Bars::to(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        bars.update(&snapshot());
        screen.take();
        bars.note("stopping: waiting for 12 files in flight");
        let text = screen.take();
        let note = text.find("stopping: waiting for 12 files in flight").unwrap();
        assert!(note < text.find("items").unwrap(), "{text}");
        bars.finish();
        screen.take();
        bars.update(&snapshot());
        assert!(!screen.take().contains("files/min"));
    }
}
