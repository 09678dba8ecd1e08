use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Account, ItemAccount, UnitKind, format_bytes, format_count, format_duration};

use super::rate::{format_byte_rate, rate_over};
use super::shown;
use super::text::counted;

/// The balanced account at the end of a run: where every item and every file stands, over all runs of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountReport {
    pub items: ItemAccount,
    pub files: Account,
    /// What `files` are: chunks of rows, in a job of tables.
    pub units: UnitKind,
    /// Files as they were counted when they were listed, independently of their states: what `files` has to add up to.
    pub files_planned: u64,
    /// The same for what the files owe to steps.
    pub effects_planned: u64,
    /// What the accounts and the states they are derived from disagree on; anything but empty is a defect of the runner.
    pub imbalances: Vec<String>,
    /// Every item has been listed: `files_planned` is all there is.
    pub listed: bool,
    /// Bytes that this run read from sources.
    pub bytes_moved: u64,
    /// Of this run.
    pub duration: Duration,
    /// The folder with the rows that the sink refused, of a job of tables.
    pub rejects: Option<PathBuf>,
}

impl AccountReport {
    /// `planned − (done + present + skipped + failed + blocked + pending)` of the files.
    pub fn files_residual(&self) -> i64 {
        difference(self.files_planned, self.files.planned())
    }

    /// Whether both residuals are 0 and nothing disagrees. When not, the runner has a defect and the exit code says so.
    pub fn is_balanced(&self) -> bool {
        self.items.residual() == 0 && self.files_residual() == 0 && self.imbalances.is_empty()
    }

    /// The account with stable names, for a place in a larger document.
    pub fn to_json(&self) -> Value {
        let mut document = json!({
            "items": Columns::of_items(&self.items),
            "effects": Columns::of_effects(self),
            "failed_listings": self.items.failed_listings,
            "listed": self.listed,
            "bytes_done": self.files.bytes,
            "bytes_moved": self.bytes_moved,
            "duration_ms": u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
            "bytes_per_second": rate_over(self.bytes_moved, self.duration),
            "balanced": self.is_balanced(),
            "imbalances": self.imbalances,
        });
        document[self.units.plural()] = json!(Columns::of_files(self));
        if self.units == UnitKind::Chunk {
            let rows = self.files.rows;
            document["rows"] = json!({
                "read": rows.settled(),
                "written": rows.written,
                "rejected": rows.rejected,
                "rejects": self.rejects.as_ref().filter(|_| rows.rejected > 0),
                "per_second": rate_over(rows.written, self.duration),
            });
        }
        document
    }
}

fn difference(planned: u64, sum: u64) -> i64 {
    let difference = i128::from(planned) - i128::from(sum);
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}

/// One line of the account.
#[derive(Serialize)]
struct Columns {
    planned: u64,
    done: u64,
    present: u64,
    skipped: u64,
    failed: u64,
    blocked: u64,
    pending: u64,
    residual: i64,
}

impl Columns {
    /// What the files owe to steps. `present` are those that are not due because the object was there already.
    fn of_effects(report: &AccountReport) -> Self {
        let effects = &report.files.effects;
        Self {
            planned: report.effects_planned,
            done: effects.sent,
            present: effects.not_due,
            skipped: effects.left_out,
            failed: effects.failed,
            blocked: effects.blocked,
            pending: effects.pending,
            residual: difference(report.effects_planned, effects.planned()),
        }
    }

    fn of_items(items: &ItemAccount) -> Self {
        Self {
            planned: items.planned,
            done: items.done,
            present: 0,
            skipped: items.skipped,
            failed: items.failed,
            blocked: items.blocked,
            pending: items.pending,
            residual: items.residual(),
        }
    }

    fn of_files(report: &AccountReport) -> Self {
        let files = &report.files;
        Self {
            planned: report.files_planned,
            done: files.done,
            present: files.present,
            skipped: files.skipped,
            failed: files.failed,
            blocked: files.blocked,
            pending: files.pending,
            residual: report.files_residual(),
        }
    }

    fn cells(&self) -> [(&'static str, String); 7] {
        [
            ("planned ", format_count(self.planned)),
            (" = done ", format_count(self.done)),
            (" + present ", format_count(self.present)),
            (" + skipped ", format_count(self.skipped)),
            (" + failed ", format_count(self.failed)),
            (" + blocked ", format_count(self.blocked)),
            (" + pending ", format_count(self.pending)),
        ]
    }
}

/// Lines without a line break behind the last one; the numbers of the two accounts stand below each other.
impl fmt::Display for AccountReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (items, units) = match self.units {
            UnitKind::File => ("items   ", "files   "),
            UnitKind::Chunk => ("tables  ", "chunks  "),
        };
        let mut lines = vec![
            (items, Columns::of_items(&self.items)),
            (units, Columns::of_files(self)),
        ];
        if self.files.effects.planned() > 0 {
            lines.push(("effects ", Columns::of_effects(self)));
        }
        let cells: Vec<_> = lines.iter().map(|(_, columns)| columns.cells()).collect();
        for ((name, columns), row) in lines.iter().zip(&cells) {
            write!(formatter, "{name}")?;
            for (place, (label, count)) in row.iter().enumerate() {
                let width = cells.iter().map(|row| row[place].1.len()).max().unwrap_or_default();
                write!(formatter, "{label}{count:>width$}")?;
            }
            writeln!(formatter, " (residual {})", columns.residual)?;
        }
        if self.units == UnitKind::Chunk {
            let rows = self.files.rows;
            writeln!(
                formatter,
                "rows    read {} = written {} + rejected {}",
                format_count(rows.settled()),
                format_count(rows.written),
                format_count(rows.rejected)
            )?;
            if let (Some(folder), true) = (&self.rejects, rows.rejected > 0) {
                let (rejected, folder) = (
                    counted(rows.rejected, "row is", "rows are"),
                    folder.display().to_string(),
                );
                let folder = shown(&folder);
                writeln!(
                    formatter,
                    "        {rejected} not at the sink: each stands with its reason in `{folder}`"
                )?;
            }
        }
        write!(
            formatter,
            "bytes   {} in {} done; this run moved {} in {} ({})",
            format_bytes(self.files.bytes),
            self.units.plural(),
            format_bytes(self.bytes_moved),
            format_duration(self.duration),
            format_byte_rate(rate_over(self.bytes_moved, self.duration)),
        )?;
        if self.items.failed_listings > 0 && self.units == UnitKind::File {
            let items = counted(
                self.items.failed_listings,
                "item could not be listed: how many files it has",
                "items could not be listed: how many files they have",
            );
            write!(formatter, "\n        {items} is unknown, and none is counted")?;
        }
        if self.files.effects.left_out > 0 {
            let messages = counted(self.files.effects.left_out, "message was", "messages were");
            write!(
                formatter,
                "\n        {messages} left out (`--skip`): a `run` with `--stage` and the step's name makes them up"
            )?;
        }
        if !self.listed && self.units == UnitKind::File {
            write!(
                formatter,
                "\n        not every item has been listed yet: `files` is what is known so far"
            )?;
        }
        if !self.is_balanced() {
            write!(
                formatter,
                "\n        the account does not balance: this is a defect of the runner; keep the state folder and report it"
            )?;
        }
        for imbalance in &self.imbalances {
            write!(formatter, "\n          {}", shown(imbalance))?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn reupload() -> AccountReport {
        AccountReport {
            items: ItemAccount {
                planned: 52,
                done: 50,
                failed: 2,
                failed_listings: 1,
                ..ItemAccount::default()
            },
            files: Account {
                done: 1_045,
                present: 12,
                failed: 5,
                bytes: 81 << 20,
                ..Account::default()
            },
            effects_planned: 0,
            rejects: None,
            units: UnitKind::File,
            files_planned: 1_062,
            imbalances: Vec::new(),
            listed: true,
            bytes_moved: 82 << 20,
            duration: Duration::from_secs(12),
        }
    }

    #[test]
    fn the_account_is_aligned_and_balances() {
        insta::assert_snapshot!(reupload(), @r#"
        items   planned    52 = done    50 + present  0 + skipped 0 + failed 2 + blocked 0 + pending 0 (residual 0)
        files   planned 1,062 = done 1,045 + present 12 + skipped 0 + failed 5 + blocked 0 + pending 0 (residual 0)
        bytes   81 MiB in files done; this run moved 82 MiB in 12 s (6.8 MiB/s)
                1 item could not be listed: how many files it has is unknown, and none is counted
        "#);
        assert!(reupload().is_balanced());
    }

    #[test]
    fn a_unit_that_is_lost_shows_as_residual() {
        let mut account = reupload();
        account.files_planned += 3;
        account
            .imbalances
            .push("item `WI-1`: 4 files in its pages, 7 in its account".to_owned());
        account.listed = false;
        assert!(!account.is_balanced());
        let text = account.to_string();
        assert!(text.contains("(residual 3)"), "{text}");
        assert!(
            text.ends_with("\n          item `WI-1`: 4 files in its pages, 7 in its account"),
            "{text}"
        );
        assert!(
            text.contains("does not balance") && text.contains("known so far"),
            "{text}"
        );
        assert_eq!(account.to_json()["files"]["residual"], 3);
    }

    #[test]
    fn messages_that_were_left_out_come_with_their_remedy() {
        let mut account = reupload();
        account.files.effects.left_out = 2;
        account.effects_planned = 2;
        let text = account.to_string();
        assert!(
            text.contains("effects planned     2 = done     0 + present  0 + skipped 2"),
            "{text}"
        );
        assert!(text.contains("2 messages were left out (`--skip`)"), "{text}");
    }

    #[test]
    fn a_run_without_time_has_no_rate() {
        let text = AccountReport::default().to_string();
        assert!(text.contains("moved 0 B in 0.0 s (–)"), "{text}");
    }
}
