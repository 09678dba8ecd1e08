use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{ItemKey, format_bytes, format_count, redact};

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
    /// Checksums as `sha256:…`.
    Checksum {
        ledger: String,
        sink: String,
    },
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
            Self::Checksum { ledger, sink } => {
                write!(
                    formatter,
                    "{} at the sink, {} in the ledger",
                    shown(sink),
                    shown(ledger)
                )
            }
            Self::Unreadable { message } => write!(formatter, "could not be checked: {}", shown(message)),
        }
    }
}

/// A file that is not at the sink as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub item: ItemKey,
    pub target: String,
    pub difference: Difference,
}

impl Finding {
    pub fn new(item: &str, target: &str, difference: Difference) -> Self {
        Self {
            item: redact(item).into_owned(),
            target: redact(target).into_owned(),
            difference,
        }
    }
}

/// The result of `verify`: what the sink has of what the ledger says it should have.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    pub job: String,
    /// Settled files in the ledger: what could be checked.
    pub settled: u64,
    /// Content hashes were compared, not lengths alone.
    pub checksum: bool,
    /// Percent of the checked files that must be the same.
    pub minimum_percent: f64,
    pub same: u64,
    /// Of `same`, those of which only presence and length were compared.
    pub same_by_size: u64,
    pub missing: u64,
    pub different_size: u64,
    pub different_checksum: u64,
    pub unreadable: u64,
    /// The first few.
    pub findings: Vec<Finding>,
    /// Files that were put back to pending, when that was asked for.
    pub reopened: Option<u64>,
    pub command_line: CommandLine,
}

impl VerifyReport {
    /// Findings kept for showing.
    pub const SHOWN: usize = 20;

    pub fn new(job: impl Into<String>, command_line: CommandLine) -> Self {
        Self {
            job: job.into(),
            settled: 0,
            checksum: false,
            minimum_percent: 100.0,
            same: 0,
            same_by_size: 0,
            missing: 0,
            different_size: 0,
            different_checksum: 0,
            unreadable: 0,
            findings: Vec::new(),
            reopened: None,
            command_line,
        }
    }

    /// Counts a file that is as it should be; `hashed` tells whether its content hash was compared.
    pub fn count_same(&mut self, hashed: bool) {
        self.same += 1;
        self.same_by_size += u64::from(!hashed);
    }

    /// Counts a file that is not as it should be, and keeps it if it is among the first.
    pub fn count_difference(&mut self, finding: Finding) {
        *match finding.difference {
            Difference::Missing => &mut self.missing,
            Difference::Size { .. } => &mut self.different_size,
            Difference::Checksum { .. } => &mut self.different_checksum,
            Difference::Unreadable { .. } => &mut self.unreadable,
        } += 1;
        if self.findings.len() < Self::SHOWN {
            self.findings.push(finding);
        }
    }

    pub fn checked(&self) -> u64 {
        self.same + self.differences()
    }

    pub fn differences(&self) -> u64 {
        self.missing + self.different_size + self.different_checksum + self.unreadable
    }

    /// Percent of the checked files that are the same; `None` when none was checked.
    pub fn percent(&self) -> Option<f64> {
        (self.checked() > 0).then(|| self.same as f64 * 100.0 / self.checked() as f64)
    }

    /// Whether the bar is met. Where nothing was checked, nothing is wrong.
    pub fn is_passed(&self) -> bool {
        self.differences() == 0 || self.percent().is_none_or(|percent| percent >= self.minimum_percent)
    }

    pub fn to_json(&self) -> Value {
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.job,
            "settled": self.settled,
            "checked": self.checked(),
            "checksum": self.checksum,
            "same": self.same,
            "same_by_size": self.same_by_size,
            "missing": self.missing,
            "different_size": self.different_size,
            "different_checksum": self.different_checksum,
            "unreadable": self.unreadable,
            "percent": self.percent(),
            "minimum_percent": self.minimum_percent,
            "passed": self.is_passed(),
            "reopened": self.reopened,
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn next(&self) -> String {
        if self.differences() == 0 {
            self.command_line.command("status")
        } else if self.reopened.is_some() {
            self.command_line.command("run")
        } else {
            format!("{} --reopen", self.command_line.command("verify"))
        }
    }

    /// Rounded down, so that only what is whole reads as 100 %.
    fn percent_text(&self) -> String {
        match self.percent() {
            None => "nothing to check".to_owned(),
            Some(percent) => format!("{:.2} %", (percent * 100.0).floor() / 100.0),
        }
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.checksum {
            "length and checksum"
        } else {
            "presence and length"
        };
        let checked = format_count(self.checked());
        let settled = counted(self.settled, "settled file", "settled files");
        writeln!(
            formatter,
            "{}: checked {checked} of {settled} by {how}",
            shown(&self.job)
        )?;
        let rows = [
            ("same", self.same),
            ("missing", self.missing),
            ("different size", self.different_size),
            ("different checksum", self.different_checksum),
            ("could not be checked", self.unreadable),
        ];
        let width = format_count(self.checked()).len();
        for (label, count) in rows {
            writeln!(formatter, "  {:>width$} {label}", format_count(count))?;
        }
        if self.checksum && self.same_by_size > 0 {
            let by_size = counted(self.same_by_size, "file has", "files have");
            writeln!(
                formatter,
                "  {by_size} no checksum in the ledger: compared by length only"
            )?;
        }
        if !self.findings.is_empty() {
            writeln!(formatter)?;
        }
        for finding in &self.findings {
            let (item, target) = (shown_short(&finding.item), shown_short(&finding.target));
            writeln!(formatter, "  `{item}`: `{target}`: {}", finding.difference)?;
        }
        let hidden = self.differences().saturating_sub(self.findings.len() as u64);
        if hidden > 0 {
            writeln!(formatter, "  and {} more", format_count(hidden))?;
        }
        if let Some(reopened) = self.reopened {
            let reopened = counted(reopened, "file was", "files were");
            writeln!(
                formatter,
                "\n{reopened} put back to pending: the next `run` copies them again"
            )?;
        }
        let verdict = if self.is_passed() { "passed" } else { "failed" };
        let (percent, bar) = (self.percent_text(), self.minimum_percent);
        writeln!(formatter, "\nVerify {verdict}: {percent} the same, {bar} % asked for")?;
        writeln!(formatter, "Next: {}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(same: u64) -> VerifyReport {
        let mut report = VerifyReport::new("reupload", CommandLine::new("jobs/reupload.yaml"));
        report.settled = 2_000;
        report.checksum = true;
        (0..same).for_each(|number| report.count_same(number > 0));
        report
    }

    #[test]
    fn differences_are_counted_named_and_held_against_the_bar() {
        let mut report = report(996);
        report.count_difference(Finding::new("WI-1", "a\n.bin", Difference::Missing));
        report.count_difference(Finding::new(
            "WI-1",
            "b",
            Difference::Size {
                ledger: 10_000,
                sink: 9_999,
            },
        ));
        let checksum = Difference::Checksum {
            ledger: "sha256:00".to_owned(),
            sink: "sha256:ff".to_owned(),
        };
        report.count_difference(Finding::new("WI-2", "c", checksum));
        let message = "timed out".to_owned();
        report.count_difference(Finding::new("WI-2", "d", Difference::Unreadable { message }));
        insta::assert_snapshot!(report, @r#"
        reupload: checked 1,000 of 2,000 settled files by length and checksum
            996 same
              1 missing
              1 different size
              1 different checksum
              1 could not be checked
          1 file has no checksum in the ledger: compared by length only

          `WI-1`: `a\n.bin`: missing
          `WI-1`: `b`: 9,999 bytes at the sink, 10,000 in the ledger
          `WI-2`: `c`: sha256:ff at the sink, sha256:00 in the ledger
          `WI-2`: `d`: could not be checked: timed out

        Verify failed: 99.60 % the same, 100 % asked for
        Next: pipeline verify jobs/reupload.yaml --reopen
        "#);
        assert!(!report.is_passed());
        report.minimum_percent = 99.0;
        assert!(report.is_passed());
        report.reopened = Some(3);
        assert_eq!(report.to_json()["next"], "pipeline run jobs/reupload.yaml");
        assert_eq!(report.to_json()["findings"][1]["difference"]["kind"], "size");
    }

    #[test]
    fn one_lost_file_of_many_does_not_read_as_whole() {
        let mut report = report(199_999);
        report.count_difference(Finding::new("WI-1", "a", Difference::Missing));
        assert_eq!(report.percent_text(), "99.99 %");
        assert!(!report.is_passed());
    }

    #[test]
    fn an_empty_ledger_is_no_failure() {
        let report = report(0);
        assert!(report.is_passed());
        assert_eq!(report.percent(), None);
    }
}
