use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::{Phase, Timestamp, UnitKind, format_bytes, format_count, format_duration};
use crate::report::{counted, format_byte_rate, format_rate, limited, shown, shown_short};

use super::{Rate, Snapshot};

/// A snapshot of a living run that is older than this shows a run that does not get to writing it.
pub const STALE_AFTER: Duration = Duration::from_secs(10);

/// Slots whose item is named.
const SLOTS_SHOWN: usize = 4;

/// A snapshot as `status` shows it: beside what it says stands whether the run that wrote it still lives.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a> {
    pub snapshot: &'a Snapshot,
    /// A run holds the state at this moment.
    pub running: bool,
    pub now: Timestamp,
}

impl Status<'_> {
    /// How old the snapshot is; zero when the clock was set back meanwhile.
    fn age(&self) -> Duration {
        self.now.since(self.snapshot.taken)
    }

    fn phase(&self) -> Phase {
        self.snapshot.progress.phase
    }

    /// Whether the run seems to live and yet has not written its snapshot for a while.
    pub fn is_stale(&self) -> bool {
        self.running && self.age() > STALE_AFTER
    }

    /// Whether the run went away without an end: it was killed, or its machine was.
    pub fn is_abandoned(&self) -> bool {
        !self.running && self.phase() != Phase::Ended
    }

    pub fn to_json(&self) -> Value {
        json!({
            "schema_version": self.snapshot.schema_version,
            "running": self.running,
            "stale": self.is_stale(),
            "abandoned": self.is_abandoned(),
            "age_ms": u64::try_from(self.age().as_millis()).unwrap_or(u64::MAX),
            "snapshot": self.snapshot,
        })
    }

    fn state(&self) -> String {
        let age = format_duration(self.age());
        let phase = match (self.running, self.phase()) {
            (false, Phase::Ended) => return format!("ended {age} ago"),
            (false, _) => {
                return format!("not running any more, without having come to its end; last heard of {age} ago");
            }
            (true, Phase::Starting) => "starting",
            (true, Phase::Running) => "running",
            (true, Phase::Draining) => "stopping: finishing what is in flight",
            (true, Phase::Ended) => "ending",
        };
        if self.is_stale() {
            format!("{phase}, but this is {age} old: the run is stalled or very busy")
        } else {
            phase.to_owned()
        }
    }

    fn next(&self) -> String {
        let snapshot = self.snapshot;
        let command_line = &snapshot.command_line;
        let units = &snapshot.progress.units;
        let work_left = units.pending + units.effects.pending + snapshot.progress.items.pending > 0;
        if self.running {
            format!("{} --follow", command_line.command("status"))
        } else if self.is_abandoned() || work_left {
            command_line.command("run")
        } else if snapshot.failures() > 0 || snapshot.progress.items.failed > 0 {
            command_line.command("failures")
        } else {
            command_line.command("verify")
        }
    }

    fn accounts(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = &self.snapshot.progress;
        let (items, files) = (&progress.items, &progress.units);
        let columns = |planned: u64, columns: &[(&str, u64)]| {
            let shown = columns.iter().filter(|(_, count)| *count > 0);
            let shown: Vec<String> = shown
                .map(|(name, count)| format!("{} {name}", format_count(*count)))
                .collect();
            match shown.is_empty() {
                true => format_count(planned),
                false => format!("{}: {}", format_count(planned), shown.join(", ")),
            }
        };
        let items_text = columns(
            items.planned,
            &[
                ("done", items.done),
                ("skipped", items.skipped),
                ("failed", items.failed),
                ("blocked", items.blocked),
                ("pending", items.pending),
            ],
        );
        let files_text = columns(
            files.planned(),
            &[
                ("done", files.done),
                ("present", files.present),
                ("skipped", files.skipped),
                ("failed", files.failed),
                ("blocked", files.blocked),
                ("pending", files.pending),
            ],
        );
        let kind = progress.unit_kind;
        writeln!(formatter, "{:<10} {items_text}", kind.items())?;
        let so_far = if progress.listed {
            percent(self.snapshot)
        } else {
            " (so far; listing…)".to_owned()
        };
        writeln!(formatter, "{:<10} {files_text}{so_far}", kind.plural())?;
        let effects = &files.effects;
        if effects.planned() == 0 {
            return Ok(());
        }
        let effects_text = columns(
            effects.planned(),
            &[
                ("sent", effects.sent),
                ("not due", effects.not_due),
                ("left out", effects.left_out),
                ("failed", effects.failed),
                ("blocked", effects.blocked),
                ("pending", effects.pending),
            ],
        );
        writeln!(formatter, "effects    {effects_text}")
    }

    fn slots(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = &self.snapshot.progress.slots;
        if !self.running || slots.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = slots
            .values()
            .take(SLOTS_SHOWN)
            .map(|item| format!("`{}`", shown_short(item)))
            .collect();
        let hidden = slots.len().saturating_sub(SLOTS_SHOWN);
        let more = if hidden > 0 {
            format!(" and {hidden} more")
        } else {
            String::new()
        };
        let now = format!("{} now", self.snapshot.progress.unit_kind.items());
        writeln!(formatter, "{now:<10} {}{more}", named.join(", "))
    }
}

/// A compact page, each line ended.
impl fmt::Display for Status<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot;
        let progress = &snapshot.progress;
        let (job, profile) = (shown(&snapshot.job), shown(&snapshot.profile));
        writeln!(
            formatter,
            "{job} (profile {profile}), run {}: {}",
            progress.run,
            self.state()
        )?;
        let (pid, host) = (snapshot.holder.pid, shown(&snapshot.holder.host));
        let duration = format_duration(snapshot.taken.since(progress.started));
        writeln!(
            formatter,
            "process    {pid} on {host}, started {}, {duration} in",
            progress.started
        )?;
        self.accounts(formatter)?;
        let kind = progress.unit_kind;
        if kind == UnitKind::Chunk {
            let rows = progress.units.rows;
            let (written, rejected) = (format_count(rows.written), format_count(rows.rejected));
            let place = match rows.rejected {
                0 => "",
                _ => " (each with its reason in `rejects` of the state folder)",
            };
            writeln!(formatter, "rows       {written} written, {rejected} rejected{place}")?;
        }
        writeln!(
            formatter,
            "bytes      {} moved in this run",
            format_bytes(progress.bytes_moved)
        )?;
        let in_flight = counted(progress.in_flight, kind.singular(), kind.plural());
        let retries = counted(progress.retries, "attempt", "attempts");
        writeln!(formatter, "in flight  {in_flight}, {retries} repeated so far")?;
        for throttle in progress.throttles.iter().filter(|throttle| throttle.is_in_force()) {
            let limited = limited(throttle);
            writeln!(
                formatter,
                "limited    {limited}; it grows back with each round of successes"
            )?;
        }
        for outage in &progress.outages {
            let (connection, code, since) = (shown(&outage.connection), shown(&outage.code), outage.since);
            let asked = format_count(outage.probes);
            writeln!(
                formatter,
                "paused     `{connection}` has not answered since {since} ({code}), asked {asked} times: nothing new is begun with it"
            )?;
        }
        writeln!(formatter, "rate       {}", rates_text(snapshot, |rate| rate.recent))?;
        writeln!(formatter, "overall    {}", rates_text(snapshot, |rate| rate.overall))?;
        if self.running {
            writeln!(formatter, "remaining  {}", remaining_text(snapshot))?;
        }
        let failures: Vec<String> = snapshot
            .frequent_failures
            .iter()
            .map(|failure| format!("{} {}", format_count(failure.count), shown(&failure.kind)))
            .collect();
        let total = format_count(snapshot.failures());
        match failures.is_empty() {
            true => writeln!(formatter, "failures   none in this run")?,
            false => writeln!(formatter, "failures   {total} in this run: {}", failures.join(", "))?,
        }
        self.slots(formatter)?;
        writeln!(formatter, "Next: {}", self.next())
    }
}

fn rates_text(snapshot: &Snapshot, pick: fn(Rate) -> Option<f64>) -> String {
    let rates = &snapshot.rates;
    let units = match snapshot.progress.unit_kind {
        UnitKind::File => format!("{} files/min", format_rate(pick(rates.files_per_minute))),
        UnitKind::Chunk => format!("{} rows/s", format_rate(pick(rates.rows_per_second))),
    };
    format!(
        "{units}, {} {}/min, {}",
        format_rate(pick(rates.items_per_minute)),
        snapshot.progress.unit_kind.items(),
        format_byte_rate(pick(rates.bytes_per_second)),
    )
}

/// In place of a time while totals are not known.
pub(super) const LISTING: &str = "listing…";

/// `about 7 m 12 s`, `listing…` while totals are not known, `–` while nothing moves.
pub(super) fn remaining_text(snapshot: &Snapshot) -> String {
    match snapshot.rates.remaining_s {
        None if !snapshot.progress.listed => LISTING.to_owned(),
        None => "–".to_owned(),
        Some(seconds) => format!("about {}", format_duration(Duration::from_secs(seconds))),
    }
}

/// ` (41 %)`: of the files, those that are not pending, rounded down.
fn percent(snapshot: &Snapshot) -> String {
    let files = &snapshot.progress.units;
    let planned = files.planned();
    match u128::from(planned - files.pending)
        .saturating_mul(100)
        .checked_div(u128::from(planned))
    {
        None => String::new(),
        Some(percent) => format!(" ({percent} %)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EffectAccount, Outage, Throttle};
    use crate::monitor::snapshot::tests::snapshot;

    fn page(snapshot: &Snapshot, running: bool, age_ms: i64) -> String {
        let now = Timestamp(snapshot.taken.0 + age_ms);
        Status { snapshot, running, now }.to_string()
    }

    #[test]
    fn the_page_of_a_living_run() {
        insta::assert_snapshot!(page(&snapshot(), true, 400), @r#"
        reupload (profile local), run 3: running
        process    4711 on laptop, started 2026-09-21T14:13:20.000Z, 12 m 3 s in
        items      50: 20 done, 1 failed, 29 pending
        files      1,062: 400 done, 12 present, 3 failed, 647 pending (39 %)
        bytes      31 MiB moved in this run
        in flight  10 files, 7 attempts repeated so far
        rate       95 files/min, 2.1 items/min, 1.2 MiB/s
        overall    90 files/min, 2.0 items/min, 1.1 MiB/s
        remaining  about 7 m 12 s
        failures   3 in this run: 2 transient store.timeout, 1 not_found store.not_found
        items now  `WI-0`, `WI-1`, `WI-2`, `WI-3` and 2 more
        Next: pipeline status jobs/reupload.yaml --follow
        "#);
    }

    #[test]
    fn a_run_that_was_killed_is_not_shown_as_running() {
        let text = page(&snapshot(), false, 90_000);
        let first = text.lines().next().unwrap();
        assert_eq!(
            first,
            "reupload (profile local), run 3: not running any more, without having come to its end; last heard of 1 m 30 s ago"
        );
        assert!(!text.contains("remaining") && !text.contains("items now"), "{text}");
        assert!(text.ends_with("Next: pipeline run jobs/reupload.yaml\n"), "{text}");
    }

    #[test]
    fn an_old_snapshot_of_a_living_run_is_called_old() {
        let text = page(&snapshot(), true, 45_000);
        assert!(text.contains("running, but this is 45 s old"), "{text}");
        assert!(page(&snapshot(), true, -45_000).contains("run 3: running\n"));
    }

    #[test]
    fn a_run_that_ended_points_to_what_is_left() {
        let mut snapshot = snapshot();
        snapshot.progress.phase = Phase::Ended;
        assert!(page(&snapshot, false, 0).ends_with("Next: pipeline run jobs/reupload.yaml\n"));
        snapshot.progress.units.pending = 0;
        snapshot.progress.items.pending = 0;
        let text = page(&snapshot, false, 60_000);
        assert!(text.contains("run 3: ended 1 m 0 s ago"), "{text}");
        assert!(text.ends_with("Next: pipeline failures jobs/reupload.yaml\n"), "{text}");
    }

    #[test]
    fn before_everything_is_listed_there_are_no_totals() {
        let mut snapshot = snapshot();
        snapshot.progress.listed = false;
        snapshot.rates = super::super::Rates::default();
        let text = page(&snapshot, true, 0);
        assert!(text.contains("remaining  listing…"), "{text}");
        assert!(text.contains("pending (so far; listing…)"), "{text}");
        assert!(text.contains("rate       – files/min, – items/min, –"), "{text}");
    }

    #[test]
    fn what_files_owe_is_shown_where_they_owe_anything() {
        let mut snapshot = snapshot();
        snapshot.progress.phase = Phase::Ended;
        snapshot.progress.units.pending = 0;
        snapshot.progress.items.pending = 0;
        snapshot.progress.units.effects = EffectAccount {
            sent: 1_400,
            failed: 2,
            pending: 10,
            ..EffectAccount::default()
        };
        let text = page(&snapshot, false, 0);
        assert!(
            text.contains("\neffects    1,412: 1,400 sent, 2 failed, 10 pending\n"),
            "{text}"
        );
        assert!(text.ends_with("Next: pipeline run jobs/reupload.yaml\n"), "{text}");
    }

    #[test]
    fn what_holds_a_run_up_is_shown() {
        let mut snapshot = snapshot();
        snapshot.progress.throttles = vec![Throttle {
            stage: "copy".to_owned(),
            connection: "results".to_owned(),
            limit: 37,
            ceiling: 64,
            lowest: 8,
            cuts: 3,
            answer: "503".to_owned(),
        }];
        snapshot.progress.outages = vec![Outage {
            connection: "originals".to_owned(),
            since: snapshot.progress.started,
            probes: 4,
            code: "store.connection".to_owned(),
        }];
        let text = page(&snapshot, true, 0);
        assert!(
            text.contains("\nlimited    copy 37/64, limited by 503 from results; it"),
            "{text}"
        );
        let paused = "\npaused     `originals` has not answered since 2026-09-21T14:13:20.000Z (store.connection), asked 4 times";
        assert!(text.contains(paused), "{text}");
        snapshot.progress.throttles[0].limit = 64;
        assert!(!page(&snapshot, true, 0).contains("limited"), "it has grown back");
    }

    #[test]
    fn json_says_whether_the_run_lives() {
        let snapshot = snapshot();
        let status = Status {
            snapshot: &snapshot,
            running: false,
            now: snapshot.taken,
        };
        let json = status.to_json();
        assert_eq!(json["abandoned"], true);
        assert_eq!(json["snapshot"]["progress"]["units"]["done"], 400);
    }
}
