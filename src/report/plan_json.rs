use serde_json::{Value, json};

use crate::model::redact;
use crate::plan::{Edge, EdgeKind, Inventory, Plan, Sample, Stage};

use super::PlanReport;
use super::json::SCHEMA_VERSION;
use super::speed::speeds_json;

impl PlanReport<'_> {
    /// The whole plan with stable names.
    pub fn to_json(&self) -> Value {
        let concurrency = self.plan.concurrency;
        json!({
            "schema_version": SCHEMA_VERSION,
            "job": self.plan.job,
            "profile": self.plan.profile,
            "stages": self.plan.stages.iter().map(stage).collect::<Vec<_>>(),
            "edges": edges(self.plan),
            "concurrency": {
                "limit": concurrency.leaves,
                "items": concurrency.items,
                "units": concurrency.units,
                "parts": concurrency.parts,
                "speeds": speeds_json(&concurrency.speeds),
            },
            "fingerprints": self.plan.fingerprints,
            "inventory": inventory(self.inventory),
            "has_work": self.inventory.has_work(),
            "line": self.line(),
            "next": self.next(),
        })
    }
}

fn stage(stage: &Stage) -> Value {
    let effect = stage.effect.as_ref().map(|effect| {
        json!({
            "what": effect.what,
            "guarantee": effect.guarantee.name(),
            "reason": effect.reason,
        })
    });
    json!({
        "name": stage.name,
        "scope": stage.scope.name(),
        "limit": stage.limit,
        "what": stage.what,
        "effect": effect,
    })
}

fn edges(plan: &Plan) -> Vec<Value> {
    let edge = |edge: &Edge| {
        let kind = match edge.kind {
            EdgeKind::Each => "each",
            EdgeKind::All => "all",
        };
        json!({ "from": edge.from, "to": edge.to, "kind": kind })
    };
    plan.edges.iter().map(edge).collect()
}

fn inventory(inventory: &Inventory) -> Value {
    let failed_listings: Vec<Value> = inventory
        .failed_listings
        .iter()
        .map(|(item, failure)| {
            json!({
                "item": redact(item),
                "class": failure.class,
                "code": failure.code,
                "message": redact(&failure.message),
            })
        })
        .collect();
    let collisions: serde_json::Map<String, Value> = inventory
        .collisions
        .iter()
        .map(|(kind, count)| (kind.name().to_owned(), (*count).into()))
        .collect();
    let collision_samples: Vec<Value> = inventory
        .collision_samples
        .iter()
        .map(|collision| {
            json!({
                "kind": collision.kind.name(),
                "first": redact(&collision.first),
                "second": redact(&collision.second),
            })
        })
        .collect();
    json!({
        "items": inventory.items,
        "items_completed": inventory.items_completed,
        "decisions": inventory.decisions,
        "bytes": inventory.bytes,
        "sizes_unknown": inventory.sizes_unknown,
        "refusals": inventory.refusals,
        "messages": inventory.messages,
        "failed_listings": failed_listings,
        "samples": inventory.samples.iter().map(sample).collect::<Vec<_>>(),
        "collisions": collisions,
        "collision_samples": collision_samples,
    })
}

fn sample(sample: &Sample) -> Value {
    json!({
        "item": redact(&sample.item),
        "source": redact(&sample.source),
        "target": redact(&sample.target),
        "decision": sample.decision,
        "reason": redact(&sample.reason),
    })
}

#[cfg(test)]
mod tests {
    use crate::report::CommandLine;
    use crate::report::plan::tests::{inventory, plan};

    use super::*;

    #[test]
    fn json_has_the_decisions_and_no_secret() {
        let (plan, inventory, command_line) = (plan(), inventory(), CommandLine::new("jobs/reupload.yaml"));
        let report = PlanReport {
            plan: &plan,
            inventory: &inventory,
            sizes_asked: false,
            kept_in: None,
            command_line: &command_line,
        };
        let json = report.to_json();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["stages"][2]["effect"]["guarantee"], "exactly once");
        assert_eq!(json["edges"][1]["kind"], "all");
        assert_eq!(json["inventory"]["decisions"]["copy"], 1_050);
        assert_eq!(json["inventory"]["collisions"]["case-folded"], 1);
        assert_eq!(json["inventory"]["failed_listings"][0]["class"], "transient");
        assert_eq!(json["next"], "pipeline run jobs/reupload.yaml");
        assert_eq!(json["inventory"]["samples"][0]["target"], "WI-1-a b.bin\u{7}");
        assert!(!json.to_string().contains("abc"), "{json}");
    }
}
