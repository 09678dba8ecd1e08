use std::time::Duration;

use crate::model::{RetryPolicy, Speed, parse_bandwidth, parse_duration, parse_rate, parse_size};
use crate::spec::{Document, Problem, RetrySpec};

/// The problems of one file as they are found, and the readings of values that can find some.
pub(super) struct Findings<'a> {
    pub document: &'a Document,
    pub problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    pub fn new(document: &'a Document) -> Self {
        Self {
            document,
            problems: Vec::new(),
        }
    }

    /// Reports a problem at a JSON pointer. Of a value that still waits for a `${…}` nothing is known, so nothing is said.
    pub fn add(&mut self, pointer: &str, problem: Problem) {
        if self.document.get(pointer).is_some_and(|node| node.unresolved) {
            return;
        }
        self.problems.push(problem.at(self.document.place(pointer)));
    }

    pub fn duration(&mut self, pointer: &str, text: Option<&String>, default: Duration) -> Duration {
        let read = text.map_or(Ok(default), |text| parse_duration(text));
        read.unwrap_or_else(|message| {
            self.add(pointer, Problem::new(message));
            default
        })
    }

    pub fn size(&mut self, pointer: &str, text: Option<&String>, default: u64) -> u64 {
        let read = text.map_or(Ok(default), |text| parse_size(text));
        read.unwrap_or_else(|message| {
            self.add(pointer, Problem::new(message));
            default
        })
    }

    /// The `rate` and `bandwidth` below `pointer`; each without a bound when it is left out.
    pub fn speed(&mut self, pointer: &str, rate: Option<&String>, bandwidth: Option<&String>) -> Speed {
        Speed {
            rate: self.bound(&format!("{pointer}/rate"), rate, parse_rate),
            bandwidth: self.bound(&format!("{pointer}/bandwidth"), bandwidth, parse_bandwidth),
        }
    }

    fn bound<T>(
        &mut self,
        pointer: &str,
        text: Option<&String>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(text?) {
            Ok(bound) => Some(bound),
            Err(message) => {
                self.add(pointer, Problem::new(message));
                None
            }
        }
    }

    /// A retry policy with `defaults` for what it leaves out.
    pub fn retry(&mut self, pointer: &str, spec: &RetrySpec, defaults: &RetryPolicy) -> RetryPolicy {
        let initial_pointer = format!("{pointer}/initial_delay");
        let max_pointer = format!("{pointer}/max_delay");
        let policy = RetryPolicy {
            max_attempts: spec.max_attempts.unwrap_or(defaults.max_attempts),
            initial_delay: self.duration(&initial_pointer, spec.initial_delay.as_ref(), defaults.initial_delay),
            max_delay: self.duration(&max_pointer, spec.max_delay.as_ref(), defaults.max_delay),
            multiplier: spec.multiplier.unwrap_or(defaults.multiplier),
            jitter: spec.jitter.unwrap_or(defaults.jitter),
            outage: self.duration(&format!("{pointer}/outage"), spec.outage.as_ref(), defaults.outage),
        };
        if policy.initial_delay > policy.max_delay {
            let given = |text: &Option<String>, default: Duration| {
                text.clone()
                    .unwrap_or_else(|| format!("{}s, the default", default.as_secs()))
            };
            let initial = given(&spec.initial_delay, defaults.initial_delay);
            let max = given(&spec.max_delay, defaults.max_delay);
            let pointer = if spec.initial_delay.is_some() {
                initial_pointer
            } else {
                max_pointer
            };
            let problem = Problem::new(format!(
                "`initial_delay` ({initial}) is longer than `max_delay` ({max})"
            ));
            self.add(
                &pointer,
                problem.help("delays grow from the first to the second: make `max_delay` the longer one"),
            );
        }
        policy
    }
}

/// `` did you mean `x`? `` and the list of what there is, in one remedy.
pub(super) fn remedy<'n>(name: &str, what: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return format!("there are no {what}");
    }
    let list = format!("the {what} are `{}`", names.join("`, `"));
    match crate::spec::closest(name, names.iter().copied()) {
        Some(close) => format!("did you mean `{close}`? {list}"),
        None => list,
    }
}
