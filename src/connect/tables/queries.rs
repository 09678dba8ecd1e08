use std::sync::Arc;

use futures::future::BoxFuture;

use super::TableStore;
use crate::connect::{Database, RowStream};
use crate::model::{Failure, Value};

/// A database that holds tables, as one that answers queries with rows.
pub struct Queries {
    tables: Arc<dyn TableStore>,
}

impl Queries {
    pub fn new(tables: Arc<dyn TableStore>) -> Self {
        Self { tables }
    }
}

impl Database for Queries {
    fn query<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<RowStream, Failure>> {
        self.tables.rows(text, parameters)
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.tables.probe()
    }
}
