use crate::model::{
    EffectIntent, Failure, FailureClass, ObjectVersion, PlannedBasis, PlannedDecision, PlannedObject, PlannedUnit,
    short_digest,
};

use super::{AtSink, Decision, Known, UnitDecision};

/// What is known about a unit now, as far as it was looked at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub decision: &'a Decision,
    pub known: Known,
    /// Bytes at the source, where known.
    pub size: Option<u64>,
    pub version: Option<ObjectVersion>,
    /// The source was asked: a version that is not known is one that it does not tell any more.
    pub source_asked: bool,
    pub at_sink: Option<AtSink>,
    /// Absent where the ledger has them.
    pub messages: Option<u64>,
}

/// The failure of what is no longer as a plan had it. Nothing of it is touched.
pub fn drifted(reason: &str) -> Failure {
    Failure::new(
        FailureClass::Conflict,
        Failure::DRIFTED,
        format!("{reason}; make the plan anew, or `run` without it"),
    )
}

/// Tells in what a unit is no longer as the plan had it; the only code that does.
///
/// | plan | now | drift |
/// |---|---|---|
/// | any | the ledger has it as settled | no: an earlier run of the plan did it |
/// | refused | any | no: it stays refused |
/// | any other | refused | yes |
/// | to be written or compared | begun by an earlier run, to be written or compared | if the source is another |
/// | any | not begun | if decision, source, object at the sink or messages are others |
pub fn drift(planned: &PlannedBasis, seen: &Seen<'_>) -> Option<String> {
    let decision = match decision_of(seen.decision) {
        None => return None,
        _ if planned.decision == PlannedDecision::Refuse => return None,
        Some(decision) => decision,
    };
    let is_begun = matches!(seen.known, Known::Intended { .. });
    if !is_begun && planned.at_sink.is_none() && seen.at_sink.is_some() {
        return Some("an object has appeared at the sink".to_owned());
    }
    if let Decision::Refuse(failure) = seen.decision {
        return Some(format!("it would be refused now: {}", failure.message));
    }
    if is_begun && planned.decision.reads_source() && decision.reads_source() {
        return source_drift(planned, seen).map(str::to_owned);
    }
    let now = seen.at_sink.map(planned_object);
    let at_sink = match (planned.at_sink, now) {
        (Some(_), None) => Some("the object at the sink is gone"),
        (Some(before), Some(now)) if before != now => Some("the object at the sink is another"),
        _ => None,
    };
    if let Some(reason) = at_sink.or_else(|| source_drift(planned, seen)) {
        return Some(reason.to_owned());
    }
    if planned.decision != decision {
        let (before, now) = (planned.decision.name(), decision.name());
        return Some(format!("the plan has `{before}` for it, and now it would be `{now}`"));
    }
    let is_other_message = seen.messages.is_some_and(|messages| messages != planned.messages);
    is_other_message.then(|| "the message about it is another".to_owned())
}

fn source_drift(planned: &PlannedBasis, seen: &Seen<'_>) -> Option<&'static str> {
    let is_other_size = matches!((planned.size, seen.size), (Some(before), Some(now)) if before != now);
    let is_other_version = planned.version != seen.version && (seen.version.is_some() || seen.source_asked);
    let matters = planned.decision.reads_source() && (is_other_version || is_other_size);
    matters.then_some("it has changed at the source, or is gone from there")
}

/// `None` for what is settled.
fn decision_of(decision: &Decision) -> Option<PlannedDecision> {
    match decision {
        Decision::Settled => None,
        Decision::Copy => Some(PlannedDecision::Copy),
        Decision::Overwrite => Some(PlannedDecision::Overwrite),
        Decision::Present => Some(PlannedDecision::Present),
        Decision::Compare => Some(PlannedDecision::Compare),
        Decision::Refuse(_) => Some(PlannedDecision::Refuse),
    }
}

fn planned_object(at_sink: AtSink) -> PlannedObject {
    PlannedObject {
        size: at_sink.size,
        modified_s: at_sink.modified.map(|modified| modified.0.div_euclid(1_000)),
    }
}

/// A decision as a plan file keeps it; `None` for what is settled, which it does not keep.
pub fn planned(unit: &UnitDecision) -> Option<PlannedUnit> {
    let code = match &unit.decision {
        Decision::Refuse(failure) => Some(failure.code.clone()),
        _ => None,
    };
    Some(PlannedUnit {
        source: unit.source.clone(),
        target: unit.target.clone(),
        basis: PlannedBasis {
            decision: decision_of(&unit.decision)?,
            code,
            size: unit.size,
            version: unit.version,
            at_sink: unit.at_sink.map(planned_object),
            messages: unit.messages,
        },
    })
}

/// A digest over what a unit owes to the steps, 0 where it owes nothing.
pub fn messages_digest(effects: &[EffectIntent]) -> u64 {
    if effects.is_empty() {
        return 0;
    }
    let mut bytes = Vec::new();
    for effect in effects {
        let refusal = effect.refusal.as_ref().map_or("", |refusal| refusal.code.as_ref());
        for text in [&effect.step, &effect.body, refusal] {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }
    short_digest(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    const THERE: AtSink = AtSink {
        size: 5,
        modified: Some(Timestamp(7_900)),
    };

    fn planned_copy() -> PlannedBasis {
        PlannedBasis {
            decision: PlannedDecision::Copy,
            code: None,
            size: Some(3),
            version: Some(ObjectVersion(1)),
            at_sink: None,
            messages: 9,
        }
    }

    fn seen(decision: &Decision) -> Seen<'_> {
        Seen {
            decision,
            known: Known::Nothing,
            size: Some(3),
            version: Some(ObjectVersion(1)),
            source_asked: true,
            at_sink: None,
            messages: Some(9),
        }
    }

    fn says(planned: &PlannedBasis, seen: &Seen<'_>, words: &str) {
        let reason = drift(planned, seen).unwrap_or_default();
        assert!(reason.contains(words), "`{reason}` lacks `{words}`");
    }

    #[test]
    fn what_is_as_it_was_has_not_drifted() {
        let refused = Decision::Refuse(Box::new(Failure::cancelled()));
        assert_eq!(drift(&planned_copy(), &seen(&Decision::Copy)), None);
        assert_eq!(drift(&planned_copy(), &seen(&Decision::Settled)), None);
        let stays_refused = PlannedBasis {
            decision: PlannedDecision::Refuse,
            ..planned_copy()
        };
        for decision in [&Decision::Copy, &refused] {
            assert_eq!(drift(&stays_refused, &seen(decision)), None);
        }
    }

    #[test]
    fn each_thing_that_was_decided_on_is_compared() {
        let plan = planned_copy();
        let copy = seen(&Decision::Copy);
        let other = Some(ObjectVersion(2));
        says(&plan, &Seen { version: other, ..copy }, "source");
        says(&plan, &Seen { version: None, ..copy }, "source");
        let unasked = Seen {
            version: None,
            source_asked: false,
            ..copy
        };
        assert_eq!(drift(&plan, &unasked), None);
        says(&plan, &Seen { size: Some(4), ..copy }, "source");
        let messages = Some(8);
        says(&plan, &Seen { messages, ..copy }, "message");
        let there = Seen {
            at_sink: Some(THERE),
            ..seen(&Decision::Present)
        };
        says(&plan, &there, "appeared");
        says(&plan, &seen(&Decision::Overwrite), "`overwrite`");
        let refused = Decision::Refuse(Box::new(Failure::data("name.empty", "the name is empty")));
        says(&plan, &seen(&refused), "the name is empty");
    }

    #[test]
    fn an_object_at_the_sink_is_known_by_size_and_second() {
        let plan = PlannedBasis {
            decision: PlannedDecision::Present,
            at_sink: Some(PlannedObject {
                size: 5,
                modified_s: Some(7),
            }),
            ..planned_copy()
        };
        let present = |at_sink| Seen {
            at_sink,
            version: None,
            ..seen(&Decision::Present)
        };
        assert_eq!(drift(&plan, &present(Some(THERE))), None);
        let other = AtSink { size: 6, ..THERE };
        says(&plan, &present(Some(other)), "another");
        says(&plan, &seen(&Decision::Copy), "gone");
    }

    #[test]
    fn what_the_plan_s_own_run_has_begun_goes_on() {
        let begun = Seen {
            known: Known::Intended { existed: false },
            at_sink: Some(THERE),
            messages: None,
            ..seen(&Decision::Compare)
        };
        assert_eq!(drift(&planned_copy(), &begun), None);
        let version = Some(ObjectVersion(2));
        says(&planned_copy(), &Seen { version, ..begun }, "source");
    }
}
