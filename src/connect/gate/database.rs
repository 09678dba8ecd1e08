use std::sync::Arc;

use futures::future::BoxFuture;

use super::Door;
use super::stream::asked;
use crate::connect::{Database, RowStream};
use crate::model::{Failure, Value};

/// A database whose queries pass its gate.
pub(in crate::connect) struct GatedDatabase {
    inner: Arc<dyn Database>,
    door: Door,
}

impl GatedDatabase {
    pub fn new(inner: Arc<dyn Database>, door: Door) -> Self {
        Self { inner, door }
    }
}

impl Database for GatedDatabase {
    fn query<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<RowStream, Failure>> {
        Box::pin(async move {
            let _pass = self.door.enter().await?;
            let rows = self.door.note(self.inner.query(text, parameters).await)?;
            Ok(asked(rows, self.door.clone()))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.inner.probe()
    }
}
