//! The process that is killed: it works through items for ever, and says on stdout what it was told is durable.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use pipeline::model::{Account, ItemStatus, ItemSummary, UnitStatus};
use pipeline::state::{Change, PageState, State, StateFolder, StateWriter};

use crate::harness::{done, failed, intent, open, open_page, results};

pub const PAGES: u32 = 2;
pub const UNITS: u32 = 40;

const FOLDER: &str = "STATE_TEST_FOLDER";
const WORK: &str = "STATE_TEST_WORK";

/// Something that the killed process knew to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    Opened {
        item: u64,
        page: u32,
    },
    Done {
        item: u64,
        page: u32,
        unit: u32,
    },
    Sealed {
        item: u64,
        page: u32,
    },
    /// The state was opened, or closed again: for kills aimed at that.
    Turned,
}

pub fn item_key(item: u64) -> String {
    format!("item-{item}")
}

/// Starts this very test binary as the process that works (`items`) or only opens and closes (`openings`).
pub fn start(folder: &StateFolder, work: &str) -> (Child, impl Iterator<Item = Fact> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "workload::the_process_that_is_killed", "--nocapture"])
        .env(FOLDER, folder.path())
        .env(WORK, work)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout: ChildStdout = child.stdout.take().unwrap();
    let facts = BufReader::new(stdout).lines().map_while(Result::ok);
    (child, facts.filter_map(|line| parse(&line)))
}

fn parse(line: &str) -> Option<Fact> {
    // Libtest may have begun the line with the name of the test.
    let (_, fact) = line.split_once("FACT ")?;
    let (fact, complete) = fact.split_at_checked(fact.len().checked_sub(1)?)?;
    let words: Vec<&str> = fact.split_whitespace().collect();
    let number = |index: usize| words.get(index).and_then(|word: &&str| word.parse::<u64>().ok());
    let narrow = |index| number(index).and_then(|number| u32::try_from(number).ok());
    if complete != "." {
        return None;
    }
    match *words.first()? {
        "opened" => Some(Fact::Opened {
            item: number(1)?,
            page: narrow(2)?,
        }),
        "done" => Some(Fact::Done {
            item: number(1)?,
            page: narrow(2)?,
            unit: narrow(3)?,
        }),
        "sealed" => Some(Fact::Sealed {
            item: number(1)?,
            page: narrow(2)?,
        }),
        "turned" => Some(Fact::Turned),
        _ => None,
    }
}

fn tell(fact: &str) {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "FACT {fact} .").unwrap();
    stdout.flush().unwrap();
}

/// Does nothing unless it was started by a test of kills.
#[tokio::test]
async fn the_process_that_is_killed() {
    let (Ok(folder), Ok(work)) = (std::env::var(FOLDER), std::env::var(WORK)) else {
        return;
    };
    let folder = StateFolder::new(folder);
    if work == "openings" {
        loop {
            let state = open(&folder).unwrap();
            tell("turned");
            let writer = state.writer().unwrap();
            writer
                .send(Change::Item(ItemSummary::new(item_key(0), 0)))
                .await
                .unwrap();
            writer.close().unwrap();
            drop(state);
            tell("turned");
        }
    }
    let state = open(&folder).unwrap();
    let writer = state.writer().unwrap();
    for item in 0.. {
        work_on(&state, &writer, item).await;
    }
}

/// Goes on with one item wherever an earlier process was killed in it.
async fn work_on(state: &State, writer: &StateWriter, item: u64) {
    let mut summary = ItemSummary::new(item_key(item), item);
    if let Some(found) = state.item(summary.id()).unwrap() {
        if found.status == ItemStatus::Completed {
            return;
        }
        summary = found;
    }
    summary.status = ItemStatus::InProgress;
    for page in 0..PAGES {
        let found = state.pages(summary.id()).unwrap();
        let found = found.into_iter().find(|found| found.page() == page);
        work_on_page(state, writer, item, &mut summary, page, found).await;
    }
    summary.status = ItemStatus::Completed;
    writer.send(Change::Item(summary)).await.unwrap();
}

async fn work_on_page(
    state: &State,
    writer: &StateWriter,
    item: u64,
    summary: &mut ItemSummary,
    page: u32,
    found: Option<PageState>,
) {
    let mut records = match found {
        Some(PageState::Sealed { reference, .. }) => {
            if reference.account.failed == 0 {
                return;
            }
            let records = state.read_page(&reference).unwrap();
            let reopen = Change::ReopenPage {
                item: summary.id(),
                page,
                intent: intent(page, UNITS),
                records: records.clone(),
                summary: summary.clone(),
            };
            writer.send_durable(reopen).await.unwrap().wait().await.unwrap();
            records
        }
        Some(PageState::Open { records, .. }) => records,
        None => {
            summary.pages = page + 1;
            let opened = writer.send_durable(open_page(summary, page, UNITS)).await.unwrap();
            opened.wait().await.unwrap();
            tell(&format!("opened {item} {page}"));
            crate::harness::records(page, UNITS, &[])
        }
    };
    let second_try = records.iter().any(|record| record.status == UnitStatus::Failed);
    for unit in 0..UNITS {
        let index = usize::try_from(unit).unwrap();
        if records[index].status == UnitStatus::Done {
            continue;
        }
        let fails = !second_try && item.is_multiple_of(3) && unit == 5;
        let result = if fails { failed(unit) } else { done(unit) };
        records[index].apply(&result);
        let change = results(summary, page, vec![result]);
        if unit % 4 == 0 {
            writer.send_durable(change).await.unwrap().wait().await.unwrap();
            tell(&format!("done {item} {page} {unit}"));
        } else {
            writer.send(change).await.unwrap();
        }
    }
    summary.units = Account::of(&records);
    let seal = Change::SealPage {
        item: summary.id(),
        page,
        records,
        summary: summary.clone(),
    };
    writer.send_durable(seal).await.unwrap().wait().await.unwrap();
    tell(&format!("sealed {item} {page}"));
}
