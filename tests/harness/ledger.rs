use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use pipeline::connect::Connections;
use pipeline::engine::{PreviewOptions, Stop, preview};
use pipeline::model::UnitRecord;
use pipeline::plan::UnitDecision;
use pipeline::resolve::{LoadOptions, ResolvedJob, load};
use pipeline::state::{Holder, Identity, PageState, State, StateFolder};

use super::project::{Project, SPEC};

/// What only the library tells about a project: decisions and records one by one.
impl Project {
    pub fn job(&self) -> ResolvedJob {
        let environment = |name: &str| self.environment(name);
        let options = LoadOptions {
            profile: "local".to_owned(),
            vars: Vec::new(),
            environment: &environment,
        };
        load(&self.path(SPEC), &options).expect("the spec is valid")
    }

    /// What would happen to each file, by the same code as in `plan`.
    pub fn decisions(&self) -> Vec<UnitDecision> {
        self.preview(self.open_state().map(Arc::new))
    }

    /// The same for a job that was never run.
    pub fn decisions_without_state(&self) -> Vec<UnitDecision> {
        self.preview(None)
    }

    fn preview(&self, state: Option<Arc<State>>) -> Vec<UnitDecision> {
        let (job, stop) = (self.job(), Stop::default());
        let mut decisions = Vec::new();
        let previewed = preview(&job, state, PreviewOptions::default(), &stop, |unit| {
            decisions.push(unit.clone());
        });
        runtime().block_on(previewed).expect("the lists can be read");
        decisions
    }

    /// The ledger: every file by item and source.
    pub fn ledger(&self) -> BTreeMap<(String, String), UnitRecord> {
        let Some(state) = self.open_state() else {
            return BTreeMap::new();
        };
        let mut ledger = BTreeMap::new();
        for item in state.items() {
            let (id, summary) = item.expect("the item can be read");
            for page in state.pages(id).expect("the pages can be read") {
                let records = match &page {
                    PageState::Open { records, .. } => records.clone(),
                    PageState::Sealed { reference, .. } => state.read_page(reference).expect("the page can be read"),
                };
                let named = |record: UnitRecord| ((summary.key.clone(), record.source.clone()), record);
                ledger.extend(records.into_iter().map(named));
            }
        }
        ledger
    }

    /// The bytes of an object at the source, read through the job's own connection.
    pub fn source_bytes(&self, path: &str) -> Vec<u8> {
        let connections = Connections::new(self.job().connections);
        runtime().block_on(async {
            let store = connections.store("originals").await.expect("the source opens");
            let (_, body) = store.read(path, None).await.expect("the object is there");
            let pieces: Vec<_> = body.try_collect().await.expect("the object can be read");
            pieces.concat()
        })
    }

    fn open_state(&self) -> Option<State> {
        let folder = StateFolder::new(self.state());
        if !folder.exists() {
            return None;
        }
        let identity = Identity {
            job: "copy".to_owned(),
            profile: "local".to_owned(),
        };
        let holder = Holder::this_process("a test that reads the ledger");
        Some(State::open(&folder, &identity, &holder).expect("the state is sound and nobody holds it"))
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime starts")
}
