use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::state::StateError;

use super::JournalLine;

/// The lines of a journal, plain or compressed, oldest first. A last line that is not complete yet, or never was, is left out;
/// a kind of line that this version does not know is passed over.
pub struct JournalReader {
    path: PathBuf,
    text: Box<dyn BufRead + Send>,
}

impl JournalReader {
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let file = File::open(path).map_err(StateError::io("open", path))?;
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        let text: Box<dyn BufRead + Send> = if is_compressed {
            let plain = zstd::Decoder::new(file).map_err(StateError::io("read", path))?;
            Box::new(BufReader::new(plain))
        } else {
            Box::new(BufReader::new(file))
        };
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// The next whole line, without its end; `None` behind the last one.
    fn next_text(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.text.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut line)?;
        Ok((line.pop() == Some(b'\n')).then_some(line))
    }
}

/// Lines are a few hundred bytes; anything near this is not a journal.
const LINE_MAX_BYTES: u64 = 16 << 20;

impl Iterator for JournalReader {
    type Item = Result<JournalLine, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_text() {
                Ok(Some(text)) => {
                    if let Ok(line) = serde_json::from_slice(&text) {
                        return Some(Ok(line));
                    }
                }
                Ok(None) => return None,
                Err(error) => return Some(Err(StateError::io("read", &self.path)(error))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;
    use crate::model::{Account, Failure, ItemStatus};
    use crate::state::{Journal, JournalEntry, StateFolder};

    fn failed(number: u32) -> JournalEntry {
        JournalEntry::UnitFailed {
            item: "a".to_owned(),
            unit: format!("unit {number}"),
            failure: Failure::transient("store.timeout", "no answer"),
        }
    }

    fn finished() -> JournalEntry {
        JournalEntry::ItemFinished {
            item: "a".to_owned(),
            status: ItemStatus::Failed,
            units: Account::default(),
            listing_failure: None,
        }
    }

    fn read(folder: &StateFolder, run: u64) -> Vec<JournalEntry> {
        let reader = JournalReader::open(&folder.journal(run).unwrap()).unwrap();
        reader.map(|line| line.unwrap().entry).collect()
    }

    #[test]
    fn many_failures_of_one_code_are_told_at_first_and_then_counted() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut journal = Journal::create(&folder, 1).unwrap();
        for number in 0..1_000 {
            journal.write(failed(number)).unwrap();
            journal
                .write(JournalEntry::UnitRetried {
                    item: "a".to_owned(),
                    failure: Failure::transient("store.busy", "asked to slow down"),
                })
                .unwrap();
        }
        journal.write(finished()).unwrap();

        let open = read(&folder, 1);
        journal.close().unwrap();
        assert_eq!(folder.journal(1), Some(folder.closed_journal(1)));
        assert_eq!(read(&folder, 1), open);
        assert_eq!(open.len(), 23);
        assert!(open.contains(&JournalEntry::FailuresCounted {
            item: "a".to_owned(),
            code: "store.timeout".to_owned(),
            failures: 1_000
        }));
        assert!(open.contains(&JournalEntry::RetriesCounted {
            item: "a".to_owned(),
            code: "store.busy".to_owned(),
            retries: 1_000
        }));
        assert_eq!(open.last(), Some(&finished()));
    }

    #[test]
    fn a_torn_last_line_and_an_unknown_kind_are_passed_over() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut journal = Journal::create(&folder, 1).unwrap();
        journal.write(finished()).unwrap();
        let mut file = OpenOptions::new().append(true).open(folder.open_journal(1)).unwrap();
        file.write_all(b"{\"at\":1,\"entry\":{\"kind\":\"news\"}}\n{\"at\":2,\"entr")
            .unwrap();
        assert_eq!(read(&folder, 1), [finished()]);
    }

    #[test]
    fn the_journal_of_a_killed_run_is_closed_by_the_next() {
        let place = tempfile::TempDir::new().unwrap();
        let folder = StateFolder::new(place.path());
        let mut killed = Journal::create(&folder, 1).unwrap();
        killed.write(finished()).unwrap();
        drop(killed);
        let next = Journal::create(&folder, 2).unwrap();
        let names: Vec<_> = folder.journals().unwrap();
        assert_eq!(names, [(1, folder.closed_journal(1)), (2, folder.open_journal(2))]);
        assert_eq!(read(&folder, 1), [finished()]);
        next.close().unwrap();
        assert_eq!(fs::read_dir(folder.journal_folder()).unwrap().count(), 2);
    }
}
