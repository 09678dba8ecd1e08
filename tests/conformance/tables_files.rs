//! Files of stores as tables: what every format keeps in every store, and the edges of types from each database into each format.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use futures::{StreamExt, TryStreamExt};
use pipeline::connect::{
    FileRole, Mapper, ObjectMetadata, Precondition, ReadRequest, RowsFrom, RowsRequest, TableMapping, TableStore,
    WriteRequest, cell_text, map_table, type_table,
};
use pipeline::model::{
    Carry, ColumnMapping, Engine, Failure, FailureClass, FileFormat, ParquetCompression, RowRange, TableName,
};

use super::kinds::{Kind, Subject, runtime};
use super::tables_edges::{all_edges, make_edge};
use super::tables_kinds::{TablesKind, Texts, plain_column};

pub const FORMATS: [FileFormat; 3] = [FileFormat::Parquet, FileFormat::Csv, FileFormat::JsonLines];

async fn sink(subject: &Subject, format: FileFormat) -> Arc<dyn TableStore> {
    let compression = ParquetCompression::Zstd;
    let role = FileRole::Sink { format, compression };
    subject.connections.file_tables("subject", role).await.unwrap()
}

/// The files of the subject; its columns `id` are whole numbers.
async fn source(subject: &Subject, include: &[&str]) -> Arc<dyn TableStore> {
    let role = FileRole::Source {
        include: include.iter().map(|&pattern| pattern.to_owned()).collect(),
        exclude: Vec::new(),
        is_by_pattern: false,
        types: BTreeMap::from([("id".to_owned(), "int64".to_owned())]),
    };
    subject.connections.file_tables("subject", role).await.unwrap()
}

async fn put(subject: &Subject, name: &str, content: &[u8]) {
    let request = WriteRequest {
        name,
        size: content.len() as u64,
        metadata: &ObjectMetadata::default(),
        precondition: Precondition::None,
        part_size: 8 << 20,
        parts: 1,
    };
    let mut object = subject.store.write(request).await.unwrap();
    object.write(content.to_vec().into()).await.unwrap();
    object.close().await.unwrap();
}

async fn names(subject: &Subject) -> Vec<String> {
    let objects = subject.store.list("", None).await.unwrap();
    objects.map(|object| object.unwrap().name).collect().await
}

fn columns() -> Vec<ColumnMapping> {
    vec![
        plain_column("id", "int64", Carry::Int64),
        plain_column("w,o\"rd", "text", Carry::Text),
    ]
}

/// Rows of so many numbers, with a text that is NULL, empty, or hard to write.
fn rows(numbers: std::ops::Range<i64>) -> RecordBatch {
    let word = |number: i64| match number % 4 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(format!("größe 😀 {number}")),
        _ => Some(format!("\"a\",\r\n{number}\\")),
    };
    let words: StringArray = numbers.clone().map(word).collect();
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
    RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("w,o\"rd", Arc::new(words), true)]).unwrap()
}

fn request(table: &TableName, part: u64) -> RowsRequest {
    RowsRequest {
        table: table.clone(),
        columns: columns(),
        upsert_key: Vec::new(),
        part,
    }
}

/// Loads a table, a part to each range.
async fn load(sink: &Arc<dyn TableStore>, table: &TableName, parts: &[(i64, i64)]) {
    sink.begin(table).await.unwrap();
    for (part, (from, below)) in (1..).zip(parts.iter().copied()) {
        let mut writer = sink.write(request(table, part)).await.unwrap();
        writer.write(rows(from..below)).await.unwrap();
        assert_eq!(writer.finish(None).await.unwrap(), (below - from).cast_unsigned());
    }
    sink.swap(table, table).await.unwrap();
}

async fn texts(
    files: &Arc<dyn TableStore>,
    table: &TableName,
    range: RowRange,
    columns: Vec<ColumnMapping>,
) -> Result<Texts, Failure> {
    let request = ReadRequest {
        from: RowsFrom::Table(table.clone()),
        columns: columns.clone(),
        range,
        snapshot: None,
        unread: None,
    };
    let mut batches = files.read(request).await?;
    let mut found = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        for row in 0..batch.num_rows() {
            let cells = columns.iter().zip(batch.columns());
            found.push(
                cells
                    .map(|(column, values)| cell_text(column.carry, values, row))
                    .collect(),
            );
        }
    }
    Ok(found)
}

fn expected(numbers: std::ops::Range<i64>) -> Texts {
    let batch = rows(numbers);
    let columns = columns();
    let row = |row| {
        columns
            .iter()
            .zip(batch.columns())
            .map(|(column, values)| cell_text(column.carry, values, row))
            .collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A table is there whole, or says that it is not.
pub async fn whole_or_open(subject: Subject) {
    for format in FORMATS {
        let table = TableName::new("sales", format!("größe {}", format.name()));
        let folder = format!("sales/größe {}", format.name());
        let pattern = format!("{folder}/*");
        let sink = sink(&subject, format).await;
        load(&sink, &table, &[(0, 10), (10, 20), (20, 21)]).await;
        let files = source(&subject, &[&pattern]).await;
        let found = files.tables().await.unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].name, table);
        let shape: Vec<_> = found[0]
            .columns
            .iter()
            .map(|column| (&*column.name, &*column.native))
            .collect();
        assert_eq!(shape, [("id", "int64"), ("w,o\"rd", "text")]);
        assert_eq!(
            files
                .count(&RowsFrom::Table(table.clone()), &RowRange::Whole)
                .await
                .unwrap(),
            21
        );
        assert_eq!(
            sink.count(&RowsFrom::Table(table.clone()), &RowRange::Whole)
                .await
                .unwrap(),
            21
        );
        let all = texts(&files, &table, RowRange::Whole, columns()).await.unwrap();
        assert_eq!(all, expected(0..21));
        let blocks = files.blocks(&table).await.unwrap().unwrap();
        let mut by_block = Vec::new();
        for from in 0..blocks {
            let range = RowRange::Blocks {
                from,
                below: (from + 1 < blocks).then_some(from + 1),
            };
            by_block.extend(texts(&files, &table, range, columns()).await.unwrap());
        }
        assert_eq!((blocks, by_block), (3, all));

        // A load of fewer parts leaves none of the earlier ones.
        load(&sink, &table, &[(100, 105)]).await;
        let files = source(&subject, &[&pattern]).await;
        files.tables().await.unwrap();
        assert_eq!(
            texts(&files, &table, RowRange::Whole, columns()).await.unwrap(),
            expected(100..105)
        );

        // A chunk that is given up leaves no file, and a load that has begun is no table.
        let before = names(&subject).await;
        let mut writer = sink.write(request(&table, 7)).await.unwrap();
        writer.write(rows(0..3)).await.unwrap();
        drop(writer);
        assert_eq!(names(&subject).await, before);
        sink.begin(&table).await.unwrap();
        let tables = source(&subject, &[&pattern]).await.tables().await.unwrap();
        let failure = tables[0].trouble.as_ref().unwrap();
        assert_eq!(failure.code, "files.incomplete", "{failure}");
        assert!(failure.message.contains(&folder), "{failure}");

        // What somebody else has put there would be taken for a part.
        put(&subject, &format!("{folder}/part-0.{}", format.name()), b"").await;
        let failure = sink.begin(&table).await.unwrap_err();
        assert_eq!(failure.code, "files.foreign", "{failure}");
    }
}

/// What is wrong with a file is told with its place.
pub async fn bad_files(subject: Subject) {
    let table = TableName::new("", "good");
    load(&sink(&subject, FileFormat::Parquet).await, &table, &[(0, 5_000)]).await;
    let (_, bytes) = subject.store.read("good/00001.parquet", None).await.unwrap();
    let whole = bytes.try_collect::<Vec<_>>().await.unwrap().concat();
    let mut damaged = whole.clone();
    // The head of a page; values that are damaged have no checksum that would tell.
    damaged[4..40].fill(0xff);
    put(&subject, "damaged.parquet", &damaged).await;
    put(&subject, "short.parquet", &whole[..whole.len() / 2]).await;
    put(&subject, "none.parquet", b"PAR1").await;
    put(&subject, "fields.csv", b"id,\"w,o\"\"rd\"\n1,a\n2\n").await;
    put(&subject, "value.csv", b"id,\"w,o\"\"rd\"\n1,a\n\nx,b\n").await;
    put(&subject, "no_header.csv", b"").await;
    put(&subject, "late.jsonl", b"{\"id\":1,\"w,o\\\"rd\":null}\n{\"id\":1.5}\n").await;
    put(&subject, "new_key.jsonl", "{\"id\":1}\n".repeat(1_000).as_bytes()).await;
    put(&subject, "syntax.jsonl", b"{\"id\":1}\n{\"id\":}\n").await;
    for (name, code, told) in [
        ("damaged.parquet", "parquet.invalid", "`damaged.parquet`"),
        ("short.parquet", "parquet.invalid", "`short.parquet`"),
        ("none.parquet", "parquet.invalid", "`none.parquet`"),
        (
            "fields.csv",
            "csv.field_count",
            "`fields.csv`: line 3 has 1 fields, the header has 2",
        ),
        ("value.csv", "rows.value", "`value.csv`: line 4: `id`"),
        ("no_header.csv", "files.empty", "its files hold no values"),
        ("late.jsonl", "rows.value", "`late.jsonl`: line 2: `id`"),
        ("syntax.jsonl", "jsonl.syntax", "line 2"),
    ] {
        let files = source(&subject, &[name]).await;
        let tables = files.tables().await.unwrap();
        let failure = match &tables[0].trouble {
            Some(trouble) => trouble.clone(),
            None => {
                let columns = tables[0].columns.iter();
                let columns = columns.map(|column| plain_column(&column.name, &column.native, Carry::Text));
                let columns = columns.map(|column| match column.target_native.as_str() {
                    "int64" => ColumnMapping {
                        carry: Carry::Int64,
                        ..column
                    },
                    _ => column,
                });
                texts(&files, &tables[0].name, RowRange::Whole, columns.collect())
                    .await
                    .err()
                    .unwrap_or_else(|| panic!("{name} is read"))
            }
        };
        assert_eq!((failure.class, &*failure.code), (FailureClass::Data, code), "{failure}");
        assert!(failure.message.contains(told), "{failure}");
    }
    let twice = source(&subject, &["value.*"]).await;
    put(&subject, "value.jsonl", b"{\"id\":1}\n").await;
    let failure = twice.tables().await.unwrap_err();
    assert_eq!(failure.code, "files.ambiguous", "{failure}");
    let none = source(&subject, &["nothing/*"]).await.tables().await.unwrap_err();
    assert_eq!(none.code, "tables.none", "{none}");
}

/// A file that is written anew between two of its ranges is not read as one.
pub async fn changed(subject: Subject) {
    let table = TableName::new("", "orders");
    let sink = sink(&subject, FileFormat::Parquet).await;
    load(&sink, &table, &[(0, 10)]).await;
    let files = source(&subject, &[]).await;
    files.tables().await.unwrap();
    load(&sink, &table, &[(0, 1_000)]).await;
    let failure = texts(&files, &table, RowRange::Whole, columns()).await.unwrap_err();
    assert_eq!(failure.code, "source.changed", "{failure}");
}

/// Values at the edges of each type come out of a file as they went in.
pub fn edges(kind: TablesKind) {
    Kind::Fs.run(|subject| async move {
        for format in FORMATS {
            edges_of(&subject, kind, format).await;
        }
    });
}

async fn edges_of(subject: &Subject, kind: TablesKind, format: FileFormat) {
    let (database, files) = (kind.subject().await, sink(subject, format).await);
    for (number, (native, values)) in all_edges(kind).iter().enumerate() {
        let literals: Vec<&str> = values.iter().map(|(literal, _)| *literal).collect();
        let name = format!("edge_{number}_{}", format.name());
        make_edge(&database, &name, native, &literals).await;
        let mapping = mapping(&database.table(&name).await, kind.engine());
        let batches = database.database.read(ReadRequest {
            from: RowsFrom::Table(database.name(&name)),
            columns: mapping.columns.clone(),
            range: RowRange::Whole,
            snapshot: None,
            unread: None,
        });
        let batches: Vec<RecordBatch> = batches.await.unwrap().try_collect().await.unwrap();
        write_all(&files, &mapping, batches)
            .await
            .unwrap_or_else(|failure| panic!("{native}: {failure}"));
        let there = mapping
            .columns
            .iter()
            .map(|column| plain_column(&column.target, &column.target_native, column.carry));
        let there = texts(&files, &mapping.target, RowRange::Whole, there.collect()).await;
        let there = there.unwrap_or_else(|failure| panic!("{native} in {}: {failure}", format.name()));
        let is_document = mapping.columns[1].carry == Carry::Json && format == FileFormat::JsonLines;
        let shown = |text: &str| match serde_json::from_str::<serde_json::Value>(text) {
            Ok(document) if is_document => document.to_string(),
            _ => text.to_owned(),
        };
        let there: Vec<String> = there
            .iter()
            .map(|row| shown(row[1].as_deref().unwrap_or("NULL")))
            .collect();
        let scaled = mapping.columns[1].target_native.starts_with("decimal(");
        let expected: Vec<String> = values
            .iter()
            .map(|(_, expected)| match (*expected, mapping.columns[1].carry) {
                // MySQL's truth values are numbers.
                ("false", Carry::Int16) => "0".to_owned(),
                ("true", Carry::Int16) => "1".to_owned(),
                (expected, _) => shown(expected),
            })
            .collect();
        let same = |one: &String, other: &String| {
            one == other || scaled && one.parse::<f64>().ok() == other.parse::<f64>().ok()
        };
        assert!(
            there.len() == expected.len() && there.iter().zip(&expected).all(|(one, other)| same(one, other)),
            "{native} in {}: {there:?}, not {expected:?}",
            format.name()
        );
    }
}

fn mapping(table: &pipeline::model::Table, engine: Engine) -> TableMapping {
    let names = HashMap::from([(table.name.clone(), TableName::new("", &table.name.name))]);
    let mapper = Mapper {
        types: type_table(engine, Engine::Files),
        source: engine,
        sink: Engine::Files,
        overrides: &BTreeMap::new(),
        names: &names,
        column: &|_, column| Ok(column.to_owned()),
    };
    map_table(table, &mapper).unwrap()
}

async fn write_all(
    files: &Arc<dyn TableStore>,
    mapping: &TableMapping,
    batches: Vec<RecordBatch>,
) -> Result<u64, Failure> {
    let mut request = request(&mapping.target, 1);
    request.columns.clone_from(&mapping.columns);
    let mut writer = files.write(request).await?;
    for batch in batches {
        writer.write(batch).await?;
    }
    writer.finish(None).await
}

/// What a Parquet column cannot hold is a bad row, which leaves the rows beside it as they are.
pub fn refused() {
    Kind::Memory.run(|subject| async move {
        let files = sink(&subject, FileFormat::Parquet).await;
        for (kind, native, literal) in [
            (TablesKind::Postgres, "numeric(5,2)", "'NaN'"),
            (TablesKind::Sqlite, "decimal(5,2)", "999.999"),
            (TablesKind::Sqlite, "decimal(3,0)", "1000"),
            (TablesKind::Sqlite, "text not null", "'x'"),
        ] {
            let database = kind.subject().await;
            make_edge(&database, "refused", native, &[literal]).await;
            let mut mapping = mapping(&database.table("refused").await, kind.engine());
            let is_null = native.ends_with("not null");
            if is_null {
                // A value that becomes NULL on its way, as a zero date does.
                mapping.columns[1].source = "nullif(v, v)".to_owned();
            }
            let from = match is_null {
                true => super::tables_kinds::query("select id, nullif(v, v) as \"nullif(v, v)\" from refused", &[]),
                false => RowsFrom::Table(database.name("refused")),
            };
            let batches = database.database.read(ReadRequest {
                from,
                columns: mapping.columns.clone(),
                range: RowRange::Whole,
                snapshot: None,
                unread: None,
            });
            let batches: Vec<RecordBatch> = batches.await.unwrap().try_collect().await.unwrap();
            let mut request = request(&mapping.target, 1);
            request.columns.clone_from(&mapping.columns);
            let mut writer = files.write(request).await.unwrap();
            let failure = writer.write_apart(batches[0].clone()).await.unwrap_err();
            assert_eq!(
                (failure.class, &*failure.code),
                (FailureClass::Data, "rows.value"),
                "{failure}"
            );
            assert!(failure.message.contains("`v`"), "{failure}");
            assert_eq!(writer.finish(None).await.unwrap(), 0);
        }
    });
}

/// A table of many rows is read with its memory bounded by pages, whatever its groups are: every row once.
pub fn large_groups() {
    runtime();
    Kind::Fs.run(|subject| async move {
        let (table, files) = (TableName::new("", "large"), sink(&subject, FileFormat::Parquet).await);
        files.begin(&table).await.unwrap();
        let mut writer = files.write(request(&table, 1)).await.unwrap();
        for start in (0..200_000).step_by(8_000) {
            writer.write(rows(start..start + 8_000)).await.unwrap();
        }
        assert_eq!(writer.finish(None).await.unwrap(), 200_000);
        files.swap(&table, &table).await.unwrap();
        let found = texts(&files, &table, RowRange::Whole, columns()).await.unwrap();
        assert!(found == expected(0..200_000));
    });
}
