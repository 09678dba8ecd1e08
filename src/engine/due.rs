use crate::model::{EffectRecord, EffectStatus, UnitStatus};
use crate::resolve::NotifyWhen;

use super::part::Part;

/// What becomes of an effect now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due<'a> {
    /// Its message is sent, with this body.
    Now(&'a str),
    /// Nothing is to be done; it stands like this.
    Settled(EffectStatus),
}

/// Decides about one effect of a unit that stands as `unit`.
///
/// | the effect | the unit | then |
/// |---|---|---|
/// | sent, not due | any | stays |
/// | left out | failed, pending | stays |
/// | any other | failed, pending | blocked |
/// | owed, blocked | present, and the step is for written ones | not due |
/// | owed, blocked | any other | sent now, left out, or owed, as is this run's part |
/// | failed, left out | any other | sent now if the run takes it up, else stays |
///
/// What is to be sent now and has no body fails.
pub fn due(effect: &EffectRecord, part: Part, when: NotifyWhen, unit: UnitStatus, leave_failed: bool) -> Due<'_> {
    if effect.status.is_over() {
        return Due::Settled(effect.status);
    }
    if matches!(unit, UnitStatus::Failed | UnitStatus::Pending) {
        return Due::Settled(match effect.status {
            EffectStatus::LeftOut => EffectStatus::LeftOut,
            _ => EffectStatus::Blocked,
        });
    }
    // A unit that failed has come right since: what was blocked is owed again.
    let is_owed = matches!(effect.status, EffectStatus::Pending | EffectStatus::Blocked);
    if is_owed && unit == UnitStatus::Present && when == NotifyWhen::Written {
        return Due::Settled(EffectStatus::NotDue);
    }
    let is_taken_up = match part {
        Part::LeftOut if is_owed => return Due::Settled(EffectStatus::LeftOut),
        Part::Later if is_owed => return Due::Settled(EffectStatus::Pending),
        part => is_owed || part.takes_up(effect, leave_failed),
    };
    match &effect.body {
        _ if !is_taken_up => Due::Settled(effect.status),
        Some(body) => Due::Now(body),
        None => Due::Settled(EffectStatus::Failed),
    }
}

#[cfg(test)]
mod tests {
    use EffectStatus::{Blocked, Failed, LeftOut, NotDue, Pending, Sent};
    use UnitStatus::{Done, Present};

    use super::*;
    use crate::model::EffectIntent;

    fn effect(status: EffectStatus) -> EffectRecord {
        let intent = EffectIntent {
            step: "notify".to_owned(),
            body: "b".to_owned(),
            refusal: None,
        };
        EffectRecord {
            status,
            ..EffectRecord::pending(&intent)
        }
    }

    /// What becomes of an effect whose step is for present files too.
    fn of(status: EffectStatus, part: Part, unit: UnitStatus) -> Option<EffectStatus> {
        match due(&effect(status), part, NotifyWhen::Present, unit, false) {
            Due::Now("b") => None,
            Due::Now(other) => panic!("`{other}`"),
            Due::Settled(status) => Some(status),
        }
    }

    const PARTS: [Part; 4] = [Part::Owed, Part::MadeUp, Part::LeftOut, Part::Later];

    #[test]
    fn what_is_over_stays_so() {
        for part in PARTS {
            for unit in [Done, Present, UnitStatus::Failed] {
                assert_eq!(of(Sent, part, unit), Some(Sent));
                assert_eq!(of(NotDue, part, unit), Some(NotDue));
            }
        }
    }

    #[test]
    fn a_failed_unit_blocks_what_was_not_left_out() {
        for part in PARTS {
            for status in [Pending, Blocked, Failed] {
                assert_eq!(of(status, part, UnitStatus::Failed), Some(Blocked));
            }
            assert_eq!(of(LeftOut, part, UnitStatus::Failed), Some(LeftOut));
        }
    }

    #[test]
    fn what_is_owed_follows_the_runs_part() {
        for status in [Pending, Blocked] {
            for unit in [Done, Present] {
                let ends = PARTS.map(|part| of(status, part, unit));
                assert_eq!(ends, [None, None, Some(LeftOut), Some(Pending)]);
            }
        }
    }

    #[test]
    fn what_failed_or_was_left_out_waits_for_a_run_that_takes_it_up() {
        let ends = |status| PARTS.map(|part| of(status, part, Done));
        assert_eq!(ends(Failed), [None, None, Some(Failed), Some(Failed)]);
        assert_eq!(ends(LeftOut), [Some(LeftOut), None, Some(LeftOut), Some(LeftOut)]);
        let failed = effect(Failed);
        let left = due(&failed, Part::Owed, NotifyWhen::Present, Done, true);
        assert_eq!(left, Due::Settled(Failed), "--no-failed");
    }

    #[test]
    fn a_step_for_written_files_owes_nothing_to_one_that_was_there() {
        let of = |status, unit| due(&effect(status), Part::Owed, NotifyWhen::Written, unit, false) != Due::Now("b");
        assert!(of(Pending, Present) && of(Blocked, Present));
        assert!(!of(Pending, Done));
    }

    #[test]
    fn without_a_body_nothing_is_sent() {
        let bodiless = EffectRecord {
            body: None,
            ..effect(Pending)
        };
        let end = |part| due(&bodiless, part, NotifyWhen::Present, Done, false);
        assert_eq!(end(Part::Owed), Due::Settled(Failed));
        assert_eq!(end(Part::LeftOut), Due::Settled(LeftOut));
    }
}
