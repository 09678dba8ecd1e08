use std::fmt;
use std::path::Path;

use crate::model::format_count;
use crate::plan::{CollisionKind, Inventory, Plan, Sample};

use super::plan_line::{bytes_to_write, plan_line};
use super::speed::speeds;
use super::text::counted;
use super::{CommandLine, GraphFormat, graph, shown, shown_short};

/// Failed listings that are shown one by one.
const LISTINGS_SHOWN: usize = 10;

/// The preview of a run: what the job consists of, and what would happen to each of its files.
#[derive(Clone, Copy, Debug)]
pub struct PlanReport<'a> {
    pub plan: &'a Plan,
    pub inventory: &'a Inventory,
    /// Sizes were asked for where lists do not tell them.
    pub sizes_asked: bool,
    /// The file that keeps the plan.
    pub kept_in: Option<&'a Path>,
    pub command_line: &'a CommandLine,
}

impl PlanReport<'_> {
    /// The line that sums it up: `Plan: 1,050 to copy (81 MiB), 12 present, 0 to overwrite, 0 refused`.
    pub fn line(&self) -> String {
        plan_line(self.inventory)
    }

    /// The command that goes on from here.
    pub(super) fn next(&self) -> String {
        let command = if self.inventory.has_work() { "run" } else { "verify" };
        match self.kept_in {
            Some(file) if command == "run" => {
                let line = self.command_line.clone();
                line.option("--plan", &file.display().to_string()).command(command)
            }
            _ => self.command_line.command(command),
        }
    }

    fn header(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (job, profile) = (shown(&self.plan.job), shown(&self.plan.profile));
        writeln!(formatter, "{job} (profile {profile})\n")?;
        write!(formatter, "{}", graph(self.plan, GraphFormat::Tree))?;
        let concurrency = self.plan.concurrency;
        writeln!(
            formatter,
            "\nconcurrency  {} in flight in the whole run: {} at once, {} in each, {} of each large file",
            format_count(concurrency.leaves as u64),
            counted(concurrency.items as u64, "item", "items"),
            counted(concurrency.units as u64, "file", "files"),
            counted(concurrency.parts as u64, "part", "parts"),
        )?;
        match speeds(&concurrency.speeds) {
            Some(speeds) => writeln!(formatter, "speed        at most {speeds}"),
            None => Ok(()),
        }
    }

    fn totals(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inventory = self.inventory;
        write!(formatter, "items        {}", format_count(inventory.items))?;
        if inventory.items_completed > 0 {
            let completed = format_count(inventory.items_completed);
            write!(
                formatter,
                ", {completed} of them completed earlier and not listed again"
            )?;
        }
        let files: u64 = inventory.decisions.values().sum();
        write!(formatter, "\nfiles        {}", format_count(files))?;
        if inventory.count("settled") > 0 {
            let settled = format_count(inventory.count("settled"));
            write!(formatter, ", {settled} of them settled by earlier runs")?;
        }
        if !inventory.failed_listings.is_empty() {
            let items = counted(inventory.failed_listings.len() as u64, "item", "items");
            write!(formatter, "; the files of {items} are unknown")?;
        }
        for (step, count) in &self.inventory.messages {
            let (count, step) = (format_count(*count), shown(step));
            write!(formatter, "\nmessages     {count} to send by `{step}`")?;
        }
        write!(formatter, "\nbytes        ")?;
        match inventory.sizes_unknown {
            0 => writeln!(formatter, "{} to write", bytes_to_write(inventory)),
            unknown => {
                let known = match bytes_to_write(inventory) {
                    text if text.starts_with("at least") => format!("{text} to write"),
                    _ => "unknown".to_owned(),
                };
                let unknown = counted(unknown, "file tells", "files tell");
                let remedy = if self.sizes_asked {
                    ""
                } else {
                    " (`--sizes` asks the source)"
                };
                writeln!(formatter, "{known}: {unknown} no size{remedy}")
            }
        }
    }

    fn decisions(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decisions = self.inventory.decisions.iter().filter(|(_, count)| **count > 0);
        let rows: Vec<(String, &str)> = decisions.map(|(name, count)| (format_count(*count), *name)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(formatter, "\nWhat would happen")?;
        let width = rows.iter().map(|(count, _)| count.len()).max().unwrap_or(0);
        for (count, name) in rows {
            writeln!(formatter, "  {count:>width$} {name:<9}  {}", meaning(name))?;
            if name == "refuse" {
                self.refusals(formatter, width)?;
            }
        }
        Ok(())
    }

    fn refusals(&self, formatter: &mut fmt::Formatter<'_>, width: usize) -> fmt::Result {
        for (code, count) in &self.inventory.refusals {
            let (code, count) = (shown(code), format_count(*count));
            writeln!(formatter, "  {:>width$} {:<9}  {count} with `{code}`", "", "")?;
        }
        Ok(())
    }

    fn samples(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inventory.samples.is_empty() {
            return Ok(());
        }
        writeln!(formatter, "\nSample")?;
        for Sample {
            source,
            target,
            decision,
            reason,
            ..
        } in &self.inventory.samples
        {
            let (source, target) = (shown_short(source), shown_short(target));
            writeln!(formatter, "  `{source}` → `{target}`")?;
            writeln!(formatter, "    {decision}: {}", shown(reason))?;
        }
        Ok(())
    }

    fn collisions(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.inventory.collisions.values().sum();
        if total == 0 {
            return writeln!(formatter, "\nName collisions: none");
        }
        writeln!(formatter, "\nName collisions: {}", format_count(total))?;
        for (kind, count) in &self.inventory.collisions {
            let count = format_count(*count);
            writeln!(formatter, "  {count} {}: {}", kind.name(), consequence(*kind))?;
            let samples = &self.inventory.collision_samples;
            for collision in samples.iter().filter(|collision| collision.kind == *kind) {
                let (first, second) = (shown_short(&collision.first), shown_short(&collision.second));
                if first == second {
                    writeln!(formatter, "    `{first}`")?;
                } else {
                    writeln!(formatter, "    `{first}` and `{second}`")?;
                }
            }
        }
        Ok(())
    }

    fn failed_listings(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = &self.inventory.failed_listings;
        if failed.is_empty() {
            return Ok(());
        }
        let items = counted(failed.len() as u64, "item", "items");
        writeln!(formatter, "\nNot listed: {items}")?;
        for (item, failure) in failed.iter().take(LISTINGS_SHOWN) {
            let (item, message, code) = (shown_short(item), shown(&failure.message), shown(&failure.code));
            writeln!(formatter, "  `{item}`: {message} ({}, {code})", failure.class)?;
        }
        let hidden = failed.len().saturating_sub(LISTINGS_SHOWN);
        if hidden > 0 {
            writeln!(formatter, "  and {} more", format_count(hidden as u64))?;
        }
        Ok(())
    }
}

impl fmt::Display for PlanReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header(formatter)?;
        self.totals(formatter)?;
        self.decisions(formatter)?;
        self.samples(formatter)?;
        self.collisions(formatter)?;
        self.failed_listings(formatter)?;
        writeln!(formatter, "\n{}", self.line())?;
        writeln!(formatter, "Next: {}", self.next())
    }
}

/// Why a decision falls, in general; the reason of one file stands in the sample.
fn meaning(decision: &str) -> &'static str {
    match decision {
        "copy" => "nothing stands at the target",
        "overwrite" => "what stands at the target is written over, as the sink's mode says",
        "present" => "what stands at the target is left alone and counts as success",
        "compare" => "what stands at the target may be this job's own work: its bytes are compared first",
        "refuse" => "cannot be done as asked: counts as failed, and stops no other file",
        "settled" => "done by an earlier run: not touched",
        _ => "",
    }
}

fn consequence(kind: CollisionKind) -> &'static str {
    match kind {
        CollisionKind::Exact => "the same name twice; the later file is refused, the first one is written",
        CollisionKind::Normalised => {
            "one name after Unicode normalisation; both are written, and become one file on a sink that normalises (macOS)"
        }
        CollisionKind::CaseFolded => {
            "equal but for case; both are written, and become one file on a sink without case (Windows, macOS)"
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Concurrency, Failure};
    use crate::plan::{Collision, Edge, EdgeKind, Effect, Guarantee, Scope, Stage, StageKind};

    fn stage(name: &str, kind: StageKind, scope: Scope, limit: usize, what: &str) -> Stage {
        Stage {
            name: name.to_owned(),
            kind,
            scope,
            what: what.to_owned(),
            effect: None,
            limit,
        }
    }

    pub(crate) fn plan() -> Plan {
        let mut copy = stage(
            "copy",
            StageKind::Copy,
            Scope::Unit,
            10,
            "originals → results as {{item.WorkItemId}}-{{file.FileName}}, skip",
        );
        copy.effect = Some(Effect {
            what: "objects in results".to_owned(),
            guarantee: Guarantee::ExactlyOnce,
            reason: "an object becomes visible whole or not at all".to_owned(),
        });
        let edge = |from: &str, to: &str, kind| Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            kind,
        };
        Plan {
            job: "reupload".to_owned(),
            profile: "local".to_owned(),
            stages: vec![
                stage(
                    "items",
                    StageKind::Items,
                    Scope::Job,
                    1,
                    "csv failed \"items\".csv of inputs",
                ),
                stage(
                    "files",
                    StageKind::Files,
                    Scope::Item,
                    20,
                    "query of telemetry: select 1",
                ),
                copy,
            ],
            edges: vec![
                edge("items", "files", EdgeKind::Each),
                edge("files", "copy", EdgeKind::All),
            ],
            concurrency: Concurrency {
                leaves: 200,
                items: 20,
                units: 10,
                parts: 1,
                ..Concurrency::default()
            },
            fingerprints: BTreeMap::from([("copy".to_owned(), "00ff".to_owned())]),
        }
    }

    pub(crate) fn inventory() -> Inventory {
        let collision = |kind, first: &str, second: &str| Collision {
            kind,
            first: first.to_owned(),
            second: second.to_owned(),
        };
        Inventory {
            items: 52,
            items_completed: 2,
            decisions: BTreeMap::from([("copy", 1_050), ("present", 12), ("refuse", 2), ("settled", 40)]),
            bytes: 81 << 20,
            sizes_unknown: 50,
            refusals: BTreeMap::from([("name.collision".to_owned(), 2)]),
            messages: BTreeMap::from([("notify".to_owned(), 1_062)]),
            failed_listings: vec![(
                "WI-9".to_owned(),
                Failure::transient("database.timeout", "no answer within 10 s"),
            )],
            samples: vec![Sample {
                item: "WI-1".to_owned(),
                source: "in/a b.bin?sig=abc".to_owned(),
                target: "WI-1-a b.bin\u{7}".to_owned(),
                decision: "copy",
                reason: "nothing stands at the target".to_owned(),
            }],
            collisions: BTreeMap::from([(CollisionKind::Exact, 2), (CollisionKind::CaseFolded, 1)]),
            collision_samples: vec![
                collision(CollisionKind::Exact, "x/1.bin", "x/1.bin"),
                collision(CollisionKind::CaseFolded, "x/2.bin", "X/2.bin"),
            ],
        }
    }

    #[test]
    fn the_preview_of_a_run() {
        let (plan, inventory, command_line) = (plan(), inventory(), CommandLine::new("jobs/reupload.yaml"));
        let report = PlanReport {
            plan: &plan,
            inventory: &inventory,
            sizes_asked: false,
            kept_in: None,
            command_line: &command_line,
        };
        insta::assert_snapshot!(report, @r#"
        reupload (profile local)

        items: once
        │  csv failed "items".csv of inputs
        └─ files: each item, 20 at once
           │  query of telemetry: select 1
           └─ copy, after all of the above: each file, 10 at once in each item
                 originals → results as {{item.WorkItemId}}-{{file.FileName}}, skip
                 effect: objects in results, exactly once:
                   an object becomes visible whole or not at all

        concurrency  200 in flight in the whole run: 20 items at once, 10 files in each, 1 part of each large file
        items        52, 2 of them completed earlier and not listed again
        files        1,104, 40 of them settled by earlier runs; the files of 1 item are unknown
        messages     1,062 to send by `notify`
        bytes        at least 81 MiB to write: 50 files tell no size (`--sizes` asks the source)

        What would happen
          1,050 copy       nothing stands at the target
             12 present    what stands at the target is left alone and counts as success
              2 refuse     cannot be done as asked: counts as failed, and stops no other file
                           2 with `name.collision`
             40 settled    done by an earlier run: not touched

        Sample
          `in/a b.bin?sig=[hidden]` → `WI-1-a b.bin\u{7}`
            copy: nothing stands at the target

        Name collisions: 3
          2 exact: the same name twice; the later file is refused, the first one is written
            `x/1.bin`
          1 case-folded: equal but for case; both are written, and become one file on a sink without case (Windows, macOS)
            `x/2.bin` and `X/2.bin`

        Not listed: 1 item
          `WI-9`: no answer within 10 s (transient, database.timeout)

        Plan: 1,050 to copy (at least 81 MiB), 12 present, 0 to overwrite, 2 refused, 40 settled, 1,062 messages to send, 1 item not listed
        Next: pipeline run jobs/reupload.yaml
        "#);
    }

    #[test]
    fn a_plan_without_work_points_to_verify() {
        let (plan, inventory, command_line) = (plan(), Inventory::default(), CommandLine::new("jobs/reupload.yaml"));
        let report = PlanReport {
            plan: &plan,
            inventory: &inventory,
            sizes_asked: true,
            kept_in: None,
            command_line: &command_line,
        };
        let text = report.to_string();
        let end = "Plan: 0 to copy, 0 present, 0 to overwrite, 0 refused\nNext: pipeline verify jobs/reupload.yaml\n";
        assert!(text.ends_with(end), "{text}");
    }
}
