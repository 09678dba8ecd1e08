use serde_json::{Value, json};

use crate::model::{format_bytes, redact};
use crate::plan::{Decision, UnitDecision};

use super::shown;

/// What would happen to one file, on one line: `` copy       12 KiB  `item`: `source` → `target` ``, with the reason of a refusal.
pub fn decision_line(unit: &UnitDecision) -> String {
    let size = unit.size.map_or_else(|| "–".to_owned(), format_bytes);
    let (item, source, target) = (shown(&unit.item), shown(&unit.source), shown(&unit.target));
    let reason = match &unit.decision {
        Decision::Refuse(failure) => format!(": {}", shown(&failure.message)),
        _ => String::new(),
    };
    format!(
        "{:<9} {size:>8}  `{item}`: `{source}` → `{target}`{reason}\n",
        unit.decision.name()
    )
}

/// The same for programs.
pub fn decision_json(unit: &UnitDecision) -> Value {
    let failure = match &unit.decision {
        Decision::Refuse(failure) => Some(failure),
        _ => None,
    };
    json!({
        "item": redact(&unit.item),
        "source": redact(&unit.source),
        "target": redact(&unit.target),
        "bytes": unit.size,
        "decision": unit.decision.name(),
        "class": failure.map(|failure| failure.class.name()),
        "code": failure.map(|failure| failure.code.as_ref()),
        "message": failure.map(|failure| failure.message.as_str()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;
    use crate::plan::Known;

    #[test]
    fn a_decision_stands_on_one_line_whatever_the_name() {
        let unit = |decision| UnitDecision {
            item: "7".to_owned(),
            source: "in/a\nb".to_owned(),
            target: "7-a".to_owned(),
            size: Some(1536),
            decision,
            owes: Vec::new(),
            known: Known::Nothing,
            version: None,
            at_sink: None,
            messages: 0,
        };
        let line = decision_line(&unit(Decision::Copy));
        assert_eq!(line, "copy       1.5 KiB  `7`: `in/a\\nb` → `7-a`\n");
        let refused = unit(Decision::Refuse(Box::new(Failure::data(
            "name.empty",
            "the name is empty",
        ))));
        assert!(decision_line(&refused).ends_with("`7-a`: the name is empty\n"));
        assert_eq!(decision_json(&refused)["code"], "name.empty");
    }
}
