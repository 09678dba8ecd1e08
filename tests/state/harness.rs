use std::path::PathBuf;

use pipeline::model::{
    Account, ContentHash, Failure, HashKind, ItemId, ItemSummary, PageIntent, UnitIntent, UnitRecord, UnitResult,
    UnitStatus,
};
use pipeline::state::{Change, Holder, Identity, PageState, State, StateError, StateFolder, StateWriter};
use tempfile::TempDir;

/// A state folder of its own for one test.
pub struct Place {
    directory: TempDir,
    pub folder: StateFolder,
}

impl Place {
    pub fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let folder = StateFolder::new(directory.path().join("reupload/local"));
        Self { directory, folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn outside(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub fn open(&self) -> Result<State, StateError> {
        open(&self.folder)
    }

    /// One item with a sealed page 0 of `units` done units and an open page 1 of `units` units, the first of them done.
    pub async fn with_pages(units: u32) -> Self {
        let place = Self::new();
        let state = place.open().unwrap();
        let writer = state.writer().unwrap();
        let mut summary = ItemSummary::new("item".to_owned(), 0);
        summary.pages = 1;
        for page in 0..2 {
            summary.pages = page + 1;
            writer.send(open_page(&summary, page, units)).await.unwrap();
            if page == 0 {
                seal_done(&writer, &mut summary, page, units).await;
            } else {
                writer.send(results(&summary, page, vec![done(0)])).await.unwrap();
            }
        }
        writer.close().unwrap();
        place
    }
}

pub fn open(folder: &StateFolder) -> Result<State, StateError> {
    State::open(folder, &identity(), &holder())
}

pub fn identity() -> Identity {
    Identity {
        job: "reupload".to_owned(),
        profile: "local".to_owned(),
    }
}

pub fn holder() -> Holder {
    Holder::this_process("pipeline run jobs/reupload.yaml")
}

pub fn intent(page: u32, units: u32) -> PageIntent {
    let unit = |unit| UnitIntent {
        source: format!("in/{page}/{unit}.bin"),
        target: format!("out-{page}-{unit}.bin"),
        size: Some(u64::from(unit)),
        existed: unit % 2 == 1,
        refusal: None,
        effects: Vec::new(),
    };
    PageIntent {
        units: (0..units).map(unit).collect(),
        rows_before: u64::from(page * units),
        digest: [u8::try_from(page).unwrap_or(0); 16],
    }
}

pub fn open_page(summary: &ItemSummary, page: u32, units: u32) -> Change {
    Change::OpenPage {
        item: summary.id(),
        page,
        intent: intent(page, units),
        summary: summary.clone(),
    }
}

pub fn results(summary: &ItemSummary, page: u32, results: Vec<UnitResult>) -> Change {
    Change::Results {
        item: summary.id(),
        page,
        results,
    }
}

pub fn done(unit: u32) -> UnitResult {
    UnitResult {
        unit,
        rows: Default::default(),
        status: UnitStatus::Done,
        size: Some(u64::from(unit) + 100),
        hash: Some(ContentHash {
            kind: HashKind::Crc32c,
            bytes: unit.to_be_bytes().to_vec(),
        }),
        attempts: 1,
        failure: None,
        effects: Vec::new(),
    }
}

pub fn failed(unit: u32) -> UnitResult {
    UnitResult {
        unit,
        rows: Default::default(),
        status: UnitStatus::Failed,
        size: None,
        hash: None,
        attempts: 3,
        failure: Some(Failure::transient("store.timeout", "no answer")),
        effects: Vec::new(),
    }
}

/// The records of a page of `units` units after these results.
pub fn records(page: u32, units: u32, results: &[UnitResult]) -> Vec<UnitRecord> {
    let mut records: Vec<UnitRecord> = intent(page, units).units.iter().map(UnitRecord::pending).collect();
    for result in results {
        records[usize::try_from(result.unit).unwrap()].apply(result);
    }
    records
}

pub async fn seal_done(writer: &StateWriter, summary: &mut ItemSummary, page: u32, units: u32) {
    let results: Vec<UnitResult> = (0..units).map(done).collect();
    seal(writer, summary, page, records(page, units, &results)).await;
}

pub async fn seal(writer: &StateWriter, summary: &mut ItemSummary, page: u32, records: Vec<UnitRecord>) {
    summary.units += Account::of(&records);
    let seal = Change::SealPage {
        item: summary.id(),
        page,
        records,
        summary: summary.clone(),
    };
    writer.send(seal).await.unwrap();
}

/// The whole ledger of a page, wherever it stands.
pub fn ledger(state: &State, page: &PageState) -> Vec<UnitRecord> {
    match page {
        PageState::Open { records, .. } => records.clone(),
        PageState::Sealed { reference, .. } => state.read_page(reference).unwrap(),
    }
}

pub fn item() -> ItemId {
    ItemId::of("item")
}
