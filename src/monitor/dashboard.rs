use std::fmt;

use crate::model::format_count;

use super::{FailureLog, Status};

/// A run for somebody who keeps looking at it: bars, the page of `status`, and the latest failures.
pub struct Dashboard<'a> {
    pub status: Status<'a>,
    pub failures: &'a FailureLog,
}

/// Characters of a bar.
const BAR_WIDTH: u128 = 40;

impl fmt::Display for Dashboard<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = &self.status.snapshot.progress;
        let (items, files) = (&progress.items, &progress.units);
        let kind = progress.unit_kind;
        bar(formatter, kind.items(), progress.items_over(), items.planned, "")?;
        let so_far = if progress.listed { "" } else { ", listing…" };
        bar(
            formatter,
            kind.plural(),
            files.planned() - files.pending,
            files.planned(),
            so_far,
        )?;
        let effects = &files.effects;
        if effects.planned() > 0 {
            let ended = effects.planned() - effects.pending;
            bar(formatter, "messages", ended, effects.planned(), so_far)?;
        }
        writeln!(formatter, "\n{}", self.status)?;
        let mut latest = self.failures.latest().peekable();
        if latest.peek().is_some() {
            writeln!(formatter, "latest failures")?;
        }
        latest.try_for_each(|failure| writeln!(formatter, "  {failure}"))
    }
}

fn bar(formatter: &mut fmt::Formatter<'_>, name: &str, ended: u64, planned: u64, so_far: &str) -> fmt::Result {
    let full = (u128::from(ended) * BAR_WIDTH)
        .checked_div(u128::from(planned))
        .unwrap_or(0);
    let full = usize::try_from(full.min(BAR_WIDTH)).unwrap_or_default();
    let empty = BAR_WIDTH as usize - full;
    let (ended, planned) = (format_count(ended), format_count(planned));
    let line = format!("{}{}", "━".repeat(full), " ".repeat(empty));
    writeln!(formatter, "{name:<9} [{line}] {ended}/{planned}{so_far}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::monitor::snapshot::tests::snapshot;

    #[test]
    fn a_dashboard_shows_bars_and_the_page_of_the_run() {
        let snapshot = snapshot();
        let dashboard = Dashboard {
            status: Status {
                snapshot: &snapshot,
                running: true,
                now: Timestamp(snapshot.taken.0 + 400),
            },
            failures: &FailureLog::default(),
        };
        let text = dashboard.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            format!("items     [{}{}] 21/50", "━".repeat(16), " ".repeat(24))
        );
        assert_eq!(
            lines[1],
            format!("files     [{}{}] 415/1,062", "━".repeat(15), " ".repeat(25))
        );
        for part in [
            "95 files/min, 2.1 items/min, 1.2 MiB/s",
            "about 7 m 12 s",
            "2 transient store.timeout",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("messages") && !text.contains("latest"), "{text}");
    }
}
