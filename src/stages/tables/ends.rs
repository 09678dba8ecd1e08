use std::sync::Arc;

use crate::connect::{Connections, FileRole, TableStore};
use crate::model::Failure;
use crate::resolve::{TableSelection, TableSink, TableSource};

/// Opens what a job's tables come from.
pub async fn open_source(source: &TableSource, connections: &Connections) -> Result<Arc<dyn TableStore>, Failure> {
    let (
        Some(files),
        TableSelection::Tables {
            include,
            exclude,
            is_by_pattern,
        },
    ) = (&source.files, &source.selection)
    else {
        return connections.tables(&source.connection).await;
    };
    let role = FileRole::Source {
        include: include.clone(),
        exclude: exclude.clone(),
        is_by_pattern: *is_by_pattern,
        types: files.types.clone(),
    };
    connections.file_tables(&source.connection, role).await
}

/// Opens what a job's tables go to.
pub async fn open_sink(sink: &TableSink, connections: &Connections) -> Result<Arc<dyn TableStore>, Failure> {
    match &sink.files {
        None => connections.tables(&sink.connection).await,
        Some(files) => {
            let role = FileRole::Sink {
                format: files.format,
                compression: files.compression,
            };
            connections.file_tables(&sink.connection, role).await
        }
    }
}
