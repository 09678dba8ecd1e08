//! The tables of a store, found by the names of its objects, and what is known of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use globset::{Glob, GlobSet, GlobSetBuilder};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::blocking;
use super::infer;
use super::layout::{COMPLETE, Home, home};
use super::object_bytes::ObjectBytes;
use super::values::native;
use crate::connect::{ObjectInfo, Store};
use crate::format::csv_header;
use crate::model::{Column, Columns, Failure, FailureClass, FileFormat, ObjectVersion, Table, TableName};

/// Files looked into at once.
const FILES_AT_ONCE: usize = 8;

/// A table made of files.
#[derive(Clone, Debug)]
pub struct FileTable {
    pub name: TableName,
    /// In the order of their paths.
    pub parts: Vec<Part>,
    pub columns: Vec<Column>,
    /// Why it cannot be read.
    pub trouble: Option<Failure>,
}

/// One file of a table.
#[derive(Clone, Debug)]
pub struct Part {
    pub path: String,
    pub size: u64,
    pub version: Option<ObjectVersion>,
    pub format: FileFormat,
    /// The rows of each of its groups; `None` where a file is one block, of unknown length.
    pub groups: Option<Vec<u64>>,
}

impl Part {
    /// How many blocks it can be cut into.
    pub fn blocks(&self) -> u64 {
        self.groups.as_ref().map_or(1, |groups| groups.len() as u64)
    }

    /// Its rows, where they are known without reading them.
    pub fn rows(&self) -> Option<u64> {
        self.groups.as_ref().map(|groups| groups.iter().sum())
    }
}

impl FileTable {
    pub fn blocks(&self) -> u64 {
        self.parts.iter().map(Part::blocks).sum()
    }

    pub fn described(&self) -> Table {
        Table {
            name: self.name.clone(),
            columns: self.columns.clone(),
            rows_estimate: self
                .parts
                .iter()
                .map(Part::rows)
                .sum::<Option<u64>>()
                .filter(|_| self.trouble.is_none()),
            trouble: self.trouble.clone(),
            ..Table::default()
        }
    }
}

/// Which files are meant, and what they do not tell themselves.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Patterns of paths; empty: all.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub is_by_pattern: bool,
    /// Types of columns by their names.
    pub types: BTreeMap<String, String>,
}

/// A table's files before any of them was looked into.
struct Found {
    home: Home,
    /// Place of the first pattern that fits.
    place: usize,
    objects: Vec<ObjectInfo>,
}

/// Finds the tables that a selection means. What is wrong with the files of one is its own trouble: `files.incomplete`, `files.columns`,
/// `files.empty`, and what is met in their bytes.
///
/// # Errors
/// `tables.none`, `tables.pattern`, `files.ambiguous`, and what the store answers.
pub async fn discover(store: &Arc<dyn Store>, selection: &Selection) -> Result<Vec<FileTable>, Failure> {
    let mut found: Vec<Found> = list(store, selection).await?.into_values().collect();
    if found.is_empty() {
        let patterns = match selection.include.is_empty() {
            true => "*".to_owned(),
            false => selection.include.join("`, `"),
        };
        return Err(Failure::new(
            FailureClass::NotFound,
            "tables.none",
            format!(
                "no file of the source fits `{patterns}`; patterns are of paths, and files end in .parquet, .csv, .jsonl or .ndjson"
            ),
        ));
    }
    if selection.is_by_pattern {
        found.sort_by_key(|found| found.place);
    }
    let mut tables = Vec::with_capacity(found.len());
    for found in found {
        let name = found.home.table.clone();
        tables.push(match look_at(store, found, &selection.types).await {
            Err(trouble) if matches!(trouble.class, FailureClass::Data | FailureClass::Conflict) => FileTable {
                name,
                parts: Vec::new(),
                columns: Vec::new(),
                trouble: Some(trouble),
            },
            table => table?,
        });
    }
    Ok(tables)
}

async fn look_at(store: &Arc<dyn Store>, found: Found, types: &BTreeMap<String, String>) -> Result<FileTable, Failure> {
    check_complete(store, &found.home).await?;
    let table = open(store, found.home.table, found.objects, Some(types)).await?;
    if table.columns.is_empty() {
        let message = "its files hold no values from which its columns could be told";
        return Err(Failure::data("files.empty", message));
    }
    Ok(table)
}

async fn list(store: &Arc<dyn Store>, selection: &Selection) -> Result<BTreeMap<TableName, Found>, Failure> {
    let (include, exclude) = (globs(&selection.include)?, globs(&selection.exclude)?);
    let mut found: BTreeMap<TableName, Found> = BTreeMap::new();
    let mut objects = store.list(&common_start(&selection.include), None).await?;
    while let Some(object) = objects.try_next().await? {
        let place = include.matches(&object.name).into_iter().min();
        let is_meant = (selection.include.is_empty() || place.is_some()) && !exclude.is_match(&object.name);
        let Some(home) = home(&object.name).filter(|_| is_meant) else {
            continue;
        };
        let place = place.unwrap_or_default();
        match found.get_mut(&home.table) {
            None => {
                let table = home.table.clone();
                let objects = vec![object];
                found.insert(table, Found { home, place, objects });
            }
            Some(known) if known.home.format == home.format && known.home.folder.is_some() && home.folder.is_some() => {
                known.home.is_numbered |= home.is_numbered;
                known.place = known.place.min(place);
                known.objects.push(object);
            }
            Some(known) => return Err(ambiguous(&home.table, &known.objects[0].name, &object.name)),
        }
    }
    Ok(found)
}

fn ambiguous(table: &TableName, one: &str, other: &str) -> Failure {
    Failure::new(
        FailureClass::Conflict,
        "files.ambiguous",
        format!("`{one}` and `{other}` would both be the table `{table}`; name one of them in `exclude`"),
    )
}

fn globs(patterns: &[String]) -> Result<GlobSet, Failure> {
    let mut set = GlobSetBuilder::new();
    let told = |error: globset::Error| Failure::data("tables.pattern", error.to_string());
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(told)?);
    }
    set.build().map_err(told)
}

/// What all names that can fit begin with.
fn common_start(patterns: &[String]) -> String {
    let plain = |pattern: &String| -> String {
        let end = pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(pattern.len());
        pattern[..end].to_owned()
    };
    let mut starts = patterns.iter().map(plain);
    let Some(first) = starts.next() else {
        return String::new();
    };
    starts.fold(first, |common, start| {
        let same = common.char_indices().zip(start.chars());
        let end = same
            .take_while(|((_, one), other)| one == other)
            .map(|((at, one), _)| at + one.len_utf8());
        common[..end.last().unwrap_or_default()].to_owned()
    })
}

/// A folder of numbered files is one that this program writes: it is whole when it says so.
async fn check_complete(store: &Arc<dyn Store>, home: &Home) -> Result<(), Failure> {
    let Some(folder) = home.folder.as_ref().filter(|_| home.is_numbered) else {
        return Ok(());
    };
    if store.stat(&format!("{folder}{COMPLETE}")).await?.is_some() {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Conflict,
        "files.incomplete",
        format!(
            "`{folder}` has no `{COMPLETE}`: not all of its files may be written; run the job that writes it to its end, or put an empty \
             `{COMPLETE}` there"
        ),
    ))
}

/// Looks into the files of a table. Without types only what Parquet files say of themselves is read, and a text file is taken as it is.
///
/// # Errors
/// `files.columns`: they do not have the same columns; and what reading a file meets.
pub async fn open(
    store: &Arc<dyn Store>,
    name: TableName,
    objects: Vec<ObjectInfo>,
    types: Option<&BTreeMap<String, String>>,
) -> Result<FileTable, Failure> {
    let looks = objects.into_iter().map(|object| {
        let format = home(&object.name).map_or(FileFormat::Parquet, |home| home.format);
        look(store, object, format, types)
    });
    let looks: Vec<_> = looks.collect();
    let seen: Vec<(Part, Vec<Column>)> = stream::iter(looks).buffered(FILES_AT_ONCE).try_collect().await?;
    let mut table = FileTable {
        name,
        parts: Vec::with_capacity(seen.len()),
        columns: Vec::new(),
        trouble: None,
    };
    for (part, columns) in seen {
        match table.parts.first() {
            // What the first values of JSON lines are may differ from file to file; a value that does not fit is found when it is read.
            Some(first) if part.format != FileFormat::JsonLines => {
                check_same(&table.columns, &columns, &first.path, &part.path)?;
            }
            _ if table.columns.is_empty() => table.columns = columns,
            _ => {}
        }
        table.parts.push(part);
    }
    Ok(table)
}

fn check_same(first: &[Column], other: &[Column], first_path: &str, path: &str) -> Result<(), Failure> {
    let shape = |columns: &[Column]| -> Vec<String> {
        columns
            .iter()
            .map(|column| format!("{} {}", column.name, column.native))
            .collect()
    };
    let (first, other) = (shape(first), shape(other));
    if first == other {
        return Ok(());
    }
    Err(Failure::data(
        "files.columns",
        format!(
            "`{path}` has other columns than `{first_path}`: `{}`, not `{}`; files of one table have the same",
            other.join("`, `"),
            first.join("`, `")
        ),
    ))
}

async fn look(
    store: &Arc<dyn Store>,
    object: ObjectInfo,
    format: FileFormat,
    types: Option<&BTreeMap<String, String>>,
) -> Result<(Part, Vec<Column>), Failure> {
    let mut part = Part {
        path: object.name,
        size: object.size,
        version: None,
        format,
        groups: None,
    };
    let columns = match (format, types) {
        (FileFormat::Parquet, _) => look_into_parquet(store, &mut part).await?,
        (_, None) => Vec::new(),
        (FileFormat::Csv | FileFormat::JsonLines, Some(types)) => {
            let (info, bytes) = store.read(&part.path, None).await?;
            (part.version, part.size) = (info.version(), info.size);
            let path = part.path.clone();
            let told = |failure: Failure| failure.context(format_args!("`{path}`"));
            match format {
                FileFormat::Csv => {
                    let names = match csv_header(bytes).await {
                        Err(failure) if failure.code == "csv.empty" => Columns::from([]),
                        names => names.map_err(told)?,
                    };
                    names.iter().map(|name| typed(name, "text", types)).collect()
                }
                _ => {
                    let inferred = infer::columns(bytes).await.map_err(told)?;
                    inferred.iter().map(|(name, kind)| typed(name, kind, types)).collect()
                }
            }
        }
    };
    Ok((part, columns))
}

fn typed(name: &str, kind: &str, types: &BTreeMap<String, String>) -> Column {
    Column {
        name: name.to_owned(),
        native: types.get(name).map_or(kind, String::as_str).to_owned(),
        is_nullable: true,
        is_identity: false,
        is_computed: false,
    }
}

async fn look_into_parquet(store: &Arc<dyn Store>, part: &mut Part) -> Result<Vec<Column>, Failure> {
    let object = ObjectBytes::new(Arc::clone(store), part.path.clone(), part.size, None, 1);
    let reader = object.clone();
    let read = blocking(move || footer(&reader).map_err(|error| reader.failure(&error)));
    let metadata = read.await?;
    let groups = metadata.metadata().row_groups().iter();
    part.groups = Some(groups.map(|group| group.num_rows().cast_unsigned()).collect());
    part.version = object.version();
    let columns = metadata.schema().fields().iter().map(|field| Column {
        name: field.name().clone(),
        native: native(field),
        is_nullable: field.is_nullable(),
        is_identity: false,
        is_computed: false,
    });
    Ok(columns.collect())
}

/// What a Parquet file says of itself. Types come from its own schema alone: what another writer's Arrow had in mind besides does not matter.
pub fn footer(object: &ObjectBytes) -> Result<ArrowReaderMetadata, parquet::errors::ParquetError> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    ArrowReaderMetadata::load(object, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_begins_where_all_patterns_do() {
        let start =
            |patterns: &[&str]| common_start(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>());
        assert_eq!(start(&[]), "");
        assert_eq!(start(&["sales/*.parquet"]), "sales/");
        assert_eq!(start(&["sales/a.csv"]), "sales/a.csv");
        assert_eq!(start(&["größe/a*", "größer/*"]), "größe");
        assert_eq!(start(&["a", "*"]), "");
    }
}
