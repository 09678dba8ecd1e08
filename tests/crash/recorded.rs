use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pipeline::model::ItemStatus;
use pipeline::state::{Holder, Identity, JournalEntry, JournalReader, PageState, SealedReference, State, StateFolder};

use super::job::JOB;

/// What the state of a job holds, read from a copy of it so that the job itself is the first to open what a kill left.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Keys of the items that are completed.
    pub completed: BTreeSet<String>,
    /// Sealed pages in which nothing is left to do.
    pub settled: BTreeMap<(String, u32), SealedReference>,
    /// Targets of the units in those pages.
    pub targets: BTreeSet<String>,
    pub pages: usize,
    /// The number of the latest run that has a journal.
    pub run: u64,
}

impl Recorded {
    pub fn of(folder: &StateFolder) -> Self {
        let mut recorded = Self::default();
        if !folder.exists() {
            return recorded;
        }
        recorded.run = folder.journals().unwrap().last().map_or(0, |(run, _)| *run);
        let copy = tempfile::tempdir().unwrap();
        copy_folder(folder.path(), copy.path());
        let identity = Identity {
            job: JOB.to_owned(),
            profile: "local".to_owned(),
        };
        let opened = State::open(
            &StateFolder::new(copy.path()),
            &identity,
            &Holder::this_process("a test"),
        );
        let state = opened.unwrap_or_else(|error| panic!("a kill leaves a state that opens: {error}"));
        for item in state.items() {
            let (id, summary) = item.unwrap();
            if summary.status == ItemStatus::Completed {
                recorded.completed.insert(summary.key.clone());
            }
            for page in state.pages(id).unwrap() {
                recorded.pages += 1;
                if let PageState::Sealed { page, reference } = page
                    && reference.account.failed + reference.account.pending == 0
                {
                    recorded.settled.insert((summary.key.clone(), page), reference);
                    let records = state.read_page(&reference).unwrap();
                    recorded.targets.extend(records.into_iter().map(|record| record.target));
                }
            }
        }
        recorded
    }

    /// What was settled before is so still, pages in the very same place: they were not worked on again.
    pub fn assert_keeps(&self, before: &Self) {
        for (page, reference) in &before.settled {
            assert_eq!(
                self.settled.get(page),
                Some(reference),
                "page {page:?} was sealed already"
            );
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The items that runs after number `run` took up, each as often as they did.
pub fn items_started_after(run: u64, folder: &StateFolder) -> Vec<String> {
    let journals = folder.journals().unwrap().into_iter();
    let lines = journals
        .filter(|(number, _)| *number > run)
        .flat_map(|(_, path)| JournalReader::open(&path).unwrap());
    lines
        .filter_map(|line| match line.unwrap().entry {
            JournalEntry::ItemStarted { item, .. } => Some(item),
            _ => None,
        })
        .collect()
}
