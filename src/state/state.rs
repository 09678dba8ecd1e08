use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{Account, ItemAccount, ItemId, ItemSummary, PageIntent, UnitRecord, UnitResult};

use super::database::Database;
use super::key::{self, Key, Kind, Prefix};
use super::open::{self, Opened};
use super::records::merge;
use super::segment;
use super::{
    Holder, Identity, PageState, RunRecord, SealedReference, StageFingerprints, StateError, StateFolder, StateWriter,
    Vars,
};

/// The opened state of a job: what its earlier runs recorded, and the door to the writer. Clones share one opening; the lock is
/// held until the last of them, and the writer, are gone.
#[derive(Clone)]
pub struct State {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub folder: StateFolder,
    pub opened: Opened,
    pub has_writer: AtomicBool,
}

/// The accounts of a job as its records give them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobAccount {
    pub items: ItemAccount,
    pub units: Account,
}

/// An item whose summary does not say what its pages do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFinding {
    pub item: String,
    /// What its summary claims.
    pub claimed: Account,
    /// What its pages hold.
    pub counted: Account,
    /// It has an open page: results are recorded there first, so after a kill its summary may rightly lag behind.
    pub is_open: bool,
}

impl State {
    /// Locks and opens the state in `folder`, or begins a new one there.
    ///
    /// # Errors
    /// See [`StateError`]: everything that is locked, damaged or not this job's is told apart, and nothing is repaired.
    pub fn open(folder: &StateFolder, identity: &Identity, holder: &Holder) -> Result<Self, StateError> {
        Ok(Self::examined(folder, open::open(folder, identity, holder)?))
    }

    /// Over a database that was opened elsewhere, as the doctor does with a copy.
    pub(super) fn examined(folder: &StateFolder, opened: Opened) -> Self {
        Self {
            shared: Arc::new(Shared {
                folder: folder.clone(),
                opened,
                has_writer: AtomicBool::new(false),
            }),
        }
    }

    /// Starts the writer. There is one at a time.
    pub fn writer(&self) -> Result<StateWriter, StateError> {
        if self.shared.has_writer.swap(true, Ordering::AcqRel) {
            return Err(StateError::SecondWriter);
        }
        let started = StateWriter::start(self.shared.clone());
        if started.is_err() {
            self.shared.has_writer.store(false, Ordering::Release);
        }
        started
    }

    pub fn folder(&self) -> &StateFolder {
        &self.shared.folder
    }

    pub fn item(&self, item: ItemId) -> Result<Option<ItemSummary>, StateError> {
        self.database().get(Key::summary(item))
    }

    /// All items, by id. Reads one item at a time, so any number of them takes no memory.
    pub fn items(&self) -> impl Iterator<Item = Result<(ItemId, ItemSummary), StateError>> {
        let mut next = key::first_item();
        std::iter::from_fn(move || {
            loop {
                let found = self.database().key_from(next?).transpose()?;
                let found = match found {
                    Ok(found) => found.item(),
                    Err(error) => {
                        next = None;
                        return Some(Err(error));
                    }
                };
                next = key::after_item(found);
                if let Some(summary) = self.item(found).transpose() {
                    return Some(summary.map(|summary| (found, summary)));
                }
            }
        })
    }

    /// The pages of an item in their order, sealed or open.
    /// Whether anything was begun. Before that, nothing went by any definition.
    pub fn has_items(&self) -> Result<bool, StateError> {
        Ok(self.items().next().transpose()?.is_some())
    }

    pub fn pages(&self, item: ItemId) -> Result<Vec<PageState>, StateError> {
        let mut pages: BTreeMap<u32, StoredPage> = BTreeMap::new();
        // One access: a page that is sealed meanwhile is seen before that or after it, never in between.
        for (key, bytes) in self.database().scan_bytes(&Prefix::whole_item(item))? {
            if key.is(Kind::Sealed) {
                pages.entry(key.page()).or_default().sealed = Some(self.database().decode(&bytes)?);
            } else if key.is(Kind::Intent) {
                pages.entry(key.page()).or_default().intent.extend(bytes);
            } else if key.is(Kind::Delta) {
                let results: Vec<UnitResult> = self.database().decode(&bytes)?;
                pages.entry(key.page()).or_default().results.extend(results);
            }
        }
        let pages = pages.into_iter();
        pages
            .filter_map(|(page, stored)| self.page_state(page, stored).transpose())
            .collect()
    }

    /// The ledger of a sealed page.
    pub fn read_page(&self, reference: &SealedReference) -> Result<Vec<UnitRecord>, StateError> {
        segment::read_page(&self.shared.folder, reference)
    }

    /// The units of a page, sealed or open.
    pub fn records(&self, page: PageState) -> Result<Vec<UnitRecord>, StateError> {
        match page {
            PageState::Open { records, .. } => Ok(records),
            PageState::Sealed { reference, .. } => self.read_page(&reference),
        }
    }

    /// Items and units by state. Derived: from the summaries, and for items with an open page from their pages, because results
    /// are recorded there first.
    pub fn account(&self) -> Result<JobAccount, StateError> {
        let mut account = JobAccount::default();
        for item in self.items() {
            let (id, summary) = item?;
            account.items.planned += 1;
            *account.items.column(summary.status) += 1;
            account.items.failed_listings += u64::from(summary.has_failed_listing());
            account.units += summary.in_accounts(if self.is_open(id)? {
                self.count(id)?
            } else {
                summary.units
            });
        }
        Ok(account)
    }

    /// Recomputes every item's account from its pages and names those whose summary says something else; for an item
    /// without an open page any finding is a defect or damage.
    pub fn audit(&self) -> Result<Vec<AuditFinding>, StateError> {
        let mut findings = Vec::new();
        for item in self.items() {
            let (id, summary) = item?;
            let counted = self.count(id)?;
            if counted != summary.units {
                findings.push(AuditFinding {
                    item: summary.key,
                    claimed: summary.units,
                    counted,
                    is_open: self.is_open(id)?,
                });
            }
        }
        Ok(findings)
    }

    /// The runs so far, oldest first.
    pub fn runs(&self) -> Result<Vec<RunRecord>, StateError> {
        let runs = self.database().scan(&Prefix::job(Kind::Run))?;
        Ok(runs.into_iter().map(|(_, run)| run).collect())
    }

    /// The vars the job was started with; `None` before its first run.
    pub fn vars(&self) -> Result<Option<Vars>, StateError> {
        self.database().get(Key::job(Kind::Vars))
    }

    /// The fingerprints of the stages; `None` before the first run, and after a rebuild, which cannot know them.
    pub fn fingerprints(&self) -> Result<Option<StageFingerprints>, StateError> {
        self.database().get(Key::job(Kind::Fingerprints))
    }

    fn count(&self, item: ItemId) -> Result<Account, StateError> {
        let mut account = Account::default();
        for page in self.pages(item)? {
            account += page.account();
        }
        Ok(account)
    }

    fn is_open(&self, item: ItemId) -> Result<bool, StateError> {
        self.database().contains(&Prefix::item(item, Kind::Intent))
    }

    fn database(&self) -> &Database {
        &self.shared.opened.database
    }

    /// `None` for results alone, which nothing writes.
    fn page_state(&self, page: u32, stored: StoredPage) -> Result<Option<PageState>, StateError> {
        if stored.intent.is_empty() {
            return Ok(stored.sealed.map(|reference| PageState::Sealed { page, reference }));
        }
        let intent: PageIntent = self.database().decode(&stored.intent)?;
        let base = match &stored.sealed {
            Some(reference) => self.read_page(reference)?,
            None => intent.units.iter().map(UnitRecord::pending).collect(),
        };
        Ok(Some(PageState::Open {
            page,
            intent,
            records: merge(base, stored.results),
            reopened: stored.sealed.is_some(),
        }))
    }
}

/// What the database holds of one page, before its parts are put together.
#[derive(Default)]
struct StoredPage {
    sealed: Option<SealedReference>,
    /// The pieces of the encoded intent, joined; empty for a page that is sealed for good.
    intent: Vec<u8>,
    results: Vec<UnitResult>,
}

/// The intent of a page, put together from its pieces; `None` where there is none.
pub(super) fn read_intent(database: &Database, item: ItemId, page: u32) -> Result<Option<PageIntent>, StateError> {
    let pieces = database.scan_bytes(&Prefix::page(item, Kind::Intent, page))?;
    if pieces.is_empty() {
        return Ok(None);
    }
    let bytes: Vec<u8> = pieces.into_iter().flat_map(|(_, piece)| piece).collect();
    database.decode(&bytes).map(Some)
}
