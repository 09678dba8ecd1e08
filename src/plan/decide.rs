use crate::model::{Failure, FailureClass, ObjectVersion, SinkMode, Timestamp, UnitRecord, UnitStatus};

/// What the list and the source tell about a unit, as far as they were asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Bytes.
    pub size: Option<u64>,
    pub modified: Option<Timestamp>,
    /// Where a listing told it, or where it was asked for a plan that is kept.
    pub version: Option<ObjectVersion>,
}

/// The object that stands at a unit's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtSink {
    /// Bytes.
    pub size: u64,
    pub modified: Option<Timestamp>,
}

/// What the ledger says about a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it was never met.
    Nothing,
    /// An earlier run settled it.
    Settled,
    /// An earlier run meant to write it and no success is recorded; `existed` tells whether something stood there before.
    Intended { existed: bool },
}

impl Known {
    pub fn of(record: &UnitRecord) -> Self {
        match record.status {
            UnitStatus::Done | UnitStatus::Present => Self::Settled,
            UnitStatus::Pending | UnitStatus::Failed => Self::Intended {
                existed: record.existed,
            },
        }
    }
}

/// What happens to a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The ledger has it: nothing is asked or done.
    Settled,
    /// It is written where nothing stands.
    Copy,
    /// It is written over what stands there.
    Overwrite,
    /// What stands there is left alone and counts as success.
    Present,
    /// What stands there may be this job's own work whose result was lost: its bytes are compared, then it counts as done,
    /// or the policy for what exists applies.
    Compare,
    /// It cannot be done as asked.
    Refuse(Box<Failure>),
}

impl Decision {
    /// The word for it in plans and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Copy => "copy",
            Self::Overwrite => "overwrite",
            Self::Present => "present",
            Self::Compare => "compare",
            Self::Refuse(_) => "refuse",
        }
    }
}

/// Decides about one unit; the only code that does, for `plan` and `run` alike.
///
/// | ledger | at the sink | `create` | `skip` | `overwrite` | `overwrite_if_different` |
/// |---|---|---|---|---|---|
/// | settled | not asked | settled | settled | settled | settled |
/// | nothing, or intended | absent | copy | copy | copy | copy |
/// | nothing, or intended where something existed | there | refuse | present | overwrite | different: overwrite, else present |
/// | intended where nothing existed | there | compare | compare | overwrite | compare |
pub fn decide(mode: SinkMode, offer: Offer, known: Known, at_sink: Option<AtSink>) -> Decision {
    let Some(at_sink) = at_sink else {
        return if known == Known::Settled {
            Decision::Settled
        } else {
            Decision::Copy
        };
    };
    match (known, mode) {
        (Known::Settled, _) => Decision::Settled,
        (_, SinkMode::Overwrite) => Decision::Overwrite,
        (Known::Intended { existed: false }, _) => Decision::Compare,
        (_, SinkMode::Create) => Decision::Refuse(Box::new(Failure::new(
            FailureClass::Conflict,
            "store.exists",
            "an object of this name is already at the sink, and `mode: create` does not touch it; \
             use `mode: skip` to count it as present",
        ))),
        (_, SinkMode::Skip) => Decision::Present,
        (_, SinkMode::OverwriteIfDifferent) if is_different(offer, at_sink) => Decision::Overwrite,
        (_, SinkMode::OverwriteIfDifferent) => Decision::Present,
    }
}

/// Whether `overwrite_if_different` writes: the sizes differ or cannot be compared, or the source is newer.
pub fn is_different(offer: Offer, at_sink: AtSink) -> bool {
    let newer = match (offer.modified, at_sink.modified) {
        (Some(source), Some(sink)) => source > sink,
        _ => false,
    };
    offer.size != Some(at_sink.size) || newer
}

#[cfg(test)]
mod tests {
    use super::*;
    use SinkMode::{Create, Overwrite, OverwriteIfDifferent, Skip};

    const OFFER: Offer = Offer {
        size: Some(10),
        modified: Some(Timestamp(1_000)),
        version: None,
    };
    const SAME: Option<AtSink> = Some(AtSink {
        size: 10,
        modified: Some(Timestamp(2_000)),
    });
    const OTHER: Option<AtSink> = Some(AtSink {
        size: 11,
        modified: Some(Timestamp(2_000)),
    });
    const OLDER: Option<AtSink> = Some(AtSink {
        size: 10,
        modified: Some(Timestamp(500)),
    });
    const NEW: Known = Known::Intended { existed: false };
    const OLD: Known = Known::Intended { existed: true };

    fn word(mode: SinkMode, known: Known, at_sink: Option<AtSink>) -> &'static str {
        decide(mode, OFFER, known, at_sink).name()
    }

    #[test]
    fn what_the_ledger_has_is_settled_whatever_stands_at_the_sink() {
        for mode in [Create, Skip, Overwrite, OverwriteIfDifferent] {
            assert_eq!(word(mode, Known::Settled, None), "settled");
            assert_eq!(word(mode, Known::Settled, OTHER), "settled");
        }
    }

    #[test]
    fn where_nothing_stands_every_mode_copies() {
        for mode in [Create, Skip, Overwrite, OverwriteIfDifferent] {
            for known in [Known::Nothing, NEW, OLD] {
                assert_eq!(word(mode, known, None), "copy");
            }
        }
    }

    #[test]
    fn what_stood_there_before_is_handled_by_the_mode() {
        for known in [Known::Nothing, OLD] {
            assert_eq!(word(Create, known, SAME), "refuse");
            assert_eq!(word(Skip, known, OTHER), "present");
            assert_eq!(word(Overwrite, known, SAME), "overwrite");
            assert_eq!(word(OverwriteIfDifferent, known, SAME), "present");
            assert_eq!(word(OverwriteIfDifferent, known, OTHER), "overwrite");
            assert_eq!(word(OverwriteIfDifferent, known, OLDER), "overwrite");
        }
    }

    #[test]
    fn what_appeared_after_an_intent_may_be_our_own_and_is_compared() {
        assert_eq!(word(Create, NEW, SAME), "compare");
        assert_eq!(word(Skip, NEW, OTHER), "compare");
        assert_eq!(word(Overwrite, NEW, SAME), "overwrite");
        assert_eq!(word(OverwriteIfDifferent, NEW, SAME), "compare");
    }

    #[test]
    fn a_size_that_is_not_known_counts_as_different() {
        let unknown = Offer {
            size: None,
            modified: None,
            version: None,
        };
        assert_eq!(
            decide(OverwriteIfDifferent, unknown, Known::Nothing, SAME),
            Decision::Overwrite
        );
    }
}
