use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use pipeline::connect::{Connections, Store};
use pipeline::engine::{PreviewOptions, Stop, Visit, preview};
use pipeline::model::UnitRecord;
use pipeline::plan::UnitDecision;
use pipeline::resolve::{FileJob, KnownJob, LoadOptions, load};
use pipeline::state::{Holder, Identity, PageState, Scratch, State, StateFolder};

use super::project::{Project, SPEC};
use super::tree::{Object, Tree};

/// What only the library tells about a project: decisions and records one by one.
impl Project {
    pub fn job(&self, spec: &str) -> FileJob {
        let environment = |name: &str| self.environment(name);
        let options = LoadOptions {
            settings: Vec::new(),
            profile: "local".to_owned(),
            vars: Vec::new(),
            environment: &environment,
        };
        match load(&self.path(spec), &options).expect("the spec is valid").known() {
            KnownJob::Files(job) => job,
            KnownJob::Tables(job) => panic!("`{}` is no job of files", job.name),
        }
    }

    /// What would happen to each file, by the same code as in `plan`.
    pub fn decisions(&self) -> Vec<UnitDecision> {
        self.preview(SPEC, self.open_state().map(Arc::new))
    }

    /// What the sink of a job must hold when every file of its lists is copied.
    pub fn expected(&self, spec: &str) -> Tree {
        let job = self.job(spec);
        let connections = Connections::new(job.connections);
        let source = job.work.source.files.read.connection;
        let units = self.preview(spec, None);
        runtime().block_on(async {
            let store = connections.store(&source).await.expect("the source opens");
            let mut tree = Tree::new();
            for unit in units {
                let bytes = read(store.as_ref(), &unit.source).await;
                tree.insert(unit.target, Object::of(&bytes));
            }
            tree
        })
    }

    fn preview(&self, spec: &str, state: Option<Arc<State>>) -> Vec<UnitDecision> {
        let (job, stop) = (self.job(spec), Stop::default());
        let mut decisions = Vec::new();
        let scratch = Scratch::beside(&StateFolder::new(self.state()));
        let previewed = preview(&job, state, PreviewOptions::default(), scratch, &stop, |visit| {
            if let Visit::Unit(unit) = visit {
                decisions.push(unit.clone());
            }
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

async fn read(store: &dyn Store, path: &str) -> Vec<u8> {
    let (_, body) = store.read(path, None).await.expect("the object is there");
    let pieces: Vec<_> = body.try_collect().await.expect("the object can be read");
    pieces.concat()
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime starts")
}
