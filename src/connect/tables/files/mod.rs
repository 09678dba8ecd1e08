//! Files of a store as tables: Parquet, CSV and JSON lines, in folders of parts or by themselves.
//!
//! A table that is written is a folder of numbered parts, one for each chunk, and each part is one object, which a store shows whole or not
//! at all. The folder has [`COMPLETE`](layout::COMPLETE) in it when all of its parts are those of one load: it is taken away before the first part is
//! written, and put back behind the last, when parts that an earlier load had more of are gone.

mod budget;
mod catalogue;
mod infer;
mod layout;
mod object_bytes;
mod parquet_decoder;
mod parquet_encoder;
mod read;
mod text_decoder;
mod text_encoder;
mod values;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::TryStreamExt;
use futures::future::BoxFuture;

use super::{BatchStream, KeyAround, ReadRequest, RowsFrom, RowsRequest, Snapshot, TableStore, TableWriter};
use crate::connect::{ObjectInfo, ObjectMetadata, Precondition, RowStream, Store, WriteRequest};
use crate::model::{
    Column, Engine, Failure, FailureClass, FileFormat, FileType, ParquetCompression, RowRange, Table, TableName, Value,
};

use budget::Budget;
use catalogue::{FileTable, Selection, discover, open};
use layout::COMPLETE;
use write::{FileTarget, FileWriter};

/// What the files of a store are to a job.
#[derive(Clone, Debug)]
pub enum FileRole {
    Source {
        /// Patterns of paths; empty: all.
        include: Vec<String>,
        exclude: Vec<String>,
        /// In the order of the patterns, not of the names.
        is_by_pattern: bool,
        /// Types of columns by their names, where a file does not tell them.
        types: BTreeMap<String, String>,
    },
    Sink {
        format: FileFormat,
        compression: ParquetCompression,
    },
}

pub struct FileTables {
    store: Arc<dyn Store>,
    role: FileRole,
    budget: Budget,
    /// What was found when tables were last looked for.
    found: Mutex<HashMap<TableName, Arc<FileTable>>>,
    /// The files that have been written of each table, by the load that goes on.
    written: Arc<Mutex<HashMap<TableName, HashSet<String>>>>,
}

impl FileTables {
    /// Looks at nothing yet.
    pub fn new(store: Arc<dyn Store>, role: FileRole) -> Self {
        Self {
            store,
            role,
            budget: Budget::default(),
            found: Mutex::default(),
            written: Arc::default(),
        }
    }

    async fn discovered(&self) -> Result<Vec<Table>, Failure> {
        let FileRole::Source {
            include,
            exclude,
            is_by_pattern,
            types,
        } = &self.role
        else {
            // Files are written anew, whatever is there.
            return Ok(Vec::new());
        };
        let selection = Selection {
            include: include.clone(),
            exclude: exclude.clone(),
            is_by_pattern: *is_by_pattern,
            types: types.clone(),
        };
        let tables = discover(&self.store, &selection).await?;
        let described = tables.iter().map(FileTable::described).collect();
        let tables = tables.into_iter().map(|table| (table.name.clone(), Arc::new(table)));
        *lock(&self.found) = tables.collect();
        Ok(described)
    }

    /// A table by its name, with its files as they were found; those of a sink are looked for at each call.
    async fn table(&self, from: &RowsFrom) -> Result<Arc<FileTable>, Failure> {
        let RowsFrom::Table(name) = from else {
            return Err(no_queries());
        };
        if let FileRole::Sink { format, .. } = &self.role {
            let parts = self.own_parts(name).await?;
            let parts = parts
                .into_iter()
                .filter(|part| FileFormat::of(&part.name) == Some(*format))
                .collect();
            return open(&self.store, name.clone(), parts, None).await.map(Arc::new);
        }
        let known = lock(&self.found).get(name).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        self.discovered().await?;
        lock(&self.found).get(name).cloned().ok_or_else(|| {
            Failure::new(
                FailureClass::NotFound,
                "tables.gone",
                format!("the files of `{name}` are no longer there"),
            )
        })
    }

    /// The numbered parts in the folder of a table that is written, of any format.
    async fn own_parts(&self, table: &TableName) -> Result<Vec<ObjectInfo>, Failure> {
        let folder = layout::folder(table)?;
        Ok(self
            .data_files(&folder)
            .await?
            .into_iter()
            .filter(|file| is_own(&file.name))
            .collect())
    }

    /// The files right in a folder that hold rows.
    async fn data_files(&self, folder: &str) -> Result<Vec<ObjectInfo>, Failure> {
        let objects = match self.store.list(folder, None).await {
            Err(failure) if is_absent(&failure) => return Ok(Vec::new()),
            objects => objects?,
        };
        let is_direct = |name: &str| name.strip_prefix(folder).is_some_and(|name| !name.contains('/'));
        let files = objects.try_filter(|object| {
            let holds_rows = is_direct(&object.name) && layout::home(&object.name).is_some();
            std::future::ready(holds_rows)
        });
        match files.try_collect().await {
            Err(failure) if is_absent(&failure) => Ok(Vec::new()),
            files => files,
        }
    }

    /// From here on the folder is that of an unfinished load, until [`complete`](Self::complete).
    async fn declare_open(&self, table: &TableName) -> Result<(), Failure> {
        let folder = layout::folder(table)?;
        self.store.check_name(&layout::part(&folder, 1, FileFormat::Parquet))?;
        let files = self.data_files(&folder).await?;
        if let Some(foreign) = files.iter().find(|file| !is_own(&file.name)) {
            return Err(Failure::new(
                FailureClass::Conflict,
                "files.foreign",
                format!(
                    "`{}` stands in the folder of `{table}` and would be taken for a part of it; move it away, or give the table another name \
                     with `naming.table`",
                    foreign.name
                ),
            ));
        }
        self.store.delete(&format!("{folder}{COMPLETE}")).await?;
        lock(&self.written).insert(table.clone(), HashSet::new());
        Ok(())
    }

    /// Removes what an earlier load has left beyond the parts of this one, and declares the folder complete.
    async fn complete(&self, table: &TableName) -> Result<(), Failure> {
        let written = lock(&self.written).get(table).cloned().unwrap_or_default();
        for part in self.own_parts(table).await? {
            if !written.contains(&part.name) {
                self.store.delete(&part.name).await?;
            }
        }
        let name = format!("{}{COMPLETE}", layout::folder(table)?);
        let request = WriteRequest {
            name: &name,
            size: 0,
            metadata: &ObjectMetadata::default(),
            precondition: Precondition::None,
            part_size: 5 << 20,
            parts: 1,
        };
        self.store.write(request).await?.close().await
    }

    async fn writer(&self, request: RowsRequest) -> Result<FileWriter, Failure> {
        let FileRole::Sink { format, compression } = self.role else {
            return Err(Failure::permanent(
                "files.read_only",
                "the files of a source are not written to",
            ));
        };
        let path = layout::part(&layout::folder(&request.table)?, request.part, format);
        let (written, table) = (Arc::clone(&self.written), request.table);
        let on_written = Box::new(move |path| {
            lock(&written).entry(table).or_default().insert(path);
        });
        let to = FileTarget {
            store: Arc::clone(&self.store),
            path,
            format,
            compression,
            group_bytes: self.budget.group_bytes,
        };
        let turn = self.budget.encoder().await?;
        FileWriter::new(to, request.columns, turn, on_written)
    }
}

/// The first file that is written makes the root of a store of folders.
fn is_absent(failure: &Failure) -> bool {
    failure.code == "store.root_missing"
}

/// Whether a file is called as this program calls the parts of a table.
fn is_own(path: &str) -> bool {
    layout::home(path).is_some_and(|home| home.is_numbered && home.folder.is_some())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn no_queries() -> Failure {
    Failure::permanent(
        "files.no_queries",
        "files answer no queries; name them in `source.tables`",
    )
}

/// What a type of a type table becomes: decimals that no file holds are text, and the loss that says so comes with it. `None` when there is
/// no such type.
pub(super) fn settled_type(native: &str) -> Option<(String, Option<&'static str>)> {
    if FileType::parse(native).is_some() {
        return Some((native.to_owned(), None));
    }
    let is_decimal = native.starts_with("decimal(") && native.ends_with(')');
    is_decimal.then(|| {
        let loss = "nothing of the value; it is written as text, because a decimal of a file has at most 38 digits, and none before its scale";
        (FileType::Text.to_string(), Some(loss))
    })
}

/// Runs work on a thread that may wait.
async fn blocking<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Failure::permanent(
            "files.interrupted",
            "the reading or writing of a file did not run to its end",
        ))
    })
}

impl TableStore for FileTables {
    fn engine(&self) -> Engine {
        Engine::Files
    }

    fn default_schema(&self) -> &str {
        ""
    }

    /// Those that a source selects; what stands at a sink has no say.
    fn tables(&self) -> BoxFuture<'_, Result<Vec<Table>, Failure>> {
        Box::pin(self.discovered())
    }

    fn count<'a>(&'a self, from: &'a RowsFrom, range: &'a RowRange) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            let table = self.table(from).await?;
            read::count(&self.store, read::pieces(&table, range)?).await
        })
    }

    fn key_bounds<'a>(
        &'a self,
        _: &'a RowsFrom,
        column: &'a str,
        _: u64,
    ) -> BoxFuture<'a, Result<Vec<Value>, Failure>> {
        Box::pin(std::future::ready(Err(read::no_key(column))))
    }

    /// The groups of rows of Parquet files, and other files as they are, through all parts.
    fn blocks<'a>(&'a self, table: &'a TableName) -> BoxFuture<'a, Result<Option<u64>, Failure>> {
        Box::pin(async move {
            let table = self.table(&RowsFrom::Table(table.clone())).await?;
            Ok(Some(table.blocks()))
        })
    }

    fn describe<'a>(&'a self, _: &'a str, _: &'a [(String, Value)]) -> BoxFuture<'a, Result<Vec<Column>, Failure>> {
        Box::pin(std::future::ready(Err(no_queries())))
    }

    fn rows<'a>(&'a self, _: &'a str, _: &'a [(String, Value)]) -> BoxFuture<'a, Result<RowStream, Failure>> {
        Box::pin(std::future::ready(Err(no_queries())))
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Option<Snapshot>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<BatchStream, Failure>> {
        Box::pin(async move {
            let table = self.table(&request.from).await?;
            let pieces = read::pieces(&table, &request.range)?;
            Ok(read::read(
                &self.store,
                &self.budget,
                pieces,
                request.columns,
                request.unread,
            ))
        })
    }

    fn begin<'a>(&'a self, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.declare_open(target))
    }

    fn execute<'a>(&'a self, _: &'a [String]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Err(no_queries())))
    }

    fn keys_around<'a>(&'a self, _: &'a TableName) -> BoxFuture<'a, Result<Vec<KeyAround>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn swap<'a>(&'a self, _: &'a TableName, target: &'a TableName) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.complete(target))
    }

    fn write(&self, request: RowsRequest) -> BoxFuture<'_, Result<Box<dyn TableWriter>, Failure>> {
        Box::pin(async move {
            let writer = self.writer(request).await?;
            Ok(Box::new(writer) as Box<dyn TableWriter>)
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.store.probe()
    }
}
