use std::fmt;

use serde_json::{Value, json};

use crate::model::{Extras, format_count};
use crate::plan::{Plan, ProbedColumn, TableChoice, TableDecision};

use super::json::SCHEMA_VERSION;
use super::text::counted;
use super::{CommandLine, GraphFormat, graph, shown};

/// The preview of a job of tables: what each becomes, what it may lose, and what would happen to it.
#[derive(Clone, Copy, Debug)]
pub struct TablePlanReport<'a> {
    pub plan: &'a Plan,
    pub tables: &'a [TableDecision],
    /// Patterns of the spec that fit no table of the source.
    pub unused_patterns: &'a [String],
    /// Every column and every statement is shown.
    pub is_detailed: bool,
    pub command_line: &'a CommandLine,
}

impl TablePlanReport<'_> {
    fn count(&self, name: &str) -> u64 {
        let of_name = |table: &&TableDecision| table.decision.name() == name;
        self.tables.iter().filter(of_name).count() as u64
    }

    /// Whether a run would do anything.
    pub fn has_work(&self) -> bool {
        self.count("load") + self.count("finish") + self.count("refuse") > 0
    }

    /// `Plan: 33 tables to load (185,440 rows estimated), 0 to finish, 0 done, 0 skipped, 0 refused`
    pub fn line(&self) -> String {
        let loaded = self.tables.iter().filter(|table| table.decision == TableChoice::Load);
        let (mut rows, mut is_known, mut is_counted) = (0, true, true);
        for table in loaded {
            is_known &= table.rows.is_some();
            is_counted &= table.is_counted;
            rows += table.rows.unwrap_or_default();
        }
        let rows = match (is_known, is_counted) {
            (false, _) => "rows unknown; `--exact` counts them".to_owned(),
            (true, true) => counted(rows, "row", "rows"),
            (true, false) => format!("{} estimated; `--exact` counts them", counted(rows, "row", "rows")),
        };
        format!(
            "Plan: {} to load ({rows}), {} to finish, {} done, {} skipped, {} refused",
            counted(self.count("load"), "table", "tables"),
            format_count(self.count("finish")),
            format_count(self.count("done")),
            format_count(self.count("skip")),
            format_count(self.count("refuse"))
        )
    }

    fn next(&self) -> String {
        self.command_line
            .command(if self.has_work() { "run" } else { "verify" })
    }

    pub fn to_json(&self) -> Value {
        let tables = self.tables.iter().map(|table| {
            let columns = table.columns.iter().map(|column| {
                json!({
                    "source": column.source, "source_type": column.source_native, "carried_as": column.carry.name(),
                    "target": column.target, "target_type": column.target_native, "losses": column.losses,
                })
            });
            let reasons = match &table.decision {
                TableChoice::Refuse(reasons) => reasons.clone(),
                _ => Vec::new(),
            };
            json!({
                "table": table.key,
                "target": table.target.to_string(),
                "decision": table.decision.name(),
                "reasons": reasons,
                "rows": table.rows,
                "rows_counted": table.is_counted,
                "columns": columns.collect::<Vec<_>>(),
                "statements": table.statements,
                "gives_back": table.owed,
                "left_out": table.left_out,
                "not_carried_over": extras_json(&table.not_carried),
                "uncut": table.uncut,
                "drift": table.drift,
                "probed": table.probed.as_ref().map(|probed| probed.iter().map(probed_json).collect::<Vec<_>>()),
            })
        });
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.plan.job,
            "profile": self.plan.profile,
            "tables": tables.collect::<Vec<_>>(),
            "unused_patterns": self.unused_patterns,
            "line": self.line(),
            "next": self.next(),
        })
    }

    fn table(&self, formatter: &mut fmt::Formatter<'_>, number: usize, table: &TableDecision) -> fmt::Result {
        let (key, target) = (shown(&table.key), table.target.to_string());
        let rows = match table.rows {
            None => String::new(),
            Some(rows) if table.is_counted => format!(", {}", counted(rows, "row", "rows")),
            Some(rows) => format!(", about {}", counted(rows, "row", "rows")),
        };
        let of = self.tables.len();
        // A table that cannot be mapped has no name at the sink.
        let target = match shown(&target) {
            target if target.is_empty() => String::new(),
            target => format!(" → {target}"),
        };
        let decision = table.decision.name();
        writeln!(formatter, "  [{number}/{of}] {decision:<6} {key}{target}{rows}")?;
        if let TableChoice::Refuse(reasons) = &table.decision {
            for reason in reasons {
                writeln!(formatter, "      {}", shown(reason))?;
            }
        }
        for column in &table.columns {
            let (source, native) = (shown(&column.source), shown(&column.source_native));
            let (target, target_native) = (shown(&column.target), shown(&column.target_native));
            if self.is_detailed {
                writeln!(formatter, "      {source} {native} → {target} {target_native}")?;
            }
            for loss in &column.losses {
                writeln!(formatter, "      {source} ({native}): {loss}")?;
            }
        }
        for probed in table.probed.iter().flatten() {
            let cases: Vec<String> = (probed.cases.iter())
                .map(|(what, count)| format!("{} {what}", counted(*count, "value", "values")))
                .collect();
            writeln!(
                formatter,
                "      found: {} has {}",
                shown(&probed.column),
                cases.join(", ")
            )?;
        }
        if table.probed.as_ref().is_some_and(Vec::is_empty) {
            writeln!(formatter, "      found: every value goes over as it is")?;
        }
        for difference in &table.drift {
            writeln!(formatter, "      what stands there differs: {}", shown(difference))?;
        }
        for owed in &table.owed {
            writeln!(formatter, "      gives back: {}", shown(owed))?;
        }
        for left_out in &table.left_out {
            writeln!(formatter, "      left out: {}", shown(left_out))?;
        }
        let (extras, simplified) = (extras_words(&table.not_carried), &table.not_carried.simplified);
        for (what, told) in [("not carried over", &extras), ("made simpler", simplified)] {
            if !told.is_empty() {
                writeln!(formatter, "      {what}: {}", shown(&told.join("; ")))?;
            }
        }
        if let Some(why) = &table.uncut {
            writeln!(formatter, "      one chunk: {}", shown(why))?;
        }
        if self.is_detailed {
            for statement in &table.statements {
                writeln!(formatter, "      {}", shown(statement).replace('\n', "\n      "))?;
            }
        }
        Ok(())
    }
}

/// ``defaults of `created`, `state` ``, `1 check`, ``trigger `audit` ``
fn extras_words(extras: &Extras) -> Vec<String> {
    let of = |one: &str, more: &str, names: &[String]| {
        let what = if names.len() == 1 { one } else { more };
        (!names.is_empty()).then(|| format!("{what} `{}`", names.join("`, `")))
    };
    let number = |count: u64, one: &str, more: &str| (count > 0).then(|| counted(count, one, more));
    let Extras {
        defaults,
        updates,
        checks,
        triggers,
        comments,
        is_partitioned,
        simplified: _,
    } = extras;
    let words = [
        of("default of", "defaults of", defaults),
        of("`on update` of", "`on update` of", updates),
        number(*checks, "check", "checks"),
        of("trigger", "triggers", triggers),
        number(*comments, "comment", "comments"),
        is_partitioned.then(|| "its partitions".to_owned()),
    ];
    words.into_iter().flatten().collect()
}

fn extras_json(extras: &Extras) -> Value {
    json!({
        "defaults": extras.defaults,
        "updates": extras.updates,
        "checks": extras.checks,
        "triggers": extras.triggers,
        "comments": extras.comments,
        "partitions": extras.is_partitioned,
        "simplified": extras.simplified,
    })
}

fn probed_json(probed: &ProbedColumn) -> Value {
    let cases = (probed.cases.iter()).map(|(what, count)| json!({ "what": what, "values": count }));
    json!({ "column": probed.column, "cases": cases.collect::<Vec<_>>() })
}

impl fmt::Display for TablePlanReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (job, profile) = (shown(&self.plan.job), shown(&self.plan.profile));
        writeln!(formatter, "{job} (profile {profile})\n")?;
        write!(formatter, "{}", graph(self.plan, GraphFormat::Tree))?;
        writeln!(formatter, "\nTables")?;
        for (number, table) in (1..).zip(self.tables) {
            self.table(formatter, number, table)?;
        }
        for pattern in self.unused_patterns {
            writeln!(formatter, "  {} fits no table of the source", shown(pattern))?;
        }
        writeln!(formatter, "\n{}\nNext: {}", self.line(), self.next())
    }
}
