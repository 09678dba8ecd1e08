use std::sync::Arc;

use futures::{StreamExt, stream};

use crate::connect::Store;
use crate::model::{Failure, FailureClass, RetryPolicy, SinkMode};
use crate::plan::{AtSink, Decision, Known, Offer, decide};
use crate::stages::{UnitDraft, survey};

use super::Stop;
use super::attempts::repeat;
use super::health::Health;
use super::mark_set::MarkSet;
use super::names::{ClaimedNames, mark};

/// Both ends of a job's copies, and how patiently they are asked: what assessing takes, in `plan` and `run` alike.
#[derive(Clone, Copy)]
pub struct Ends<'a> {
    pub source: &'a dyn Store,
    pub sink: &'a dyn Store,
    pub mode: SinkMode,
    pub retry: &'a RetryPolicy,
    pub stop: &'a Stop,
    /// Of the run, which takes notice of ends that give no answer.
    pub health: Option<&'a Arc<Health>>,
    /// Questions at once.
    pub concurrency: usize,
}

/// A unit to be decided about.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub offer: Offer,
    pub known: Known,
}

/// What was found out and decided about a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    pub decision: Decision,
    pub at_sink: Option<AtSink>,
    pub offer: Offer,
}

/// Refuses drafts that can never be tried: names that an end could not carry exactly, and names that an earlier unit has.
///
/// `seen` holds the names of this item so far, in the order of its list: the first unit of a name has it.
pub fn vet(drafts: &mut [UnitDraft], ends: &Ends<'_>, seen: &mut MarkSet, claimed: Option<&ClaimedNames>) {
    for draft in drafts.iter_mut().filter(|draft| draft.refusal.is_none()) {
        let checked = ends
            .source
            .check_name(&draft.source)
            .map_err(|failure| failure.context("source"))
            .and_then(|()| {
                ends.sink
                    .check_name(&draft.target)
                    .map_err(|failure| failure.context("sink"))
            });
        draft.refusal = match checked {
            Err(failure) => Some(failure),
            Ok(()) if !seen.insert(mark(&draft.target)) => Some(collision(
                "another file of this item has the same name at the sink; the first one in the list keeps it",
            )),
            Ok(()) => None,
        };
    }
    let Some(claimed) = claimed else { return };
    let mut free: Vec<&mut UnitDraft> = drafts.iter_mut().filter(|draft| draft.refusal.is_none()).collect();
    let answers = claimed.claim(free.iter().map(|draft| mark(&draft.target)));
    for (draft, is_free) in free.iter_mut().zip(answers) {
        if !is_free {
            draft.refusal = Some(collision("a file of another item has the same name at the sink"));
        }
    }
}

fn collision(message: &str) -> Failure {
    Failure::new(
        FailureClass::Conflict,
        "name.collision",
        format!("{message}; make `naming.object` tell them apart"),
    )
}

/// Looks at the sink for every candidate, at the source where the mode needs it, and decides. Answers in the order of the candidates.
///
/// A question that gets no answer refuses its own unit only.
pub async fn assess(ends: &Ends<'_>, candidates: &[Candidate<'_>]) -> Vec<Assessment> {
    let asked: Vec<&str> = candidates
        .iter()
        .filter(|candidate| candidate.known != Known::Settled)
        .map(|candidate| candidate.to)
        .collect();
    let mut found = survey(ends.sink, &asked, ends.concurrency).await.into_iter();
    let found: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            if candidate.known == Known::Settled {
                Ok(None)
            } else {
                found.next().unwrap_or(Ok(None))
            }
        })
        .collect();
    let answers: Vec<_> = candidates
        .iter()
        .zip(found)
        .map(|(candidate, found)| assess_one(ends, candidate, found))
        .collect();
    stream::iter(answers).buffered(ends.concurrency.max(1)).collect().await
}

/// Tells the run of a question that used up its attempts.
fn told<T>(ends: &Ends<'_>, answer: Result<T, Failure>) -> Result<T, Failure> {
    if let (Err(failure), Some(health)) = (&answer, ends.health) {
        health.exhausted(failure);
    }
    answer
}

async fn assess_one(ends: &Ends<'_>, candidate: &Candidate<'_>, found: Result<Option<AtSink>, Failure>) -> Assessment {
    let mut offer = candidate.offer;
    let assessed = async {
        let at_sink = match found {
            Err(failure) if failure.class.is_retryable() => {
                let object = repeat(ends.retry, ends.stop, || ends.sink.stat(candidate.to)).await;
                told(ends, object)
                    .map_err(|failure| failure.context("sink"))?
                    .map(|object| AtSink {
                        size: object.size,
                        modified: object.modified,
                    })
            }
            other => other.map_err(|failure| failure.context("sink"))?,
        };
        if at_sink.is_some() && ends.mode == SinkMode::OverwriteIfDifferent && candidate.known != Known::Settled {
            let object = repeat(ends.retry, ends.stop, || ends.source.stat(candidate.from)).await;
            let object = told(ends, object).map_err(|failure| failure.context("source"))?;
            if let Some(object) = object {
                offer = Offer {
                    size: Some(object.size),
                    modified: object.modified,
                    version: object.version(),
                };
            }
        }
        Ok(at_sink)
    };
    match assessed.await {
        Ok(at_sink) => Assessment {
            decision: decide(ends.mode, offer, candidate.known, at_sink),
            at_sink,
            offer,
        },
        Err(failure) => Assessment {
            decision: Decision::Refuse(Box::new(failure)),
            at_sink: None,
            offer,
        },
    }
}
