use std::collections::VecDeque;

use crate::model::redact;
use crate::report::shown;
use crate::state::{JournalEntry, JournalReader, StateFolder};

/// The latest failures of a run, read from its journal while that is written. Holds a few lines, however long the journal is.
#[derive(Default)]
pub struct FailureLog {
    /// The run that is read, and how far.
    reader: Option<(u64, JournalReader)>,
    latest: VecDeque<String>,
}

/// Failures that are kept.
const KEPT: usize = 6;

impl FailureLog {
    /// Reads what has come since the last time. A journal that cannot be read shows nothing: it is for looking at.
    pub fn follow(&mut self, folder: &StateFolder, run: u64) {
        if self.reader.as_ref().is_none_or(|(known, _)| *known != run) {
            self.latest.clear();
            let path = folder.journal(run);
            self.reader = path.and_then(|path| Some((run, JournalReader::open(&path).ok()?)));
        }
        let Some((_, reader)) = &mut self.reader else { return };
        for line in reader.by_ref().flatten() {
            let text = match line.entry {
                JournalEntry::UnitFailed { item, unit, failure } => format!("`{item}`: `{unit}`: {failure}"),
                JournalEntry::ItemFinished {
                    item,
                    listing_failure: Some(failure),
                    ..
                } => format!("`{item}`: {failure}"),
                _ => continue,
            };
            if self.latest.len() == KEPT {
                self.latest.pop_front();
            }
            self.latest.push_back(shown(&redact(&text)).into_owned());
        }
    }

    /// The oldest first.
    pub fn latest(&self) -> impl Iterator<Item = &str> {
        self.latest.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;
    use crate::state::Journal;

    #[test]
    fn the_latest_failures_are_kept_as_the_journal_grows() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut journal = Journal::create(&folder, 1).unwrap();
        let mut log = FailureLog::default();
        let fail = |journal: &mut Journal, number: u32| {
            let failed = JournalEntry::UnitFailed {
                item: format!("i{number}"),
                unit: "a?sig=abc".to_owned(),
                failure: Failure::transient("store.timeout", "no answer"),
            };
            journal.write(failed).unwrap();
        };
        log.follow(&folder, 1);
        assert_eq!(log.latest().count(), 0);
        // A line that tells of an item takes those before it to the file.
        let item = || JournalEntry::ItemStarted {
            item: "i".to_owned(),
            slot: 0,
        };
        (0..4).for_each(|number| fail(&mut journal, number));
        journal.write(item()).unwrap();
        log.follow(&folder, 1);
        assert_eq!(log.latest().count(), 4);
        (4..9).for_each(|number| fail(&mut journal, number));
        journal.write(item()).unwrap();
        log.follow(&folder, 1);
        let latest: Vec<&str> = log.latest().collect();
        assert_eq!(latest.len(), KEPT);
        assert!(
            latest[0].starts_with("`i3`") && latest[5].starts_with("`i8`"),
            "{latest:?}"
        );
        assert!(
            latest
                .iter()
                .all(|line| !line.contains("abc") && line.contains("store.timeout"))
        );
        log.follow(&folder, 2);
        assert_eq!(log.latest().count(), 0);
    }
}
