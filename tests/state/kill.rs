use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

use pipeline::model::{Account, ItemId, UnitRecord, UnitStatus};
use pipeline::state::{PageState, State, StateError};

use crate::harness::{Place, intent, ledger, open};
use crate::workload::{Fact, UNITS, item_key, start};

/// How many kills: a few each time, many when asked for by `PIPELINE_LONG`.
fn kills(short: u64, long: u64) -> u64 {
    if std::env::var_os("PIPELINE_LONG").is_some() {
        long
    } else {
        short
    }
}

/// A random duration below `bound`: the moment of a kill is what is varied, so it waits for no event.
fn moment(bound: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1_000_000;
    bound.mul_f64(random as f64 / 1e6)
}

#[test]
fn nothing_acknowledged_is_lost_by_kills_at_any_moment() {
    let place = Place::new();
    let mut known = Vec::new();
    for _ in 0..kills(15, 200) {
        let (mut child, mut facts) = start(&place.folder, "items");
        known.extend(facts.next());
        thread::sleep(moment(Duration::from_millis(300)));
        child.kill().unwrap();
        known.extend(facts);
        child.wait().unwrap();
        let state = open(&place.folder).unwrap();
        check(&state, &known);
    }
    assert!(known.len() > 100, "the workload got nowhere: {} facts", known.len());
}

/// Every fact is in the state, and every page is consistent in itself.
fn check(state: &State, known: &[Fact]) {
    let mut ledgers: HashMap<(ItemId, u32), (PageState, Vec<UnitRecord>)> = HashMap::new();
    for item in state.items() {
        let (id, summary) = item.unwrap();
        let pages = state.pages(id).unwrap();
        assert_eq!(pages.len(), usize::try_from(summary.pages).unwrap());
        for page in pages {
            let records = ledger(state, &page);
            assert_eq!(records.len(), usize::try_from(UNITS).unwrap());
            assert_eq!(page.account(), Account::of(&records));
            if let PageState::Open {
                page, intent: found, ..
            } = &page
            {
                assert_eq!(*found, intent(*page, UNITS));
            }
            ledgers.insert((id, page.page()), (page, records));
        }
    }
    for fact in known {
        let (Fact::Opened { item, page } | Fact::Done { item, page, .. } | Fact::Sealed { item, page }) = *fact else {
            continue;
        };
        let Some((found, records)) = ledgers.get(&(ItemId::of(&item_key(item)), page)) else {
            panic!("{fact:?} is lost")
        };
        if let Fact::Done { unit, .. } = fact {
            assert_eq!(
                records[usize::try_from(*unit).unwrap()].status,
                UnitStatus::Done,
                "{fact:?}"
            );
        }
        if let Fact::Sealed { .. } = fact {
            let kept = matches!(found, PageState::Sealed { .. } | PageState::Open { reopened: true, .. });
            assert!(kept, "{fact:?}");
        }
    }
}

#[test]
fn a_state_opens_after_kills_aimed_at_its_opening() {
    let place = Place::new();
    for kill in 0..kills(15, 200) {
        let (mut child, mut facts) = start(&place.folder, "openings");
        if kill % 3 > 0 {
            facts.next();
        }
        thread::sleep(moment(Duration::from_millis(60)));
        child.kill().unwrap();
        child.wait().unwrap();
        if let Err(error) = open(&place.folder) {
            panic!("after kill {kill}: {error}");
        }
    }
}

#[test]
fn a_second_process_is_told_who_works_on_the_state_until_that_is_killed() {
    let place = Place::new();
    let (mut child, mut facts) = start(&place.folder, "items");
    facts.next().unwrap();
    let refused = open(&place.folder).err().unwrap();
    let StateError::Locked {
        holder: Some(holder), ..
    } = &refused
    else {
        panic!("{refused}")
    };
    assert_eq!(holder.pid, child.id());
    assert!(refused.is_locked_or_damaged());
    child.kill().unwrap();
    child.wait().unwrap();
    open(&place.folder).unwrap();
}
