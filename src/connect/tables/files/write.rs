//! One chunk of a table on its way into one object of a store.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use tempfile::SpooledTempFile;
use tokio::sync::OwnedSemaphorePermit;

use super::blocking;
use super::parquet_encoder::ParquetEncoder;
use super::text_encoder::TextEncoder;
use crate::connect::tables::TableWriter;
use crate::connect::{ObjectMetadata, ObjectWriter, Precondition, Store, WriteRequest};
use crate::model::{ColumnMapping, Failure, FileFormat, ParquetCompression};

/// Bytes of a chunk that stay in memory; more go to a temporary file, because a store must be told the length before the first byte.
const SPOOL_BYTES_MAX: usize = 1 << 20;

/// Bytes handed to a store at once, and those of one part of a large object.
const PIECE_BYTES: usize = 1 << 20;
const PART_BYTES: usize = 8 << 20;

/// Called with the path of a file that is in its place.
pub type OnWritten = Box<dyn FnOnce(String) + Send>;

/// Where a file goes, and how it is written.
pub struct FileTarget {
    pub store: Arc<dyn Store>,
    pub path: String,
    pub format: FileFormat,
    /// Of Parquet.
    pub compression: ParquetCompression,
    /// Of Parquet: encoded bytes at which a group of rows ends.
    pub group_bytes: usize,
}

pub struct FileWriter {
    to: FileTarget,
    /// It travels between this and the threads that work with it.
    encoder: Option<Encoder>,
    rows: u64,
    /// Others wait for it until the file is encoded.
    turn: OwnedSemaphorePermit,
    on_written: OnWritten,
}

enum Encoder {
    Parquet(Box<ParquetEncoder<SpooledTempFile>>),
    Text {
        encoder: TextEncoder,
        out: SpooledTempFile,
        /// Lines that are not yet written.
        lines: Vec<u8>,
    },
}

impl FileWriter {
    pub fn new(
        to: FileTarget,
        columns: Vec<ColumnMapping>,
        turn: OwnedSemaphorePermit,
        on_written: OnWritten,
    ) -> Result<Self, Failure> {
        let out = SpooledTempFile::new(SPOOL_BYTES_MAX);
        let encoder = match to.format {
            FileFormat::Parquet => {
                let encoder = ParquetEncoder::new(columns, to.compression, to.group_bytes, out)?;
                Encoder::Parquet(Box::new(encoder))
            }
            FileFormat::Csv | FileFormat::JsonLines => {
                let encoder = TextEncoder::new(to.format, columns);
                let mut lines = Vec::new();
                encoder.begin(&mut lines);
                Encoder::Text { encoder, out, lines }
            }
        };
        Ok(Self {
            to,
            encoder: Some(encoder),
            rows: 0,
            turn,
            on_written,
        })
    }

    async fn add(&mut self, batch: RecordBatch) -> Result<(), Failure> {
        let Some(mut encoder) = self.encoder.take() else {
            return Err(Failure::permanent(
                "files.ended",
                "an earlier batch of this file was not written to its end",
            ));
        };
        let rows = batch.num_rows() as u64;
        let (encoder, added) = blocking(move || {
            let added = encoder.add(&batch);
            Ok((encoder, added))
        })
        .await?;
        self.encoder = Some(encoder);
        added?;
        self.rows += rows;
        Ok(())
    }

    async fn upload(mut self) -> Result<u64, Failure> {
        let Some(encoder) = self.encoder.take() else {
            return Err(Failure::permanent(
                "files.ended",
                "this file's writing has already ended",
            ));
        };
        let (spool, size) = blocking(move || encoder.finish()).await?;
        drop(self.turn);
        let metadata = ObjectMetadata::default();
        let request = WriteRequest {
            name: &self.to.path,
            size,
            metadata: &metadata,
            precondition: Precondition::None,
            part_size: PART_BYTES,
            parts: 1,
        };
        let mut object = self.to.store.write(request).await?;
        if let Err(failure) = send(&mut *object, spool, size).await {
            object.abort().await;
            return Err(failure);
        }
        object.close().await?;
        (self.on_written)(self.to.path);
        Ok(self.rows)
    }
}

async fn send(object: &mut dyn ObjectWriter, mut spool: SpooledTempFile, size: u64) -> Result<(), Failure> {
    let mut left = size;
    while left > 0 {
        let (rest, bytes) = blocking(move || read_piece(spool, left)).await?;
        spool = rest;
        left -= bytes.len() as u64;
        object.write(bytes).await?;
    }
    Ok(())
}

fn read_piece(mut spool: SpooledTempFile, left: u64) -> Result<(SpooledTempFile, Bytes), Failure> {
    let length = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
    let mut bytes = vec![0; length];
    spool.read_exact(&mut bytes).map_err(|error| spooling(&error))?;
    Ok((spool, Bytes::from(bytes)))
}

impl Encoder {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        match self {
            Self::Parquet(encoder) => encoder.rows(batch),
            Self::Text { encoder, out, lines } => {
                encoder.rows(batch, lines);
                out.write_all(lines).map_err(|error| spooling(&error))?;
                lines.clear();
                Ok(())
            }
        }
    }

    /// The file from its beginning, and its length.
    fn finish(self) -> Result<(SpooledTempFile, u64), Failure> {
        let mut spool = match self {
            Self::Parquet(encoder) => encoder.finish()?,
            Self::Text { mut out, lines, .. } => {
                out.write_all(&lines).map_err(|error| spooling(&error))?;
                out
            }
        };
        let size = spool.seek(SeekFrom::End(0)).map_err(|error| spooling(&error))?;
        spool.rewind().map_err(|error| spooling(&error))?;
        Ok((spool, size))
    }
}

fn spooling(error: &std::io::Error) -> Failure {
    let folder = std::env::temp_dir();
    Failure::transient(
        "files.spool",
        format!(
            "a temporary file in `{}` cannot be written: {error}; `TMPDIR` names another folder",
            folder.display()
        ),
    )
}

impl TableWriter for FileWriter {
    fn write(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.add(batch))
    }

    /// A batch is converted as a whole before any of it is encoded, so that a value that does not fit leaves nothing.
    fn write_apart(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.add(batch))
    }

    /// Files take no statements.
    fn finish(self: Box<Self>, _: Option<String>) -> BoxFuture<'static, Result<u64, Failure>> {
        Box::pin(self.upload())
    }
}
