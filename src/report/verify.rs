use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{ItemKey, UnitRecord, VerifyCounts, format_bytes, format_count, redact};

use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::{CommandLine, shown, shown_short};

/// In what the sink differs from the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Difference {
    Missing,
    /// Bytes.
    Size {
        ledger: u64,
        sink: u64,
    },
    Checksum,
    /// The ledger has it as failed or pending: nothing is expected at the sink.
    NotDone,
    /// The sink did not answer for it.
    Unreadable {
        message: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("missing"),
            Self::Size { ledger, sink } if format_bytes(*ledger) == format_bytes(*sink) => {
                let (ledger, sink) = (format_count(*ledger), format_count(*sink));
                write!(formatter, "{sink} bytes at the sink, {ledger} in the ledger")
            }
            Self::Size { ledger, sink } => {
                let (ledger, sink) = (format_bytes(*ledger), format_bytes(*sink));
                write!(formatter, "{sink} at the sink, {ledger} in the ledger")
            }
            Self::Checksum => formatter.write_str("other bytes at the sink than the ledger's checksum is of"),
            Self::NotDone => formatter.write_str("failed or pending in the ledger"),
            Self::Unreadable { message } => write!(formatter, "could not be checked: {}", shown(message)),
        }
    }
}

/// A file that is not at the sink as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub item: ItemKey,
    pub source: String,
    pub target: String,
    pub difference: Difference,
}

impl Finding {
    pub fn new(item: &str, record: &UnitRecord, difference: Difference) -> Self {
        Self {
            item: redact(item).into_owned(),
            source: redact(&record.source).into_owned(),
            target: redact(&record.target).into_owned(),
            difference,
        }
    }
}

/// Rounded down, so that only what is whole reads as 100 %.
fn percent_text(counts: &VerifyCounts) -> String {
    match counts.percent() {
        None => "nothing to check".to_owned(),
        Some(percent) => format!("{:.2} % the same", (percent * 100.0).floor() / 100.0),
    }
}

/// The result of `verify`: what the sink has of what the ledger says it should have.
#[derive(Clone, Copy, Debug)]
pub struct VerifyReport<'a> {
    pub job: &'a str,
    pub counts: VerifyCounts,
    /// Bytes were read back and hashed; otherwise presence and length alone were compared.
    pub by_checksum: bool,
    /// Percent of the checked files that must be the same.
    pub minimum_percent: f64,
    /// The first few.
    pub findings: &'a [Finding],
    /// Files that are not at the sink were to be put back to pending.
    pub reopen: bool,
    pub command_line: &'a CommandLine,
}

impl VerifyReport<'_> {
    /// Findings worth keeping for showing.
    pub const SHOWN: usize = 20;

    /// Whether the bar is met. Where nothing was checked, nothing is wrong.
    pub fn is_passed(&self) -> bool {
        self.counts
            .percent()
            .is_none_or(|percent| percent >= self.minimum_percent)
    }

    pub fn to_json(&self) -> Value {
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.job,
            "by_checksum": self.by_checksum,
            "checked": self.counts.checked(),
            "counts": self.counts,
            "percent": self.counts.percent(),
            "minimum_percent": self.minimum_percent,
            "passed": self.is_passed(),
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn next(&self) -> String {
        let counts = &self.counts;
        let reopenable = counts.missing + counts.size_differs + counts.checksum_differs;
        if counts.differences() == 0 {
            self.command_line.command("status")
        } else if counts.reopened > 0 || counts.not_done > 0 && reopenable == 0 {
            self.command_line.command("run")
        } else if reopenable > 0 && !self.reopen {
            format!("{} --reopen", self.command_line.command("verify"))
        } else {
            self.command_line.command("verify")
        }
    }

    fn remarks(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let by_length = counts.same - counts.same_by_checksum.min(counts.same);
        if self.by_checksum && by_length > 0 {
            let files = counted(by_length, "file has", "files have");
            writeln!(
                formatter,
                "  {files} no checksum in the ledger: compared by length only"
            )?;
        }
        if counts.unlisted_items > 0 {
            let items = counted(counts.unlisted_items, "item is", "items are");
            writeln!(
                formatter,
                "  {items} not listed to the end: how many files they lack is unknown"
            )?;
        }
        if self.reopen {
            let files = counted(counts.reopened, "file was", "files were");
            writeln!(
                formatter,
                "  {files} put back to pending: the next `run` copies them again"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for VerifyReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let how = if self.by_checksum {
            "checksum"
        } else {
            "presence and length"
        };
        let checked = format_count(counts.checked());
        let ledger = counted(counts.ledger, "file", "files");
        writeln!(
            formatter,
            "{}: checked {checked} of {ledger} in the ledger, by {how}",
            shown(self.job)
        )?;
        let rows = [
            ("same", counts.same),
            ("missing", counts.missing),
            ("different size", counts.size_differs),
            ("different checksum", counts.checksum_differs),
            ("failed or pending in the ledger", counts.not_done),
            ("could not be checked", counts.unreadable),
        ];
        for (label, count) in rows {
            writeln!(
                formatter,
                "  {:>width$} {label}",
                format_count(count),
                width = checked.len()
            )?;
        }
        self.remarks(formatter)?;
        if !self.findings.is_empty() {
            writeln!(formatter)?;
        }
        for finding in self.findings {
            let (item, target) = (shown_short(&finding.item), shown_short(&finding.target));
            writeln!(formatter, "  `{item}`: `{target}`: {}", finding.difference)?;
        }
        let hidden = counts.differences().saturating_sub(self.findings.len() as u64);
        if hidden > 0 && !self.findings.is_empty() {
            writeln!(formatter, "  and {} more", format_count(hidden))?;
        }
        let verdict = if self.is_passed() { "passed" } else { "failed" };
        let (percent, bar) = (percent_text(counts), self.minimum_percent);
        writeln!(formatter, "\nVerify {verdict}: {percent}, {bar} % asked for")?;
        writeln!(formatter, "Next: {}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnitIntent;

    fn finding(item: &str, target: &str, difference: Difference) -> Finding {
        let intent = UnitIntent {
            source: format!("in/{target}"),
            target: target.to_owned(),
            size: None,
            existed: false,
            refusal: None,
            effects: Vec::new(),
        };
        Finding::new(item, &UnitRecord::pending(&intent), difference)
    }

    fn report<'a>(counts: VerifyCounts, findings: &'a [Finding], command_line: &'a CommandLine) -> VerifyReport<'a> {
        VerifyReport {
            job: "reupload",
            counts,
            by_checksum: true,
            minimum_percent: 100.0,
            findings,
            reopen: false,
            command_line,
        }
    }

    const COUNTS: VerifyCounts = VerifyCounts {
        ledger: 2_000,
        same: 995,
        same_by_checksum: 994,
        missing: 1,
        size_differs: 1,
        checksum_differs: 1,
        not_done: 1,
        unreadable: 1,
        reopened: 0,
        unlisted_items: 2,
    };

    #[test]
    fn differences_are_counted_named_and_held_against_the_bar() {
        let message = "timed out".to_owned();
        let size = Difference::Size {
            ledger: 10_000,
            sink: 9_999,
        };
        let findings = [
            finding("WI-1", "a\n.bin", Difference::Missing),
            finding("WI-1", "b", size),
            finding("WI-2", "c", Difference::Checksum),
            finding("WI-2", "d", Difference::Unreadable { message }),
        ];
        let command_line = CommandLine::new("jobs/reupload.yaml");
        let mut report = report(COUNTS, &findings, &command_line);
        insta::assert_snapshot!(report, @r#"
        reupload: checked 1,000 of 2,000 files in the ledger, by checksum
            995 same
              1 missing
              1 different size
              1 different checksum
              1 failed or pending in the ledger
              1 could not be checked
          1 file has no checksum in the ledger: compared by length only
          2 items are not listed to the end: how many files they lack is unknown

          `WI-1`: `a\n.bin`: missing
          `WI-1`: `b`: 9,999 bytes at the sink, 10,000 in the ledger
          `WI-2`: `c`: other bytes at the sink than the ledger's checksum is of
          `WI-2`: `d`: could not be checked: timed out
          and 1 more

        Verify failed: 99.50 % the same, 100 % asked for
        Next: pipeline verify jobs/reupload.yaml --reopen
        "#);
        assert!(!report.is_passed());
        report.minimum_percent = 99.0;
        assert!(report.is_passed());
        assert_eq!(report.to_json()["findings"][1]["difference"]["kind"], "size");
        assert_eq!(report.to_json()["findings"][1]["difference"]["sink"], 9_999);
    }

    #[test]
    fn the_next_command_follows_from_what_was_found() {
        let command_line = CommandLine::new("a.yaml");
        let next = |reopen, counts| {
            let mut report = report(counts, &[], &command_line);
            report.reopen = reopen;
            report.next()
        };
        let same = VerifyCounts {
            same: 5,
            ..VerifyCounts::default()
        };
        assert_eq!(next(false, same), "pipeline status a.yaml");
        assert_eq!(next(false, VerifyCounts { not_done: 1, ..same }), "pipeline run a.yaml");
        let missing = VerifyCounts { missing: 1, ..same };
        assert_eq!(next(false, missing), "pipeline verify a.yaml --reopen");
        assert_eq!(
            next(true, VerifyCounts { reopened: 1, ..missing }),
            "pipeline run a.yaml"
        );
        assert_eq!(
            next(true, VerifyCounts { unreadable: 1, ..same }),
            "pipeline verify a.yaml"
        );
    }

    #[test]
    fn one_lost_file_of_many_does_not_read_as_whole() {
        let counts = VerifyCounts {
            same: 199_999,
            missing: 1,
            ..VerifyCounts::default()
        };
        assert_eq!(percent_text(&counts), "99.99 % the same");
        assert!(!report(counts, &[], &CommandLine::default()).is_passed());
    }

    #[test]
    fn an_empty_ledger_is_no_failure() {
        let command_line = CommandLine::default();
        let report = report(VerifyCounts::default(), &[], &command_line);
        assert!(report.is_passed());
        assert!(
            report.to_string().contains("Verify passed: nothing to check"),
            "{report}"
        );
    }
}
