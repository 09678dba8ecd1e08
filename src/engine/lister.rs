use std::collections::HashSet;

use futures::stream::Fuse;
use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use crate::connect::{Connections, RowStream};
use crate::model::{Failure, Row};
use crate::resolve::{FileJob, RowsForm, Scope};
use crate::stages::{UnitDraft, UnitNaming, open_rows};

use super::names::{NameMark, mark, mark_row};

/// Where the enumeration of an item's units goes on.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// Rows that lie behind it.
    pub rows: u64,
    /// Over all those rows, in their order.
    pub digest: [u8; 16],
    /// Of a listing, whose order is the store's affair: the sources that already have a page.
    pub known: HashSet<NameMark>,
    /// Of an item whose pages do not hold a beginning of its list: the rows in them, as [`mark_row`] has them.
    pub by_name: Option<HashSet<NameMark>>,
}

/// The units of one page, as their rows describe them.
pub struct Batch {
    pub drafts: Vec<UnitDraft>,
    /// The cursor before the batch is `rows_before`; behind it, this digest.
    pub rows_before: u64,
    pub digest: [u8; 16],
    /// Nothing follows.
    pub is_last: bool,
}

/// Reads the units of one item, page by page. Used by `plan` and `run` alike.
pub struct Lister<'a> {
    /// Fused: the end of the rows may be met twice, at the end of a full page and when asked for the next.
    rows: Fuse<RowStream>,
    naming: UnitNaming<'a>,
    item: Option<&'a Row>,
    cursor: Cursor,
    /// A row read ahead, to know whether a full page is the last one.
    ahead: Option<UnitDraft>,
}

impl<'a> Lister<'a> {
    /// Opens the list of an item's units behind `cursor`.
    ///
    /// A list in the order of its rows must begin with the very rows that earlier pages were made of: otherwise a unit would be lost or
    /// done twice, and the item fails with `list.changed` instead. A listing, and a list that is told by names, is taken from its start, without what is known of it.
    pub async fn open(
        job: &'a FileJob,
        connections: &Connections,
        item: Option<&'a Row>,
        cursor: Cursor,
    ) -> Result<Self, Failure> {
        let source = &job.work.source.files.rows;
        let scope = Scope {
            item,
            ..Scope::default()
        };
        let rows = open_rows(source, &scope, connections).await?.fuse();
        let mut lister = Self {
            rows,
            naming: UnitNaming::new(job),
            item,
            cursor: Cursor::default(),
            ahead: None,
        };
        if matches!(source.form, RowsForm::Glob { .. }) || cursor.by_name.is_some() {
            lister.cursor = cursor;
        } else {
            lister.skip(&cursor).await?;
        }
        Ok(lister)
    }

    async fn skip(&mut self, to: &Cursor) -> Result<(), Failure> {
        while self.cursor.rows < to.rows {
            if self.read().await?.is_none() {
                break;
            }
        }
        if self.cursor.rows == to.rows && self.cursor.digest == to.digest {
            return Ok(());
        }
        Err(Failure::data(
            "list.changed",
            format!(
                "the list no longer begins with the {} rows that were worked on before; give it a fixed order \
                 (`order by`), or begin the job anew with `--restart`",
                to.rows
            ),
        ))
    }

    /// The next page of at most `units_max` units; `None` when there is none. An error may be followed by opening anew at the
    /// cursor of the last page.
    pub async fn next_page(&mut self, units_max: usize) -> Result<Option<Batch>, Failure> {
        let mut drafts = Vec::new();
        let mut rows_before = self.cursor.rows;
        if let Some(ahead) = self.ahead.take() {
            drafts.push(ahead);
            rows_before -= 1;
        }
        let mut digest = self.cursor.digest;
        let mut is_last = true;
        while let Some(draft) = self.read().await? {
            if drafts.len() == units_max {
                self.ahead = Some(draft);
                is_last = false;
                break;
            }
            digest = self.cursor.digest;
            drafts.push(draft);
        }
        if drafts.is_empty() {
            return Ok(None);
        }
        Ok(Some(Batch {
            drafts,
            rows_before,
            digest,
            is_last,
        }))
    }

    async fn read(&mut self) -> Result<Option<UnitDraft>, Failure> {
        while let Some(row) = self.rows.try_next().await? {
            let scope = Scope {
                item: self.item,
                file: Some(&row),
                ..Scope::default()
            };
            let draft = self.naming.draft(&scope, &row);
            if !self.cursor.known.is_empty() && self.cursor.known.contains(&mark(&draft.source)) {
                continue;
            }
            if self.is_recorded(&draft) {
                continue;
            }
            self.cursor.rows += 1;
            self.cursor.digest = chain(self.cursor.digest, draft.digest);
            return Ok(Some(draft));
        }
        Ok(None)
    }

    /// Whether a page has the row by its names already. Each record stands for one row, so that a second row of the same name meets the
    /// check for collisions as it did when the list was first read.
    fn is_recorded(&mut self, draft: &UnitDraft) -> bool {
        self.cursor.by_name.as_mut().is_some_and(|recorded| {
            recorded.remove(&mark_row(&draft.source, &draft.target)) || recorded.remove(&mark_row("", &draft.target))
        })
    }
}

fn chain(digest: [u8; 16], row: [u8; 16]) -> [u8; 16] {
    let mut chained = [0; 16];
    chained.copy_from_slice(&Sha256::new().chain_update(digest).chain_update(row).finalize()[..16]);
    chained
}
