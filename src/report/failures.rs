use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{
    EffectStatus, Failure, FailureClass, ItemKey, ItemSummary, UnitRecord, UnitStatus, format_count, redact,
};

use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::{CommandLine, shown, shown_short};

/// What the codes of failures of a table as a whole begin with.
const TABLE_CODES: [&str; 3] = ["tables.", "database.", "rows."];

/// The code of keys that wait for a table which is not complete.
const BLOCKED: &str = "tables.blocked";

/// A file that failed, or an item whose file list could not be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedUnit {
    pub item: ItemKey,
    /// Absent for a file list that could not be read, as is `target`.
    pub source: Option<String>,
    /// Empty when the name itself could not be made.
    pub target: Option<String>,
    pub class: FailureClass,
    pub code: String,
    /// Over all runs; of the item for a list.
    pub attempts: u32,
    pub message: String,
}

impl FailedUnit {
    /// The failure of a file, when the ledger has it as failed.
    pub fn of_file(item: &str, record: &UnitRecord) -> Option<Self> {
        let failure = record
            .failure
            .as_ref()
            .filter(|_| record.status == UnitStatus::Failed)?;
        let names = Some((record.source.as_str(), record.target.as_str()));
        Some(Self::new(item, names, failure, record.attempts))
    }

    /// The failures of what a file owes to steps: messages that could not be sent.
    pub fn of_effects(item: &str, record: &UnitRecord) -> impl Iterator<Item = Self> {
        let names = Some((record.source.as_str(), record.target.as_str()));
        record.effects.iter().filter_map(move |effect| {
            let failure = effect
                .failure
                .as_ref()
                .filter(|_| effect.status == EffectStatus::Failed)?;
            Some(Self::new(item, names, failure, effect.attempts))
        })
    }

    /// The failure of an item's list, when it could not be read.
    pub fn of_listing(summary: &ItemSummary) -> Option<Self> {
        let failure = summary.listing_failure.as_ref()?;
        Some(Self::new(&summary.key, None, failure, summary.attempts))
    }

    fn new(item: &str, names: Option<(&str, &str)>, failure: &Failure, attempts: u32) -> Self {
        Self {
            item: redact(item).into_owned(),
            source: names.map(|(source, _)| redact(source).into_owned()),
            target: names.map(|(_, target)| redact(target).into_owned()),
            class: failure.class,
            code: failure.code.to_string(),
            attempts,
            message: redact(&failure.message).into_owned(),
        }
    }

    /// Where it happened, and what, on one line.
    pub fn line(&self) -> String {
        format!("{}: {}", self.place(), self.message)
    }

    /// `` `item`: `source` → `target` `` for people.
    fn place(&self) -> String {
        let item = shown_short(&self.item);
        match (&self.source, &self.target) {
            (Some(source), Some(target)) if !target.is_empty() => {
                format!("`{item}`: `{}` → `{}`", shown_short(source), shown_short(target))
            }
            (Some(source), _) => format!("`{item}`: `{}`", shown_short(source)),
            // A table fails as a whole; its failures are those of databases and rows.
            (None, _) if TABLE_CODES.iter().any(|code| self.code.starts_with(code)) => format!("table `{item}`"),
            (None, _) => format!("`{item}`: its file list"),
        }
    }
}

/// Failures of one class and code.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailureGroup {
    pub class: FailureClass,
    pub code: String,
    pub count: u64,
    /// The first few of them.
    pub examples: Vec<FailedUnit>,
}

/// How many failures of one kind there are, and one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailureTotal {
    pub class: FailureClass,
    pub code: String,
    pub count: u64,
    /// Where one of them happened, and its message.
    pub example: String,
}

/// Failures by class and code. Its memory is bounded by the number of codes, however many units failed.
#[derive(Clone, Debug)]
pub struct FailureGroups {
    groups: BTreeMap<(FailureClass, String), FailureGroup>,
    examples_max: usize,
}

impl FailureGroups {
    /// Keeps `examples_max` of each group; `usize::MAX` keeps all.
    pub fn new(examples_max: usize) -> Self {
        Self {
            groups: BTreeMap::new(),
            examples_max,
        }
    }

    pub fn add(&mut self, failed: FailedUnit) {
        let group = self
            .groups
            .entry((failed.class, failed.code.clone()))
            .or_insert_with(|| FailureGroup {
                class: failed.class,
                code: failed.code.clone(),
                count: 0,
                examples: Vec::new(),
            });
        group.count += 1;
        if group.examples.len() < self.examples_max {
            group.examples.push(failed);
        }
    }

    /// In the order of the classes, the most frequent code first.
    pub fn groups(&self) -> Vec<&FailureGroup> {
        let mut groups: Vec<&FailureGroup> = self.groups.values().collect();
        groups.sort_by_key(|group| (group.class, std::cmp::Reverse(group.count)));
        groups
    }

    /// The groups with the first example of each in one line.
    pub fn totals(&self) -> Vec<FailureTotal> {
        let total = |group: &FailureGroup| FailureTotal {
            class: group.class,
            code: group.code.clone(),
            count: group.count,
            example: group.examples.first().map_or_else(String::new, FailedUnit::line),
        };
        self.groups().into_iter().map(total).collect()
    }

    pub fn total(&self) -> u64 {
        self.groups.values().map(|group| group.count).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether every failure is of a kind that may pass by itself. What only waits for others passes with them.
    pub fn all_retryable(&self) -> bool {
        let is_cause = |(_, code): &&(FailureClass, String)| code != BLOCKED;
        let mut causes = self.groups.keys().filter(is_cause).peekable();
        self.groups.is_empty() || causes.peek().is_some() && causes.all(|(class, _)| class.is_retryable())
    }
}

impl FromIterator<FailedUnit> for FailureGroups {
    /// Keeps every failure.
    fn from_iter<I: IntoIterator<Item = FailedUnit>>(failures: I) -> Self {
        let mut groups = Self::new(usize::MAX);
        failures.into_iter().for_each(|failed| groups.add(failed));
        groups
    }
}

/// The list of failures, grouped.
#[derive(Clone, Copy, Debug)]
pub struct FailuresReport<'a> {
    pub job: &'a str,
    pub failures: &'a FailureGroups,
    pub command_line: &'a CommandLine,
}

impl FailuresReport<'_> {
    pub fn to_json(&self) -> Value {
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.job,
            "total": self.failures.total(),
            "groups": self.failures.groups(),
            "next": self.next(),
        })
    }

    fn next(&self) -> String {
        let command = if self.failures.is_empty() { "status" } else { "run" };
        self.command_line.command(command)
    }
}

impl fmt::Display for FailuresReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.failures.is_empty() {
            writeln!(formatter, "no failures are recorded for `{}`", shown(self.job))?;
            return writeln!(formatter, "Next: {}", self.next());
        }
        for group in self.failures.groups() {
            let count = format_count(group.count);
            writeln!(formatter, "{} {}: {count}", group.class, shown(&group.code))?;
            for example in &group.examples {
                let attempts = counted(u64::from(example.attempts), "attempt", "attempts");
                writeln!(formatter, "  {}, {attempts}", example.place())?;
                writeln!(formatter, "    {}", shown(&example.message))?;
            }
            let hidden = group.count.saturating_sub(group.examples.len() as u64);
            if hidden > 0 {
                writeln!(formatter, "  and {} more", format_count(hidden))?;
            }
            writeln!(formatter)?;
        }
        let total = counted(self.failures.total(), "failure", "failures");
        writeln!(formatter, "{total}; a plain `run` tries them again")?;
        writeln!(formatter, "Next: {}", self.next())
    }
}

/// Writes failures as one JSON array, one object on each line, as they are met.
pub struct FailureJson<'a> {
    out: &'a mut dyn Write,
    is_first: bool,
}

impl<'a> FailureJson<'a> {
    pub fn new(out: &'a mut dyn Write) -> std::io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self { out, is_first: true })
    }

    pub fn write(&mut self, failed: &FailedUnit) -> std::io::Result<()> {
        self.out.write_all(if self.is_first { b"\n" } else { b",\n" })?;
        self.is_first = false;
        Ok(serde_json::to_writer(&mut *self.out, failed)?)
    }

    pub fn finish(self) -> std::io::Result<()> {
        self.out.write_all(b"\n]\n")
    }
}

/// Writes failures as CSV, one line each, as they are met: exact names, nothing kept in memory.
pub struct FailureCsv<'a> {
    writer: csv::Writer<&'a mut dyn Write>,
}

impl<'a> FailureCsv<'a> {
    /// Writes the header line `item,source,target,class,code,attempts,message`.
    pub fn new(out: &'a mut dyn Write) -> Result<Self, csv::Error> {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        writer.write_record(["item", "source", "target", "class", "code", "attempts", "message"])?;
        Ok(Self { writer })
    }

    pub fn write(&mut self, failed: &FailedUnit) -> Result<(), csv::Error> {
        self.writer.serialize(failed)
    }

    pub fn finish(mut self) -> Result<(), csv::Error> {
        Ok(self.writer.flush()?)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn failed(item: &str, file: &str, class: FailureClass, code: &'static str, message: &str) -> FailedUnit {
        let record = UnitRecord {
            source: format!("in/{file}"),
            target: format!("{item}-{file}"),
            size: None,
            existed: false,
            rows: Default::default(),
            status: UnitStatus::Failed,
            hash: None,
            attempts: 3,
            failure: Some(Failure::new(class, code, message)),
            effects: Vec::new(),
        };
        FailedUnit::of_file(item, &record).unwrap()
    }

    pub(crate) fn some_failures() -> FailureGroups {
        let mut groups = FailureGroups::new(1);
        for file in ["a.bin", "b.bin", "c.bin"] {
            groups.add(failed(
                "WI-1",
                file,
                FailureClass::Transient,
                "store.timeout",
                "no answer within 10 s",
            ));
        }
        groups.add(failed(
            "WI-2",
            "x\u{1b}[2K\r.bin",
            FailureClass::NotFound,
            "store.not_found",
            "https://a.example/c/x?sig=abc is not there",
        ));
        let mut unlisted = ItemSummary::new("WI-3".to_owned(), 2);
        unlisted.attempts = 1;
        unlisted.listing_failure = Some(Failure::data("query.column", "the answer has no column `Uri`"));
        groups.add(FailedUnit::of_listing(&unlisted).unwrap());
        groups
    }

    #[test]
    fn failures_are_grouped_and_hostile_names_are_harmless() {
        let failures = some_failures();
        let command_line = CommandLine::new("jobs/reupload.yaml");
        let report = FailuresReport {
            job: "reupload",
            failures: &failures,
            command_line: &command_line,
        };
        insta::assert_snapshot!(report, @r#"
        transient store.timeout: 3
          `WI-1`: `in/a.bin` → `WI-1-a.bin`, 3 attempts
            no answer within 10 s
          and 2 more

        not_found store.not_found: 1
          `WI-2`: `in/x\u{1b}[2K\r.bin` → `WI-2-x\u{1b}[2K\r.bin`, 3 attempts
            https://a.example/c/x?[hidden] is not there

        data query.column: 1
          `WI-3`: its file list, 1 attempt
            the answer has no column `Uri`

        5 failures; a plain `run` tries them again
        Next: pipeline run jobs/reupload.yaml
        "#);
        assert_eq!(report.to_json()["groups"][0]["count"], 3);
        assert!(!failures.all_retryable());
    }

    #[test]
    fn csv_holds_exact_names() {
        let mut out = Vec::new();
        let mut csv = FailureCsv::new(&mut out).unwrap();
        csv.write(&failed(
            "WI-1",
            "a,\"b\"\n.bin",
            FailureClass::Data,
            "name.control",
            "no",
        ))
        .unwrap();
        csv.finish().unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        item,source,target,class,code,attempts,message
        WI-1,"in/a,""b""
        .bin","WI-1-a,""b""
        .bin",data,name.control,3,no
        "#);
    }

    #[test]
    fn what_waits_for_a_failure_that_may_pass_passes_with_it() {
        let is_retryable = |failures: &[Failure]| {
            let failed = failures
                .iter()
                .map(|failure| FailedUnit::new("Orders", None, failure, 1));
            failed.collect::<FailureGroups>().all_retryable()
        };
        let lost = Failure::transient("database.connection", "lost");
        let blocked = Failure::new(FailureClass::Conflict, BLOCKED, "waits");
        assert!(is_retryable(&[]));
        assert!(is_retryable(&[lost.clone(), blocked.clone()]));
        assert!(!is_retryable(std::slice::from_ref(&blocked)));
        assert!(!is_retryable(&[lost, blocked, Failure::data("rows.value", "no")]));
    }

    #[test]
    fn only_what_failed_is_a_failure() {
        let done = UnitRecord {
            source: String::new(),
            target: String::new(),
            size: None,
            existed: false,
            rows: Default::default(),
            status: UnitStatus::Done,
            hash: None,
            attempts: 1,
            failure: None,
            effects: Vec::new(),
        };
        assert_eq!(FailedUnit::of_file("WI-1", &done), None);
        assert_eq!(FailedUnit::of_listing(&ItemSummary::new("WI-1".to_owned(), 0)), None);
    }
}
