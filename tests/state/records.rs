use std::collections::BTreeMap;

use pipeline::model::{Account, ItemStatus, ItemSummary, Timestamp};
use pipeline::state::{Change, JobRecord, PageState, RunOutcome, RunRecord, StateError};

use crate::harness::{Place, done, failed, intent, item, ledger, open_page, records, results, seal, seal_done};

#[tokio::test]
async fn open_and_sealed_pages_are_there_after_reopening() {
    let place = Place::with_pages(3).await;
    let state = place.open().unwrap();
    let pages = state.pages(item()).unwrap();

    let all: Vec<_> = (0..3).map(done).collect();
    assert_eq!(ledger(&state, &pages[0]), records(0, 3, &all));
    assert!(matches!(&pages[0], PageState::Sealed { page: 0, reference } if reference.units == 3));
    assert_eq!(
        pages[1],
        PageState::Open {
            page: 1,
            intent: intent(1, 3),
            records: records(1, 3, &[done(0)]),
            reopened: false,
        }
    );
}

#[tokio::test]
async fn a_large_page_keeps_its_intent_its_results_and_its_cursor() {
    const UNITS: u32 = 10_000;
    let place = Place::new();
    let state = place.open().unwrap();
    let writer = state.writer().unwrap();
    let mut summary = ItemSummary::new("item".to_owned(), 0);
    writer.send(open_page(&summary, 1, UNITS)).await.unwrap();
    let all: Vec<_> = (0..UNITS).map(done).collect();
    writer.send(results(&summary, 1, all.clone())).await.unwrap();
    writer.close().unwrap();
    let pages = state.pages(item()).unwrap();
    assert_eq!(ledger(&state, &pages[0]), records(1, UNITS, &all));

    let writer = state.writer().unwrap();
    seal_done(&writer, &mut summary, 1, UNITS).await;
    writer.close().unwrap();
    let pages = state.pages(item()).unwrap();
    let PageState::Sealed { reference, .. } = &pages[0] else {
        panic!("{pages:?}")
    };
    assert_eq!((reference.rows_before, reference.digest), (u64::from(UNITS), [1; 16]));
    assert_eq!(state.audit().unwrap(), []);
}

#[tokio::test]
async fn a_reopened_page_continues_its_sealed_ledger_until_it_is_sealed_anew() {
    let place = Place::new();
    let mut summary = ItemSummary::new("item".to_owned(), 0);
    summary.pages = 1;
    let first = records(0, 2, &[done(0), failed(1)]);
    {
        let state = place.open().unwrap();
        let writer = state.writer().unwrap();
        writer.send(open_page(&summary, 0, 2)).await.unwrap();
        seal(&writer, &mut summary, 0, first.clone()).await;
        let reopen = Change::ReopenPage {
            item: item(),
            page: 0,
            intent: intent(0, 2),
            records: first.clone(),
            summary: summary.clone(),
        };
        writer.send_durable(reopen).await.unwrap().wait().await.unwrap();
        writer.send(results(&summary, 0, vec![done(1)])).await.unwrap();
        writer.close().unwrap();
    }

    let state = place.open().unwrap();
    let expected = records(0, 2, &[done(0), failed(1), done(1)]);
    let pages = state.pages(item()).unwrap();
    assert!(matches!(&pages[0], PageState::Open { reopened: true, records, .. } if *records == expected));
    assert_eq!(expected[1].attempts, 4);
    assert_eq!(state.account().unwrap().units, Account::of(&expected));

    let writer = state.writer().unwrap();
    summary.units = Account::default();
    seal(&writer, &mut summary, 0, expected.clone()).await;
    writer.close().unwrap();
    let pages = state.pages(item()).unwrap();
    assert_eq!(pages.len(), 1);
    assert!(matches!(&pages[0], PageState::Sealed { .. }));
    assert_eq!(ledger(&state, &pages[0]), expected);
}

#[tokio::test]
async fn a_page_opened_again_starts_without_results() {
    let place = Place::with_pages(3).await;
    let state = place.open().unwrap();
    let writer = state.writer().unwrap();
    let summary = state.item(item()).unwrap().unwrap();
    for page in 0..2 {
        writer.send(open_page(&summary, page, 2)).await.unwrap();
    }
    writer.close().unwrap();
    for (number, page) in (0..).zip(&state.pages(item()).unwrap()) {
        assert!(matches!(page, PageState::Open { reopened: false, .. }));
        assert_eq!(ledger(&state, page), records(number, 2, &[]));
    }
}

#[tokio::test]
async fn an_effect_on_a_page_without_an_intent_ends_the_writer_and_everyone_is_told() {
    let place = Place::new();
    let state = place.open().unwrap();
    let writer = state.writer().unwrap();
    let summary = ItemSummary::new("item".to_owned(), 0);
    let durable = writer.send_durable(results(&summary, 0, vec![done(0)])).await.unwrap();
    assert!(matches!(
        durable.wait().await,
        Err(StateError::NotOpened { page: 0, .. })
    ));
    let refused = loop {
        if let Err(error) = writer.send(Change::Item(summary.clone())).await {
            break error;
        }
    };
    assert!(matches!(refused, StateError::NotOpened { .. }), "{refused}");
    assert!(writer.close().is_err());
}

#[tokio::test]
async fn there_is_one_writer_at_a_time() {
    let place = Place::new();
    let state = place.open().unwrap();
    let writer = state.writer().unwrap();
    assert!(matches!(state.writer(), Err(StateError::SecondWriter)));
    writer.close().unwrap();
    state.writer().unwrap().close().unwrap();
}

#[tokio::test]
async fn the_records_of_the_job_come_back() {
    let place = Place::new();
    let vars = BTreeMap::from([("export_id".to_owned(), "7".to_owned())]);
    let run = |number| RunRecord {
        number,
        started: Timestamp(1_000),
        ended: None,
        outcome: None,
        pid: 7,
        host: "host".to_owned(),
        spec_path: "jobs/reupload.yaml".to_owned(),
        profile: "local".to_owned(),
        vars: vars.clone(),
    };
    let ended = RunRecord {
        ended: Some(Timestamp(2_000)),
        outcome: Some(RunOutcome::Failures),
        ..run(2)
    };
    {
        let state = place.open().unwrap();
        assert_eq!((state.vars().unwrap(), state.fingerprints().unwrap()), (None, None));
        let writer = state.writer().unwrap();
        let records = [
            JobRecord::Vars(vars.clone()),
            JobRecord::Fingerprints(vars.clone()),
            JobRecord::Run(run(1)),
            JobRecord::Run(run(2)),
            JobRecord::Run(ended.clone()),
        ];
        for record in records {
            writer.send(Change::Job(record)).await.unwrap();
        }
    }
    let state = place.open().unwrap();
    assert_eq!(state.vars().unwrap(), Some(vars.clone()));
    assert_eq!(state.fingerprints().unwrap(), Some(vars.clone()));
    assert_eq!(state.runs().unwrap(), [run(1), ended]);
}

#[tokio::test]
async fn accounts_follow_from_summaries_and_open_pages() {
    let place = Place::with_pages(3).await;
    let state = place.open().unwrap();
    let writer = state.writer().unwrap();
    for number in 1..200 {
        let mut summary = ItemSummary::new(format!("other {number}"), number);
        summary.status = ItemStatus::Completed;
        writer.send(Change::Item(summary)).await.unwrap();
    }
    writer.close().unwrap();

    let account = state.account().unwrap();
    assert_eq!(
        (account.items.planned, account.items.done, account.items.pending),
        (200, 199, 1)
    );
    assert_eq!(account.items.residual(), 0);
    assert_eq!((account.units.done, account.units.pending), (4, 2));
    let keys: Vec<u64> = state.items().map(|item| item.unwrap().1.ordinal).collect();
    assert_eq!(keys.len(), 200);

    let audit = state.audit().unwrap();
    assert_eq!(
        audit.len(),
        1,
        "the summary was written before the last results: {audit:?}"
    );
    assert_eq!(
        (audit[0].claimed.done, audit[0].counted.done, audit[0].is_open),
        (3, 4, true)
    );
}
