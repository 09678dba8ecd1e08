use std::fmt;

use serde_json::{Value, json};

use crate::model::{ItemSummary, UnitKind, UnitRecord, format_bytes, format_count, redact};

use super::history::item_json;
use super::item_files::is_refused;
use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::{CommandLine, ItemFiles, shown, shown_short};

/// Why an item stands as it does: everything that the state has about it.
#[derive(Clone, Copy, Debug)]
pub struct WhyReport<'a> {
    pub summary: &'a ItemSummary,
    /// Pages of its list that are sealed, and those that are not.
    pub sealed_pages: u64,
    pub open_pages: u64,
    pub files: &'a ItemFiles,
    pub command_line: &'a CommandLine,
}

impl WhyReport<'_> {
    pub fn to_json(&self) -> Value {
        let stages = self.files.stages().iter().filter(|(_, count)| *count > 0);
        let mut json = item_json(self.summary);
        json["schema_version"] = json!(SCHEMA_VERSION);
        json["pages"] = json!({ "sealed": self.sealed_pages, "open": self.open_pages });
        json[self.kind().plural()] = json!(self.files.units());
        json["stages"] = stages.map(|(name, count)| (name.clone(), json!(count))).collect();
        json["shown"] = self.files.shown().map(|record| self.file_json(record)).collect();
        json["hidden"] = json!(self.files.hidden());
        json["next"] = json!(self.next());
        json
    }

    fn file_json(&self, record: &UnitRecord) -> Value {
        let effects = self.files.steps().iter().zip(&record.effects).map(|(step, effect)| {
            json!({
                "step": step,
                "status": effect.status.name(),
                "attempts": effect.attempts,
                "failure": effect.failure,
            })
        });
        json!({
            "source": redact(&record.source),
            "target": redact(&record.target),
            "status": record.status.name(),
            "size": record.size,
            "hash": record.hash.as_ref().map(ToString::to_string),
            "existed_before": record.existed,
            "attempts": record.attempts,
            "failure": record.failure,
            "stage": self.files.stage_of(record),
            "effects": effects.collect::<Vec<_>>(),
        })
    }

    fn kind(&self) -> UnitKind {
        self.summary.unit_kind()
    }

    /// The command that changes something about it, or looks closer when nothing is left to do.
    fn next(&self) -> String {
        let is_settled = self.summary.listed && self.files.stages().iter().all(|(_, count)| *count == 0);
        self.command_line.command(match is_settled {
            true => "verify",
            false if self.files.has_refused() || self.summary.listing_failure.is_some() => "retry",
            false => "run",
        })
    }

    fn head(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        writeln!(
            formatter,
            "`{}`: {}, number {} of the list",
            shown_short(&summary.key),
            summary.status.name().replace('_', " "),
            format_count(summary.ordinal + 1)
        )?;
        let runs = counted(u64::from(summary.attempts), "run has", "runs have");
        write!(formatter, "runs     {runs} worked on it")?;
        for (word, time) in [("first begun", summary.started), ("last ended", summary.ended)] {
            time.map_or(Ok(()), |time| write!(formatter, "; {word} {time}"))?;
        }
        let pages = counted(self.sealed_pages + self.open_pages, "page", "pages");
        let state = match &summary.listing_failure {
            // Of a table it is a stage that failed, and is told below.
            Some(_) if self.kind() == UnitKind::Chunk && summary.listed => "read to its end".to_owned(),
            Some(_) if self.kind() == UnitKind::Chunk => "not read to its end".to_owned(),
            Some(failure) => format!("could not be read: {}", shown(&failure.to_string())),
            None if summary.listed => "read to its end".to_owned(),
            None => "not read to its end".to_owned(),
        };
        let open = format_count(self.open_pages);
        writeln!(
            formatter,
            "\nlist     {state}; {pages} recorded, {open} of them not sealed"
        )
    }

    fn accounts(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.files.units();
        writeln!(
            formatter,
            "{:<8} {}: {} done, {} present, {} failed, {} pending",
            self.kind().plural(),
            format_count(units.planned()),
            format_count(units.done),
            format_count(units.present),
            format_count(units.failed),
            format_count(units.pending),
        )?;
        let rows = &self.summary.units.rows;
        if self.kind() == UnitKind::Chunk {
            let (written, rejected) = (format_count(rows.written), format_count(rows.rejected));
            let place = match rows.rejected {
                0 => String::new(),
                _ => format!(
                    " (each with its reason in `rejects/{}-*.jsonl` of the state folder)",
                    self.summary.id()
                ),
            };
            writeln!(formatter, "rows     {written} written, {rejected} rejected{place}")?;
        }
        let effects = &units.effects;
        if effects.planned() > 0 {
            writeln!(
                formatter,
                "effects  {}: {} sent, {} not due, {} left out, {} failed, {} blocked, {} pending",
                format_count(effects.planned()),
                format_count(effects.sent),
                format_count(effects.not_due),
                format_count(effects.left_out),
                format_count(effects.failed),
                format_count(effects.blocked),
                format_count(effects.pending),
            )?;
        }
        for record in &self.summary.stages {
            let name = shown(&record.stage);
            let standing = self.summary.standing_of(record);
            write!(formatter, "{name:<11} {}", standing.name().replace('_', " "))?;
            for (word, time) in [("began", record.started), ("ended", record.ended)] {
                time.map_or(Ok(()), |time| write!(formatter, "; {word} {time}"))?;
            }
            match &record.failure {
                Some(failure) => writeln!(formatter, ": {}", shown(&failure.to_string()))?,
                None if standing != record.status => {
                    let failed = counted(self.summary.units.failed, "chunk", "chunks");
                    writeln!(formatter, ": {failed} failed")?;
                }
                None => writeln!(formatter)?,
            }
        }
        if self.kind() == UnitKind::Chunk {
            return Ok(());
        }
        let mut stages: Vec<String> = Vec::new();
        if !self.summary.listed {
            stages.push("files (the list)".to_owned());
        }
        let waiting = self.files.stages().iter().filter(|(_, count)| *count > 0);
        stages.extend(waiting.map(|(name, count)| format!("{} ({})", shown(name), counted(*count, "file", "files"))));
        let stages = if stages.is_empty() {
            "nothing is left to do".to_owned()
        } else {
            stages.join(", ")
        };
        writeln!(formatter, "stage    {stages}")
    }

    fn file(&self, formatter: &mut fmt::Formatter<'_>, record: &UnitRecord) -> fmt::Result {
        let size = record.size.map_or_else(|| "size unknown".to_owned(), format_bytes);
        let attempts = counted(u64::from(record.attempts), "attempt", "attempts");
        let stage = self
            .files
            .stage_of(record)
            .map(|stage| format!("; stage {}", shown(stage)));
        writeln!(
            formatter,
            "  {:<8} {}, {size}, {attempts}{}",
            record.status.name(),
            place(record),
            stage.unwrap_or_default()
        )?;
        if let Some(failure) = &record.failure {
            writeln!(formatter, "           {}", shown(&failure.to_string()))?;
        }
        if is_refused(record) {
            writeln!(
                formatter,
                "           refused before any attempt: `retry` lists the item anew"
            )?;
        }
        if let Some(hash) = &record.hash {
            writeln!(formatter, "           {hash}")?;
        }
        for (step, effect) in self.files.steps().iter().zip(&record.effects) {
            let status = effect.status.name().replace('_', " ");
            let attempts = counted(u64::from(effect.attempts), "attempt", "attempts");
            write!(formatter, "           {}: {status}, {attempts}", shown(step))?;
            match &effect.failure {
                Some(failure) => writeln!(formatter, "; {}", shown(&failure.to_string()))?,
                None => writeln!(formatter)?,
            }
        }
        Ok(())
    }
}

/// `` `source` → `target` ``, without what is not known.
fn place(record: &UnitRecord) -> String {
    let (source, target) = (shown_short(&record.source), shown_short(&record.target));
    match (record.source.is_empty(), record.target.is_empty()) {
        (false, true) => format!("`{source}`"),
        (true, _) => format!("`{target}`"),
        (false, false) => format!("`{source}` → `{target}`"),
    }
}

impl fmt::Display for WhyReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(formatter)?;
        self.accounts(formatter)?;
        writeln!(formatter)?;
        for record in self.files.shown() {
            self.file(formatter, record)?;
        }
        if self.files.hidden() > 0 {
            let hidden = counted(self.files.hidden(), self.kind().singular(), self.kind().plural());
            writeln!(formatter, "  and {hidden} more; `--show N` shows so many")?;
        }
        writeln!(formatter, "Next: {}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EffectIntent, EffectStatus, Failure, UnitIntent, UnitStatus};

    fn record(name: &str, status: UnitStatus) -> UnitRecord {
        let mut record = UnitRecord::pending(&UnitIntent {
            source: format!("in/{name}"),
            target: name.to_owned(),
            size: Some(100),
            existed: false,
            refusal: None,
            effects: vec![EffectIntent {
                step: "notify".to_owned(),
                body: "{}".to_owned(),
                refusal: None,
            }],
        });
        record.status = status;
        record.attempts = 1;
        record
    }

    #[test]
    fn what_is_left_to_do_comes_first_and_says_at_which_stage() {
        let mut files = ItemFiles::new(vec!["notify".to_owned()], 3);
        let mut sent = record("sent.bin", UnitStatus::Done);
        sent.effects[0].status = EffectStatus::Sent;
        files.add(sent.clone());
        files.add(sent);
        files.add(record("owed\u{1b}.bin", UnitStatus::Present));
        let mut refused = record("a//b", UnitStatus::Failed);
        refused.attempts = 0;
        refused.failure = Some(Failure::data("name.empty_segment", "a part of the name is empty"));
        refused.effects[0].status = EffectStatus::Blocked;
        files.add(refused);
        let mut summary = ItemSummary::new("WI-1".to_owned(), 0);
        summary.listed = true;
        let command_line = CommandLine::new("jobs/a.yaml");
        let report = WhyReport {
            summary: &summary,
            sealed_pages: 1,
            open_pages: 0,
            files: &files,
            command_line: &command_line,
        };
        insta::assert_snapshot!(report, @r#"
        `WI-1`: pending, number 1 of the list
        runs     0 runs have worked on it
        list     read to its end; 1 page recorded, 0 of them not sealed
        files    4: 2 done, 1 present, 1 failed, 0 pending
        effects  4: 2 sent, 0 not due, 0 left out, 0 failed, 1 blocked, 1 pending
        stage    copy (1 file), notify (1 file)

          present  `in/owed\u{1b}.bin` → `owed\u{1b}.bin`, 100 B, 1 attempt; stage notify
                   notify: pending, 0 attempts
          failed   `in/a//b` → `a//b`, 100 B, 0 attempts; stage copy
                   a part of the name is empty (data, name.empty_segment)
                   refused before any attempt: `retry` lists the item anew
                   notify: blocked, 0 attempts
          done     `in/sent.bin` → `sent.bin`, 100 B, 1 attempt
                   notify: sent, 0 attempts
          and 1 file more; `--show N` shows so many
        Next: pipeline retry jobs/a.yaml
        "#);
        let json = report.to_json();
        assert_eq!(json["stages"], json!({"copy": 1, "notify": 1}));
        assert_eq!(json["hidden"], 1);
    }
}
