use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::values::{field, to_file};
use crate::connect::tables::cell_text;
use crate::model::{ColumnMapping, Failure, FileType, ParquetCompression};

/// Rows that decide whether a column gets a dictionary.
const ROWS_SAMPLED: usize = 1_024;

/// Rows as a Parquet file.
pub struct ParquetEncoder<W: Write + Send> {
    columns: Vec<ColumnMapping>,
    kinds: Vec<FileType>,
    schema: SchemaRef,
    compression: ParquetCompression,
    /// Encoded bytes that a group of rows may gather before it is written: each is in memory until it ends.
    group_bytes: usize,
    /// Where the file goes, until the first rows say how it is best written.
    out: Option<W>,
    writer: Option<ArrowWriter<W>>,
}

impl<W: Write + Send> ParquetEncoder<W> {
    /// # Errors
    /// `files.type`: a column is to have a type that no file has.
    pub fn new(
        columns: Vec<ColumnMapping>,
        compression: ParquetCompression,
        group_bytes: usize,
        out: W,
    ) -> Result<Self, Failure> {
        let kinds: Vec<FileType> = columns.iter().map(kind).collect::<Result<_, _>>()?;
        let fields: Vec<_> = columns
            .iter()
            .zip(&kinds)
            .map(|(column, kind)| field(column, *kind))
            .collect();
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            columns,
            kinds,
            compression,
            group_bytes,
            out: Some(out),
            writer: None,
        })
    }

    /// # Errors
    /// `rows.value`: a value does not fit its column; nothing of the batch is in the file then.
    pub fn rows(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let columns = self.columns.iter().zip(&self.kinds).zip(batch.columns());
        let arrays = columns.map(|((column, kind), values)| to_file(column, *kind, values));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        for (column, values) in self.columns.iter().zip(&arrays) {
            if !column.is_nullable && values.null_count() > 0 {
                let name = &column.target;
                return Err(Failure::data(
                    "rows.value",
                    format!("`{name}` holds NULL, which the column does not allow"),
                ));
            }
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        let rows = rows
            .map_err(|error| Failure::permanent("rows.shape", format!("a batch does not fit its columns: {error}")))?;
        let group_bytes = self.group_bytes;
        let writer = self.writer(Some(batch))?;
        writer.write(&rows).map_err(|error| broken(&error))?;
        if writer.in_progress_size() >= group_bytes {
            writer.flush().map_err(|error| broken(&error))?;
        }
        Ok(())
    }

    /// Ends the file and gives back what it went to.
    pub fn finish(mut self) -> Result<W, Failure> {
        self.writer(None)?;
        let ended = self.writer.take().map(ArrowWriter::into_inner);
        match ended {
            Some(ended) => ended.map_err(|error| broken(&error)),
            None => Err(Failure::permanent(
                "files.ended",
                "this file's writing has already ended",
            )),
        }
    }

    fn writer(&mut self, first: Option<&RecordBatch>) -> Result<&mut ArrowWriter<W>, Failure> {
        if let Some(out) = self.out.take() {
            let properties = self.properties(first)?;
            let writer = ArrowWriter::try_new(out, Arc::clone(&self.schema), Some(properties));
            self.writer = Some(writer.map_err(|error| broken(&error))?);
        }
        self.writer
            .as_mut()
            .ok_or_else(|| Failure::permanent("files.ended", "this file's writing has already ended"))
    }

    fn properties(&self, first: Option<&RecordBatch>) -> Result<WriterProperties, Failure> {
        let compression = match self.compression {
            ParquetCompression::Zstd => Compression::ZSTD(ZstdLevel::try_new(1).map_err(|error| broken(&error))?),
            ParquetCompression::Snappy => Compression::SNAPPY,
            ParquetCompression::None => Compression::UNCOMPRESSED,
        };
        let mut properties = WriterProperties::builder()
            .set_compression(compression)
            .set_created_by(concat!("pipeline version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_statistics_enabled(EnabledStatistics::Chunk);
        for (index, column) in self.columns.iter().enumerate() {
            let repeats = first.is_none_or(|batch| is_repetitive(column, batch.column(index)));
            let path = ColumnPath::new(vec![column.target.clone()]);
            properties = properties.set_column_dictionary_enabled(path, repeats);
        }
        Ok(properties.build())
    }
}

/// Whether values come again often enough for a dictionary to be worth its making: it is given up for columns of high cardinality in any
/// case, after it has cost its time.
fn is_repetitive(column: &ColumnMapping, values: &dyn Array) -> bool {
    let rows = values.len().min(ROWS_SAMPLED);
    let distinct: HashSet<u64> = (0..rows)
        .map(|row| {
            let mut hasher = DefaultHasher::new();
            cell_text(column.carry, values, row).hash(&mut hasher);
            hasher.finish()
        })
        .collect();
    distinct.len() * 2 <= rows
}

/// The type that a column is to have in a file.
pub fn kind(column: &ColumnMapping) -> Result<FileType, Failure> {
    FileType::parse(&column.target_native).ok_or_else(|| {
        let (name, native) = (&column.target, &column.target_native);
        Failure::permanent(
            "files.type",
            format!(
                "`{name}` is to be of type `{native}`, which no file has; types are {}",
                FileType::NAMES
            ),
        )
    })
}

fn broken(error: &ParquetError) -> Failure {
    Failure::permanent("parquet.write", format!("a Parquet file cannot be written: {error}"))
}
